"""The image catalogue equals the SageMaker SDK's."""

from functools import cache

import pytest

from constructs_lib.planning.data_files import read
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.images.catalogue import ImageFamily, format_version, parse_version, url_suffix
from scripts import generate_images

IMAGES = TGI.images


@pytest.fixture(scope="module")
def retrieve():
    """The SDK's own look-up; it would read the same two files again at every call."""
    from sagemaker.core import image_uris

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_uris, "_config_for_framework_and_scope", cache(image_uris._config_for_framework_and_scope))
        patch.setattr(image_uris.utils, "_botocore_resolver", cache(image_uris.utils._botocore_resolver))
        yield image_uris.retrieve


def test_the_catalogue_has_the_23_gpu_versions():
    assert len(IMAGES.versions) == 23


def test_the_catalogue_has_45_regions():
    assert len(IMAGES.regions(IMAGES.newest)) == 45


def test_the_newest_version_is_3_3_6():
    assert IMAGES.newest == "3.3.6"


def images_of_the_sdk(retrieve, family, version, regions):
    processor = {"inference_tool": "neuronx"} if family.endswith("-neuronx") else {"instance_type": "ml.g5.xlarge"}
    return {
        region: retrieve(family, region=region, version=version, image_scope="inference", **processor)
        for region in regions
    }


@pytest.mark.xdist_group("sagemaker-core")  # its import takes seconds
@pytest.mark.parametrize("family", generate_images.FAMILIES)
def test_every_uri_is_the_sdks(family, retrieve):
    images = ImageFamily(family, construct="", cuda_since=(), version_in_tag="")
    for version in images.versions:
        repository, tag = images.repository_and_tag(version)
        regions = images.regions(version)
        ours = {
            region: f"{images.account(region, version)}.dkr.ecr.{region}.{url_suffix(region)}/{repository}:{tag}"
            for region in regions
        }
        assert ours == images_of_the_sdk(retrieve, family, version, regions)


def test_the_catalogue_is_what_the_generator_writes_today():
    written = read("images/images")
    day = written["families"]["huggingface-llm"][0]["date"]
    assert generate_images.generate(day) == written


def test_every_row_names_its_source_and_day():
    rows = [row for family in read("images/images")["families"].values() for row in family]
    assert {(row["source"].startswith("sagemaker-core "), len(row["date"])) for row in rows} == {(True, 10)}


@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("us-east-1", "amazonaws.com"),
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("us-iso-east-1", "c2s.ic.gov"),
        ("us-isob-east-1", "sc2s.sgov.gov"),
        ("us-isof-south-1", "csp.hci.ic.gov"),
        ("eu-isoe-west-1", "cloud.adc-e.uk"),
        ("eusc-de-east-1", "amazonaws.eu"),
    ],
)
def test_every_partition_has_its_suffix(region, suffix):
    assert url_suffix(region) == suffix


def test_an_unknown_region_has_neither_account_nor_suffix():
    assert (IMAGES.account("us-east-9", IMAGES.newest), url_suffix("us-east-9")) == (None, None)


def test_an_unknown_version_has_no_image():
    unknown = "3.3.5"
    found = (IMAGES.repository_and_tag(unknown), IMAGES.account("us-east-1", unknown), IMAGES.regions(unknown))
    assert found == (None, None, ())


@pytest.mark.parametrize(("version", "cuda"), [("0.9.4", (11, 8)), ("1.2.1", (12, 1)), ("3.3.7", (12, 4))])
def test_an_image_that_is_not_catalogued_has_the_cuda_release_of_its_time(version, cuda):
    assert (IMAGES.repository_and_tag(version), IMAGES.cuda(version)) == (None, cuda)


@pytest.mark.parametrize(
    ("version", "cuda"), [("0.6.0", (11, 8)), ("2.2.0", (12, 1)), ("2.4.0", (12, 4)), ("3.3.6", (12, 4))]
)
def test_the_tag_has_the_cuda_release(version, cuda):
    assert IMAGES.cuda(version) == cuda


@pytest.mark.parametrize(
    ("text", "version"), [("3.3.6", (3, 3, 6)), ("0.10.2", (0, 10, 2)), ("3.3", None), ("3.3.6-rc1", None), ("", None)]
)
def test_only_full_versions_can_be_compared(text, version):
    assert parse_version(text) == version
    assert version is None or format_version(version) == text
