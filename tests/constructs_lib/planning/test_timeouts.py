"""Timeouts by the size of the model."""

import pytest

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice, known_model


def s3(hub_id, **more):
    return ModelChoice(source="s3", facts=known_model(hub_id), **more)


@pytest.mark.parametrize(
    ("hub_id", "seconds"),
    [
        ("Qwen/Qwen2.5-0.5B-Instruct", 1200),
        ("meta-llama/Llama-3.1-8B-Instruct", 1200),  # more than 1.5 · (300 + 15.0 GiB · 25)
        ("EleutherAI/gpt-neox-20b", 1920),  # 1.5 · (300 + 38.3 GiB · 25); AWS's own test sets 1800
        ("google/flan-t5-xxl", 2040),  # 1.5 · (300 + 41.5 GiB of float32 · 25)
        ("meta-llama/Llama-3.3-70B-Instruct", 3600),
        ("bigscience/bloom", 3600),
        ("me/mine", 1800),
    ],
)
def test_the_startup_timeout_grows_with_the_download_and_the_weights(hub_id, seconds, planning):
    assert planning(hub_id=hub_id).startup_timeout_seconds == seconds


@pytest.mark.parametrize(
    ("hub_id", "startup", "download"),
    [
        ("meta-llama/Llama-2-7b-hf", 1200, 1200),  # what JumpStart sets for both
        ("meta-llama/Llama-3.3-70B-Instruct", 1440, 2100),  # 1.5 · (300 + 131.4 · 5), 1.5 · (60 + 131.4 · 10)
    ],
)
def test_weights_in_s3_have_a_timeout_for_their_download(hub_id, startup, download, planning):
    plan = planning(model=s3(hub_id))
    assert (plan.startup_timeout_seconds, plan.model_download_timeout_seconds) == (startup, download)


def test_unpacking_an_archive_takes_longer_than_files(planning):
    qwen = "Qwen/Qwen2.5-32B-Instruct"
    both = [planning(model=s3(qwen, is_archive=packed)).model_download_timeout_seconds for packed in (False, True)]
    assert both == [1200, 2880]  # 1.5 · (60 + 61.0 GiB · 30)


@pytest.mark.parametrize(("is_archive", "download"), [(False, 1800), (True, 3600)])
def test_weights_of_unknown_size_in_s3_get_half_an_hour_and_an_archive_gets_all_there_is(
    is_archive, download, planning
):
    plan = planning(model=ModelChoice(source="s3", is_archive=is_archive))
    assert (plan.startup_timeout_seconds, plan.model_download_timeout_seconds) == (1800, download)


def test_the_hub_has_no_download_timeout(planning):
    assert planning().model_download_timeout_seconds is None


def test_compressing_while_loading_takes_longer(planning):
    neox = {"hub_id": "EleutherAI/gpt-neox-20b"}
    assert planning(**neox, options={"quantize": "eetq"}).startup_timeout_seconds == 2220


def test_weights_that_are_published_compressed_take_no_longer(planning):
    neox = {"hub_id": "EleutherAI/gpt-neox-20b"}
    assert planning(**neox, options={"quantize": "awq"}).startup_timeout_seconds == 1920


def test_a_model_that_just_fits_the_longest_timeout_is_fine(warnings):
    four = {"hub_id": "meta-llama/Llama-3.3-70B-Instruct", "instance": InstanceType.P4D_24XLARGE}
    assert (warnings(**four), warnings(**four, options={"quantize": "eetq"})) == ([], ["tgi-endpoint:longestStartup"])


def test_a_model_that_may_outgrow_the_longest_timeout_brings_a_warning(planning):
    warnings = planning(hub_id="bigscience/bloom-7b1", startup_timeout_seconds=3600).warnings
    large = planning(hub_id="meta-llama/Llama-3.1-405B-Instruct").warnings
    assert [warning.id for warning in warnings if "Startup" in warning.id] == []
    assert [warning.id for warning in large] == ["tgi-endpoint:longestStartup"]


@pytest.mark.parametrize(
    ("is_archive", "words"),
    [
        (
            True,
            (
                "The archive is so large that it may not be downloaded and unpacked within SageMaker's longest model"
                " download timeout, 3600 s. Upload its files into a folder, and use Model.from_s3."
            ),
        ),
        (
            False,
            (
                "The weights are so large that they may not be downloaded within SageMaker's longest model download"
                " timeout, 3600 s. Weights that are published compressed are smaller."
            ),
        ),
    ],
)
def test_a_download_from_s3_that_may_outgrow_the_longest_timeout_brings_a_warning(is_archive, words, planning):
    model = s3("meta-llama/Llama-3.1-405B-Instruct", is_archive=is_archive)
    found = {warning.id: warning.message for warning in planning(model=model).warnings}
    assert found["tgi-endpoint:longestDownload"] == words
    asked = planning(model=model, model_download_timeout_seconds=3600).warnings
    assert "tgi-endpoint:longestDownload" not in [warning.id for warning in asked]
