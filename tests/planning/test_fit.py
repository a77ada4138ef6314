"""Which instances can serve a model, and the words where one cannot."""

import re
from dataclasses import replace

import pytest

from constructs_lib.planning.fit import candidate, candidates
from constructs_lib.planning.instance import GpuInstance
from constructs_lib.planning.model import ModelChoice, known_model
from constructs_lib.planning.request import UNDECIDED
from constructs_lib.planning.tgi_options import TgiOptions

LLAMA = known_model("meta-llama/Llama-3.1-8B-Instruct")
LARGE = "meta-llama/Llama-3.3-70B-Instruct"


def of(hub_id, instance, **asked):
    return candidate(known_model(hub_id), instance, **asked)


def test_candidates_that_fit_come_first_and_the_cheapest_of_them_before_all():
    found = candidates(LLAMA, tokens=8192)
    fitting = [one for one in found if one.fits]
    prices = [one.price_usd_per_hour for one in fitting if one.price_usd_per_hour]
    assert found[: len(fitting)] == fitting
    assert prices == sorted(prices)
    assert fitting[0].instance is GpuInstance.G6_XLARGE
    assert len(found) == 59


def test_all_the_gpus_that_can_share_a_model_do():
    assert [
        of("meta-llama/Llama-3.3-70B-Instruct", GpuInstance.G5_48XLARGE).num_shard,
        of("microsoft/phi-4", GpuInstance.G5_48XLARGE).num_shard,
        of("Qwen/Qwen2.5-7B-Instruct", GpuInstance.G5_48XLARGE).num_shard,
        of("tiiuae/falcon-7b", GpuInstance.G5_12XLARGE).num_shard,
    ] == [8, 5, 4, 1]


def test_fewer_gpus_than_there_are_is_a_setting_that_follows():
    found = of("microsoft/phi-4", GpuInstance.G5_12XLARGE)
    assert (found.fits, dict(found.settings)) == (True, {"num_shard": 2})


def test_the_limits_of_what_is_asked_are_settings_that_follow():
    settings = candidate(LLAMA, GpuInstance.G5_2XLARGE, tokens=8192).settings
    assert dict(settings) == {"max_input_tokens": 8191, "max_total_tokens": 8192}


def test_a_shorter_prompt_that_was_asked_for_is_kept():
    found = candidate(LLAMA, GpuInstance.G6E_XLARGE, tokens=8192, options=TgiOptions(max_input_tokens=1000))
    assert dict(found.settings) == {"max_total_tokens": 8192}


def test_a_smaller_prefill_is_a_setting_where_tgis_own_would_not_fit():
    found = candidate(LLAMA, GpuInstance.G5_2XLARGE, options=TgiOptions(cuda_memory_fraction=0.8))
    assert (found.fits, dict(found.settings)) == (True, {"max_batch_prefill_tokens": 4096})


def test_models_without_flash_attention_are_told_their_limits():
    found = of("facebook/opt-66b", GpuInstance.G5_48XLARGE)
    batch = found.settings["max_batch_total_tokens"]
    assert (found.settings["max_input_tokens"], found.settings["max_total_tokens"]) == (2047, 2048)
    assert batch == found.memory.max_tokens < 16_000


def test_a_batch_that_tgi_measures_is_not_told():
    assert "max_batch_total_tokens" not in of(LARGE, GpuInstance.G5_48XLARGE, tokens=4096).settings


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (of(LARGE, GpuInstance.G5_2XLARGE), r"11\d\.\d GiB short on its GPU\."),
        (of(LARGE, GpuInstance.G5_12XLARGE), r"1\d\.\d GiB short on each of 4 GPUs\."),
        (of(LARGE, GpuInstance.INF2_48XLARGE), r"It has Inferentia2, TGI's image is for NVIDIA GPUs\."),
        (of(LARGE, GpuInstance.P6E_GB200_36XLARGE), r"It has an Arm host, TGI's image is for x86\."),
        (of(LARGE, UNDECIDED), r"Its GPUs are not published\."),
        (
            candidate(LLAMA, GpuInstance.G5_2XLARGE, region="mars-1"),
            r"AWS offers no image of TGI 3\.3\.6 in mars-1\.",
        ),
        (
            candidate(LLAMA, GpuInstance.P5_48XLARGE, tokens=200_000),
            r"The model's longest context is 131072 tokens, 200000 are asked for\.",
        ),
        (
            candidate(LLAMA, GpuInstance.G5_2XLARGE, tokens=8192, concurrency=32),
            r"It serves 2 requests of 8192 tokens, 32 at the same time are asked for\.",
        ),
        (
            candidate(LLAMA, GpuInstance.G4DN_12XLARGE, options=TgiOptions(quantize="fp8")),
            r"options\.quantize: ml\.g4dn\.12xlarge \(T4, .* cannot run its kernels, which need 8\.0\.",
        ),
        (
            candidate(LLAMA, GpuInstance.G5_12XLARGE, options=TgiOptions(num_shard=3)),
            r"options\.num_shard: .* cannot be split evenly over 3 GPUs of ml\.g5\.12xlarge.*",
        ),
        (
            candidate(LLAMA, replace(GpuInstance.G5_2XLARGE, nvme_gb=10)),
            r"The weights are 15 GiB, it has 9 GiB of storage\.",
        ),
        (
            candidate(LLAMA, replace(GpuInstance.G5_2XLARGE, host_memory_gib=4)),
            r"Loading takes 5 GiB of the host's memory, it has 4 GiB\.",
        ),
        (of("google/gemma-2-2b-it", GpuInstance.G4DN_XLARGE), r"instance_type: TGI runs gemma2 models on Ampere .*"),
    ],
)
def test_an_instance_that_cannot_says_why(found, words):
    assert not found.fits
    assert re.fullmatch(words, found.reason), found.reason


def test_a_stretched_context_may_be_longer_than_the_models_own():
    options = TgiOptions(rope_scaling="linear", rope_factor=2.0)
    assert candidate(LLAMA, GpuInstance.P5_48XLARGE, tokens=200_000, options=options).fits


def test_blackwell_fits_with_a_caution():
    found = candidate(LLAMA, GpuInstance.G7E_2XLARGE)
    assert (found.fits, found.caution) == (
        True,
        "TGI's kernels were neither built nor tested for RTX PRO 6000 Blackwell Server (Blackwell).",
    )


def test_a_version_that_is_none_is_an_error():
    with pytest.raises(ValueError, match=r"'3\.3' is no full version"):
        candidates(LLAMA, version="3.3")


# What the plan says of it.


def misfit(planning, **changes):
    problems = planning(**changes).problems
    assert len(problems) == 1
    return str(problems[0])


def test_a_model_that_does_not_fit_is_refused_with_the_three_cheapest_ways_out(planning):
    words = misfit(planning, hub_id=LARGE)
    assert re.fullmatch(
        r"instance_type='ml\.g5\.2xlarge': cannot hold meta-llama/Llama-3\.3-70B-Instruct: 11\d\.\d GiB short on its"
        r" GPU, of which TGI fills 19\.8 GiB: 131\.\d GiB of weights, 0\.7 GiB for CUDA, 0\.\d GiB to"
        r" prefill \d+ tokens and"
        r" 0\.7 GiB for the keys and values of 2048 tokens are too much\. What would do, cheapest first:"
        r" ml\.g6e\.12xlarge \(\$13\.12 an hour\); ml\.g6\.48xlarge \(\$16\.69 an hour\);"
        r" ml\.g5\.48xlarge \(\$20\.36 an hour\)\.",
        words,
    ), words


@pytest.mark.parametrize(
    ("changes", "way"),
    [
        ({"hub_id": "google/gemma-2-9b-it"}, "this one with options.quantize='fp8'"),
        (
            {"hub_id": "microsoft/phi-4", "instance": GpuInstance.G5_12XLARGE, "options": {"num_shard": 1}},
            "this one with options.num_shard=2",
        ),
        (
            {"options": {"max_input_tokens": 59_999, "max_total_tokens": 60_000}},
            "this one with options.max_input_tokens=29999 and options.max_total_tokens=30000",
        ),
        (
            {"options": {"enable_prefill_logprobs": True, "max_batch_prefill_tokens": 20_000}},
            "this one with options.max_batch_prefill_tokens=4096",
        ),
        ({"hub_id": LARGE, "instance": GpuInstance.G5_12XLARGE}, "ml.g6e.12xlarge ($13.12 an hour)"),
        ({"hub_id": "microsoft/phi-4"}, "ml.g6.12xlarge ($5.75 an hour) with options.num_shard=2"),
    ],
)
def test_a_way_out_is_told(changes, way, planning):
    assert way in misfit(planning, **changes)


def test_what_is_told_as_a_way_out_fits(planning):
    assert planning(hub_id="google/gemma-2-9b-it", options={"quantize": "fp8"}).problems == ()
    assert planning(hub_id=LARGE, instance=GpuInstance.G6E_12XLARGE).problems == ()


def test_a_model_that_no_instance_holds_is_refused_without_a_way_out(planning):
    giant = replace(LLAMA, parameters=10**13)
    words = misfit(planning, model=ModelChoice(source="hub", hub_id="me/giant", facts=giant, has_token=True))
    end = "No instance of the catalogue would do; take a smaller model, or one that was published compressed."
    assert words.endswith(end)


def test_a_volume_that_cannot_hold_the_weights_is_refused(refusals):
    own = GpuInstance.of("ml.g9.2xlarge", accelerator_count=1, memory_gib=48, volume_configurable=True)
    assert refusals(instance=own, volume_size_gib=15) == [
        "volume_size=15: the weights are 15 GiB, it has 15 GiB of storage. Raise it to 16 GiB or more."
    ]
    assert refusals(instance=own, volume_size_gib=16) == []


def test_drives_that_cannot_hold_the_weights_are_refused(planning):
    words = misfit(planning, instance=replace(GpuInstance.G5_2XLARGE, nvme_gb=10))
    start = "instance_type='ml.g5.2xlarge': the weights are 15 GiB, it has 9 GiB of storage. What would do, cheapest"
    assert words.startswith(start)


def test_a_host_that_cannot_load_the_weights_is_refused(planning):
    words = misfit(planning, instance=replace(GpuInstance.G5_2XLARGE, host_memory_gib=4))
    assert "loading takes 5 GiB of the host's memory, it has 4 GiB. What would do, cheapest first: " in words


def test_a_tight_fit_is_told(planning):
    plan = planning(options={"max_input_tokens": 14_000, "max_total_tokens": 18_000, "max_batch_prefill_tokens": 2048})
    assert (plan.problems, [advice.id for advice in plan.advice]) == ((), ["tgi-endpoint:tightMemory"])
    assert plan.advice[0].message == (
        "meta-llama/Llama-3.1-8B-Instruct leaves 8% of the memory of ml.g5.2xlarge to spare beside 18000 tokens, less"
        " than such an estimate is sure of. If TGI runs out of memory, take larger GPUs, or lower"
        " max_batch_prefill_tokens or max_total_tokens."
    )


@pytest.mark.parametrize(
    ("hub_id", "words"),
    [
        (
            "facebook/galactica-6.7b",
            "The licence of facebook/galactica-6.7b (cc-by-nc-4.0) does not allow commercial use.",
        ),
        ("Qwen/Qwen2.5-3B-Instruct", "The licence of Qwen/Qwen2.5-3B-Instruct (qwen-research) does not allow"),
    ],
)
def test_a_licence_without_commerce_is_told(hub_id, words, planning):
    advice = {advice.id: advice.message for advice in planning(hub_id=hub_id).advice}
    assert advice["tgi-endpoint:nonCommercialLicence"].startswith(words)


def test_a_model_without_an_implementation_of_tgis_own_is_told(planning):
    plan = planning(hub_id="Qwen/Qwen3-4B")
    assert [(advice.id, advice.message) for advice in plan.advice] == [
        (
            "tgi-endpoint:noOptimizedImplementation",
            (
                "TGI has no implementation of its own for qwen3 models and runs Qwen/Qwen3-4B with plain transformers,"
                " slower and with fewer options, if it runs it at all. Prefer a model that it implements."
            ),
        )
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"options": {"quantize": "awq"}},
            (
                "options.quantize='awq': needs weights that were published so, and those of"
                " meta-llama/Llama-3.1-8B-Instruct are not compressed. Choose a repository with such weights"
                " (ModelFacts(quantization=…) describes them), or"
                " take fp8 or eetq, which compress while loading."
            ),
        ),
        (
            {
                "model": ModelChoice(
                    source="hub", hub_id="me/awq", facts=replace(LLAMA, quantization="awq", gating="no")
                ),
                "options": {"quantize": "eetq"},
            },
            (
                "options.quantize='eetq': the weights of meta-llama/Llama-3.1-8B-Instruct are published as awq."
                " Leave it"
                " out: TGI sees how they are compressed."
            ),
        ),
        (
            {"hub_id": "google/gemma-2-2b-it", "instance": GpuInstance.G4DN_XLARGE},
            (
                "instance_type='ml.g4dn.xlarge': TGI runs gemma2 models on Ampere GPUs or newer only, T4 is"
                " older. Take a"
                " newer GPU, such as GpuInstance.G6_XLARGE."
            ),
        ),
        (
            {"hub_id": "google/gemma-3-1b-it", "instance": GpuInstance.G4DN_XLARGE},
            (
                "instance_type='ml.g4dn.xlarge': TGI computes gemma3_text models in bfloat16, which T4 does not"
                " have. Take"
                " a newer GPU, such as GpuInstance.G6_XLARGE, or set options.dtype to float16."
            ),
        ),
        (
            {
                "model": ModelChoice(
                    source="hub",
                    hub_id="me/fp8",
                    facts=replace(known_model("Qwen/Qwen2.5-1.5B-Instruct"), checkpoint_dtype="float8"),
                ),
                "instance": GpuInstance.G4DN_XLARGE,
            },
            (
                "instance_type='ml.g4dn.xlarge': the weights of Qwen/Qwen2.5-1.5B-Instruct are published as fp8, whose"
                " kernels need Ampere GPUs or newer, T4 is older. Take a newer GPU, such as GpuInstance.G6_XLARGE."
            ),
        ),
    ],
)
def test_a_kind_of_weights_that_does_not_run_there_is_refused(changes, words, refusals):
    assert refusals(**changes) == [words]


def test_gptq_weights_may_be_run_by_marlin(refusals):
    facts = replace(LLAMA, quantization="gptq", gating="no")
    model = ModelChoice(source="hub", hub_id="me/gptq", facts=facts)
    assert refusals(model=model, options={"quantize": "marlin"}) == []


def test_gemma_3_runs_on_old_gpus_in_float16(refusals):
    old = GpuInstance.G4DN_XLARGE
    assert refusals(hub_id="google/gemma-3-1b-it", instance=old, options={"dtype": "float16"}) == []


def test_a_batch_that_fits_is_sent_where_tgis_own_would_not(planning):
    limits = {"max_input_tokens": 1000, "max_total_tokens": 2000}
    small = planning(hub_id="facebook/opt-66b", instance=GpuInstance.G5_48XLARGE, options=limits)
    roomy = planning(hub_id="facebook/opt-66b", instance=GpuInstance.P4DE_24XLARGE, options=limits)
    assert small.environment["MAX_BATCH_TOTAL_TOKENS"] == str(small.memory.max_tokens)
    assert small.memory.max_tokens < 16_000
    assert "MAX_BATCH_TOTAL_TOKENS" not in roomy.environment


def test_nothing_is_said_about_memory_that_is_not_known(planning):
    assert planning(hub_id="me/mine").memory is None
    assert planning(options={"quantize": "wrong"}).memory is None
    assert planning(options={"num_shard": 3}).memory is None
    assert planning().memory.context == 24_092
