"""How long a model takes to wake, by hand from its weights."""

from dataclasses import replace

from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.scaling.startup import load_seconds, start_seconds, wake_seconds
from tests.constructs_lib.planning.conftest import LLAMA, planned

# 14.957 GiB of weights.
LLAMA_FACTS = LLAMA.known_facts()
IN_S3 = ModelChoice(source="s3", facts=LLAMA_FACTS)


def test_the_formula_gives_the_wake_that_was_measured():
    small = ModelChoice(source="hub", hub_id="Qwen/Qwen3-0.6B")
    assert wake_seconds(load_seconds(small)) == 9 * 60 + 24


def test_weights_take_six_seconds_per_gib_from_the_hub_and_from_s3():
    assert load_seconds(LLAMA) == load_seconds(IN_S3) == 350 + 90


def test_an_archive_takes_ten_seconds_per_gib_more():
    assert load_seconds(replace(IN_S3, is_archive=True)) == 350 + 239


def test_compressing_takes_three_seconds_per_gib_more():
    assert load_seconds(LLAMA, compresses=True) == 350 + 135


def test_weights_of_unknown_size_count_as_fifteen_gib():
    assert load_seconds(ModelChoice(source="s3")) == 350 + 90


def test_a_start_adds_the_instance_and_a_wake_adds_the_alarm():
    assert start_seconds(440) == 545
    assert wake_seconds(440) == 647


def test_the_plan_has_what_its_model_takes_with_the_compression_of_its_options():
    assert planned().load_seconds == 440
    assert planned(options={"quantize": "eetq"}).load_seconds == 485
