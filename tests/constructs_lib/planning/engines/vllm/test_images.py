"""Images of vLLM: their hosts, their tags, and how their entrypoints read variables."""

import pytest

from constructs_lib.planning.engines.sagemaker_arguments import Reading
from constructs_lib.planning.engines.vllm.images import AWS, HUGGING_FACE
from constructs_lib.planning.images.catalogue import ImageChoice
from tests.constructs_lib.planning.engines.vllm.requests import planned, refusals, warned

REGISTRY = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"
CUDA_12, CUDA_13 = "al2-ami-sagemaker-inference-gpu-3-1", "al2023-ami-sagemaker-inference-gpu-4-1"


def by_uri(repository, tag, version, family=AWS):
    return {
        "image": ImageChoice(version=version, uri_override=True, uri=f"{REGISTRY}/{repository}:{tag}", family=family)
    }


@pytest.mark.parametrize("family", [AWS, HUGGING_FACE])
def test_the_tag_of_every_image_names_its_version(family):
    for version in family.versions:
        repository, tag = family.repository_and_tag(version)
        assert refusals(changes=by_uri(repository, tag, version, family), version=None) == []


@pytest.mark.parametrize(
    ("family", "version", "ami"),
    [
        (AWS, "0.30.0", CUDA_13),
        (AWS, "0.23.0", CUDA_13),
        (HUGGING_FACE, "0.29.0", CUDA_13),
        (HUGGING_FACE, "0.21.0", CUDA_13),
        (HUGGING_FACE, "0.17.0", CUDA_12),
        (HUGGING_FACE, "0.14.0", CUDA_12),
    ],
)
def test_the_host_has_the_driver_that_the_cuda_of_the_image_needs(family, version, ami):
    found = planned(changes={"image": ImageChoice(version=version, family=family)})
    assert (found.problems, found.inference_ami_version) == ((), ami)
    assert found.image_repository == family.name


@pytest.mark.parametrize(("version", "ami"), [("0.19.1", CUDA_12), ("0.20.0", CUDA_13)])
def test_versions_that_are_not_in_the_catalogue_have_the_cuda_of_their_time(version, ami):
    assert planned(version=version).inference_ami_version == ami


@pytest.mark.parametrize(
    ("family", "version", "reading"),
    [
        (AWS, "0.17.0", Reading.VALUES),
        (AWS, "0.17.1", Reading.BOOLEANS),
        (AWS, "0.27.1", Reading.BOOLEANS),
        (AWS, "0.28.0", Reading.ARRAYS),
        (HUGGING_FACE, "0.14.0", Reading.VALUES),
        (HUGGING_FACE, "0.29.0", Reading.BOOLEANS),
    ],
)
def test_the_entrypoint_is_that_of_the_images_day(family, version, reading):
    changes = {"image": ImageChoice(version=version, family=family, uri_override=True)}
    flag = planned(changes=changes, enforce_eager=True).environment["SM_VLLM_ENFORCE_EAGER"]
    assert flag == ("" if reading is Reading.VALUES else "true")
    several = planned(changes=changes, lora_modules=["a=/a", "b=/b"])
    assert (several.problems == ()) is (reading is Reading.ARRAYS)


def test_the_line_of_images_without_a_version_in_its_tags_is_taken_by_uri():
    changes = by_uri("vllm", "server-sagemaker-cuda-v2.6", "0.29.0")
    assert warned(changes=changes) == {
        "unknownImage": (
            "The catalogue has no server-sagemaker-cuda-v2.6, so whether AWS publishes vllm:server-sagemaker-cuda-v2.6"
            f" is not known. It has {', '.join(AWS.versions)}."
        )
    }
    assert refusals(changes=by_uri("vllm", "server-cuda-v2.6", "0.29.0")) == [
        (
            f"image='{REGISTRY}/vllm:server-cuda-v2.6': AWS publishes no such tag; that of vLLM 0.29.0 is"
            " 0.29.0-gpu-py312-cu130-ubuntu24.04-sagemaker. Write VllmImage.version('0.29.0'), which has the right"
            " account, Region and tag."
        )
    ]


def test_a_version_without_an_image_is_refused_with_those_that_have_one():
    assert refusals(changes={"image": ImageChoice(version="0.22.1")}) == [
        (
            "image='0.22.1': AWS publishes no image of that vLLM version. Use '0.30.0'. AWS publishes"
            f" {', '.join(AWS.versions)}."
        )
    ]
