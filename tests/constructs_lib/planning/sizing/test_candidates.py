"""Which instances can serve a model, and why others cannot."""

import re
from dataclasses import replace
from functools import partial

import pytest

from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import known_model
from constructs_lib.planning.request import UNDECIDED
from constructs_lib.planning.sizing import candidates as sizing

LLAMA = known_model("meta-llama/Llama-3.1-8B-Instruct")
LARGE = "meta-llama/Llama-3.3-70B-Instruct"


candidate = partial(sizing.candidate, engine=TGI)
candidates = partial(sizing.candidates, engine=TGI)


def of(hub_id, instance, **asked):
    return candidate(known_model(hub_id), instance, **asked)


def test_candidates_that_fit_come_first_and_the_cheapest_of_them_before_all():
    found = candidates(LLAMA, tokens=8192)
    fitting = [one for one in found if one.fits]
    prices = [one.price_usd_per_hour for one in fitting if one.price_usd_per_hour]
    assert found[: len(fitting)] == fitting
    assert prices == sorted(prices)
    assert fitting[0].instance is InstanceType.G6_XLARGE
    assert len(found) == 59


def test_all_the_gpus_that_can_share_a_model_do():
    assert [
        of("meta-llama/Llama-3.3-70B-Instruct", InstanceType.G5_48XLARGE).num_shard,
        of("microsoft/phi-4", InstanceType.G5_48XLARGE).num_shard,
        of("Qwen/Qwen2.5-7B-Instruct", InstanceType.G5_48XLARGE).num_shard,
        of("tiiuae/falcon-7b", InstanceType.G5_12XLARGE).num_shard,
    ] == [8, 5, 4, 1]


def test_fewer_gpus_than_there_are_is_a_setting_that_follows():
    found = of("microsoft/phi-4", InstanceType.G5_12XLARGE)
    assert (found.fits, dict(found.settings)) == (True, {"num_shard": 2})


def test_the_requested_limits_are_settings_that_follow():
    settings = candidate(LLAMA, InstanceType.G5_2XLARGE, tokens=8192).settings
    assert dict(settings) == {"max_input_tokens": 8191, "max_total_tokens": 8192}


def test_a_shorter_requested_prompt_is_kept():
    found = candidate(LLAMA, InstanceType.G6E_XLARGE, tokens=8192, options=TgiOptions(max_input_tokens=1000))
    assert dict(found.settings) == {"max_total_tokens": 8192}


def test_a_smaller_prefill_is_a_setting_if_tgis_default_would_not_fit():
    found = candidate(LLAMA, InstanceType.G5_2XLARGE, options=TgiOptions(cuda_memory_fraction=0.8))
    assert (found.fits, dict(found.settings)) == (True, {"max_batch_prefill_tokens": 4096})


def test_models_without_flash_attention_get_their_limits_as_settings():
    found = of("facebook/opt-66b", InstanceType.G5_48XLARGE)
    batch = found.settings["max_batch_total_tokens"]
    assert (found.settings["max_input_tokens"], found.settings["max_total_tokens"]) == (2047, 2048)
    assert batch == found.memory.max_tokens < 16_000


def test_a_batch_that_tgi_measures_is_not_set():
    assert "max_batch_total_tokens" not in of(LARGE, InstanceType.G5_48XLARGE, tokens=4096).settings


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (of(LARGE, InstanceType.G5_2XLARGE), r"11\d\.\d GiB short on its GPU\."),
        (of(LARGE, InstanceType.G5_12XLARGE), r"1\d\.\d GiB short on each of 4 GPUs\."),
        (of(LARGE, InstanceType.INF2_48XLARGE), r"It has Inferentia2, but TGI's image is for NVIDIA GPUs\."),
        (of(LARGE, InstanceType.P6E_GB200_36XLARGE), r"It has an Arm host, but TGI's image is for x86\."),
        (of(LARGE, UNDECIDED), r"The figures of its GPUs are not published\."),
        (
            candidate(LLAMA, InstanceType.G5_2XLARGE, region="mars-1"),
            r"AWS offers no image of TGI 3\.3\.6 in mars-1\.",
        ),
        (
            of("facebook/opt-66b", InstanceType.P5_48XLARGE, tokens=2049),
            r"options\.max_total_tokens: facebook/opt-66b has positions for 2048 tokens only, .*\.",
        ),
        (
            candidate(LLAMA, InstanceType.G5_2XLARGE, tokens=8192, concurrency=32),
            r"It serves 2 concurrent requests of 8192 tokens, but 32 are requested\.",
        ),
        (
            candidate(LLAMA, InstanceType.G4DN_12XLARGE, options=TgiOptions(quantize="fp8")),
            (
                r"options\.quantize: ml\.g4dn\.12xlarge \(T4, .* cannot run its kernels, which need compute capability"
                r" 8\.0\."
            ),
        ),
        (
            candidate(LLAMA, InstanceType.G5_12XLARGE, options=TgiOptions(num_shard=3)),
            r"options\.num_shard: .* cannot be split evenly over 3 GPUs of ml\.g5\.12xlarge.*",
        ),
        (
            candidate(LLAMA, replace(InstanceType.G5_2XLARGE, nvme_gb=10)),
            r"The weights are 15 GiB, but it has 9 GiB of storage\.",
        ),
        (
            candidate(LLAMA, replace(InstanceType.G5_2XLARGE, host_memory_gib=4)),
            r"Loading takes 5 GiB of the host's memory, but it has 4 GiB\.",
        ),
        (of("google/gemma-2-2b-it", InstanceType.G4DN_XLARGE), r"instance_type: TGI runs gemma2 models on Ampere .*"),
    ],
)
def test_an_instance_that_cannot_serve_says_why(found, words):
    assert not found.fits
    assert re.fullmatch(words, found.reason), found.reason


def test_a_context_may_be_longer_than_the_models_own():
    assert candidate(LLAMA, InstanceType.P5_48XLARGE, tokens=200_000).fits


def test_blackwell_fits_with_a_caution():
    found = candidate(LLAMA, InstanceType.G7E_2XLARGE)
    assert (found.fits, found.caution) == (
        True,
        "TGI's kernels were neither built nor tested for RTX PRO 6000 Blackwell Server (Blackwell).",
    )


def test_an_incomplete_version_is_an_error():
    with pytest.raises(ValueError, match=r"'3\.3' is not a full version"):
        candidates(LLAMA, version="3.3")


@pytest.mark.parametrize(
    ("tokens", "fits", "is_cautious"),
    [(8192, True, False), (22_000, True, True), (30_000, True, True), (50_000, False, False)],
)
def test_a_candidate_that_is_too_close_to_call_fits_with_a_caution(tokens, fits, is_cautious):
    caution = "ml.g5.2xlarge is too close to its limit: TGI may run out of memory when it starts."
    found = candidate(LLAMA, InstanceType.G5_2XLARGE, tokens=tokens)
    assert (found.fits, found.caution) == (fits, caution if is_cautious else None)
    assert (found.concurrency > 0) == fits


def test_untested_gpus_are_the_first_caution():
    found = of("Qwen/Qwen3-32B", InstanceType.G7_12XLARGE, tokens=8192)
    assert "(Blackwell)" in (found.caution or "")


def test_gpus_for_which_a_host_may_have_no_driver_fit_with_a_caution():
    found = sizing.candidate(LLAMA, InstanceType.G7_12XLARGE, engine=engine_named("vllm"), tokens=8192)
    assert (found.fits, found.caution) == (
        True,
        "SageMaker's machine images may have no driver for RTX PRO 4500 Blackwell.",
    )
