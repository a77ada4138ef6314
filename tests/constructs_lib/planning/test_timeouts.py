"""Timeouts by the size of the model."""

import pytest

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice, known_model


@pytest.mark.parametrize(
    ("hub_id", "seconds"),
    [
        ("Qwen/Qwen2.5-0.5B-Instruct", 360),  # 300 + 0.9 GiB · 25
        ("meta-llama/Llama-3.1-8B-Instruct", 720),  # 300 + 15.0 GiB · 25
        ("EleutherAI/gpt-neox-20b", 1260),  # 300 + 38.3 GiB · 25
        ("google/flan-t5-xxl", 1380),  # 300 + 41.5 GiB of float32 · 25
        ("meta-llama/Llama-3.3-70B-Instruct", 3600),
        ("bigscience/bloom", 3600),
        ("me/mine", 1800),
    ],
)
def test_the_startup_timeout_grows_with_the_download_and_the_weights(hub_id, seconds, planning):
    assert planning(hub_id=hub_id).startup_timeout_seconds == seconds


def test_weights_in_s3_start_sooner_and_have_a_timeout_of_their_own(planning):
    plan = planning(model=ModelChoice(source="s3", facts=known_model("meta-llama/Llama-3.3-70B-Instruct")))
    assert (plan.startup_timeout_seconds, plan.model_download_timeout_seconds) == (960, 1380)


def test_weights_of_unknown_size_in_s3_get_half_an_hour_each(planning):
    plan = planning(model=ModelChoice(source="s3"))
    assert (plan.startup_timeout_seconds, plan.model_download_timeout_seconds) == (1800, 1800)


def test_the_hub_has_no_download_timeout(planning):
    assert planning().model_download_timeout_seconds is None


def test_compressing_while_loading_takes_longer(planning):
    assert planning(options={"quantize": "eetq"}).startup_timeout_seconds == 780


def test_weights_that_are_published_compressed_take_no_longer(planning):
    assert planning(options={"quantize": "awq"}).startup_timeout_seconds == 720


def test_a_model_that_just_fits_the_longest_timeout_is_fine(warnings):
    four = {"hub_id": "meta-llama/Llama-3.3-70B-Instruct", "instance": InstanceType.P4D_24XLARGE}
    assert (warnings(**four), warnings(**four, options={"quantize": "eetq"})) == ([], ["tgi-endpoint:longestStartup"])


def test_a_model_that_may_outgrow_the_longest_timeout_brings_a_warning(planning):
    warnings = planning(hub_id="bigscience/bloom-7b1", startup_timeout_seconds=3600).warnings
    large = planning(hub_id="meta-llama/Llama-3.1-405B-Instruct").warnings
    assert [warning.id for warning in warnings if "Startup" in warning.id] == []
    assert [warning.id for warning in large] == ["tgi-endpoint:longestStartup"]
