"""What the plan reports if a model does not fit, fits narrowly, or does not run on that GPU."""

import re
from dataclasses import replace

import pytest

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice, known_model

LLAMA = known_model("meta-llama/Llama-3.1-8B-Instruct")
LARGE = "meta-llama/Llama-3.3-70B-Instruct"


def misfit(planning, **changes):
    problems = planning(**changes).problems
    assert len(problems) == 1
    return str(problems[0])


def test_a_model_that_does_not_fit_is_reported_with_the_three_cheapest_alternatives(planning):
    words = misfit(planning, hub_id=LARGE)
    assert re.fullmatch(
        r"instance_type='ml\.g5\.2xlarge': cannot hold meta-llama/Llama-3\.3-70B-Instruct: 11\d\.\d GiB short on its"
        r" GPU, of which TGI fills 19\.8 GiB: 131\.\d GiB of weights, 0\.7 GiB for CUDA, 0\.\d GiB to"
        r" prefill \d+ tokens and"
        r" 0\.7 GiB for the keys and values of 2048 tokens are too much\. What would fit, cheapest first:"
        r" ml\.g6e\.12xlarge \(\$13\.12 an hour\); ml\.g6\.48xlarge \(\$16\.69 an hour\);"
        r" ml\.g5\.48xlarge \(\$20\.36 an hour\)\.",
        words,
    ), words


@pytest.mark.parametrize(
    ("changes", "way"),
    [
        ({"hub_id": "google/gemma-2-9b-it"}, "this one with options.quantize='fp8'"),
        (
            {"hub_id": "microsoft/phi-4", "instance": InstanceType.G5_12XLARGE, "options": {"num_shard": 1}},
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
        ({"hub_id": LARGE, "instance": InstanceType.G5_12XLARGE}, "ml.g6e.12xlarge ($13.12 an hour)"),
        ({"hub_id": "microsoft/phi-4"}, "ml.g6.12xlarge ($5.75 an hour) with options.num_shard=2"),
    ],
)
def test_an_alternative_is_suggested(changes, way, planning):
    assert way in misfit(planning, **changes)


def test_a_suggested_alternative_fits(planning):
    assert planning(hub_id="google/gemma-2-9b-it", options={"quantize": "fp8"}).problems == ()
    assert planning(hub_id=LARGE, instance=InstanceType.G6E_12XLARGE).problems == ()


def test_a_model_that_no_instance_holds_is_reported_without_alternatives(planning):
    giant = replace(LLAMA, parameters=10**13)
    words = misfit(planning, model=ModelChoice(source="hub", hub_id="me/giant", facts=giant, has_token=True))
    end = "No instance in the catalogue would fit; use a smaller model, or one that was published compressed."
    assert words.endswith(end)


def test_a_volume_that_cannot_hold_the_weights_is_refused(refusals):
    own = InstanceType.of("ml.g9.2xlarge", accelerator_count=1, memory_gib=48, volume_configurable=True)
    assert refusals(instance=own, volume_size_gib=15) == [
        "volume_size=15: the weights are 15 GiB, but it has 15 GiB of storage. Raise it to 16 GiB or more."
    ]
    assert refusals(instance=own, volume_size_gib=16) == []


def test_drives_that_cannot_hold_the_weights_are_refused(planning):
    words = misfit(planning, instance=replace(InstanceType.G5_2XLARGE, nvme_gb=10))
    start = (
        "instance_type='ml.g5.2xlarge': the weights are 15 GiB, but it has 9 GiB of storage. What would fit, cheapest"
    )
    assert words.startswith(start)


def test_a_host_that_cannot_load_the_weights_is_refused(planning):
    words = misfit(planning, instance=replace(InstanceType.G5_2XLARGE, host_memory_gib=4))
    assert "loading takes 5 GiB of the host's memory, but it has 4 GiB. What would fit, cheapest first: " in words


def test_a_tight_fit_brings_a_warning(planning):
    plan = planning(options={"max_input_tokens": 14_000, "max_total_tokens": 18_000, "max_batch_prefill_tokens": 2048})
    assert (plan.problems, [warning.id for warning in plan.warnings]) == ((), ["tgi-endpoint:tightMemory"])
    assert plan.warnings[0].message == (
        "meta-llama/Llama-3.1-8B-Instruct leaves 8% of the memory of ml.g5.2xlarge to spare beside 18000 tokens, less"
        " than the error of such an estimate. If TGI runs out of memory, use larger GPUs, or lower"
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
def test_a_non_commercial_licence_brings_a_warning(hub_id, words, planning):
    warnings = {warning.id: warning.message for warning in planning(hub_id=hub_id).warnings}
    assert warnings["tgi-endpoint:nonCommercialLicence"].startswith(words)


def test_a_model_without_an_implementation_of_tgis_own_brings_a_warning(planning):
    plan = planning(hub_id="Qwen/Qwen3-4B")
    assert [(warning.id, warning.message) for warning in plan.warnings] == [
        (
            "tgi-endpoint:noOptimizedImplementation",
            (
                "TGI 3.3.6 has no implementation of its own for qwen3 models and runs Qwen/Qwen3-4B with transformers,"
                " with fewer options. Prefer a model that it implements."
            ),
        )
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"options": {"quantize": "awq"}},
            (
                "options.quantize='awq': needs weights that were published in that format, and those of"
                " meta-llama/Llama-3.1-8B-Instruct are not compressed. Choose a repository with such weights, or"
                " describe your own (like=… or ModelFacts(quantization=…)); or use fp8 or eetq, which compress while"
                " loading."
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
                " out: TGI detects how they are compressed."
            ),
        ),
        (
            {"hub_id": "google/gemma-2-2b-it", "instance": InstanceType.G4DN_XLARGE},
            (
                "instance_type='ml.g4dn.xlarge': TGI runs gemma2 models on Ampere GPUs or newer only, but T4 is"
                " older. Use a newer GPU, such as InstanceType.G6_XLARGE."
            ),
        ),
        (
            {"hub_id": "google/gemma-3-1b-it", "instance": InstanceType.G4DN_XLARGE},
            (
                "instance_type='ml.g4dn.xlarge': gemma3_text models look back at a sliding window, which needs Ampere"
                " GPUs or newer, but T4 is older. Use a newer GPU, such as InstanceType.G6_XLARGE."
            ),
        ),
        (
            {
                "model": ModelChoice(
                    source="hub",
                    hub_id="me/fp8",
                    facts=replace(known_model("TinyLlama/TinyLlama-1.1B-Chat-v1.0"), checkpoint_dtype="float8"),
                ),
                "instance": InstanceType.G4DN_XLARGE,
            },
            (
                "instance_type='ml.g4dn.xlarge': the weights of TinyLlama/TinyLlama-1.1B-Chat-v1.0 are published as"
                " fp8, whose kernels need Ampere GPUs or newer, but T4 is older. Use a newer GPU, such as"
                " InstanceType.G6_XLARGE."
            ),
        ),
    ],
)
def test_a_format_of_weights_that_does_not_run_there_is_reported(changes, words, refusals):
    assert refusals(**changes) == [words]


def test_gptq_weights_may_be_run_by_marlin(refusals):
    facts = replace(LLAMA, quantization="gptq", gating="no")
    model = ModelChoice(source="hub", hub_id="me/gptq", facts=facts)
    assert refusals(model=model, options={"quantize": "marlin"}) == []


def test_a_model_in_bfloat16_runs_on_old_gpus_in_float16(refusals):
    gemma = ModelChoice(source="hub", hub_id="me/g", facts=replace(LLAMA, model_type="gemma", gating="no"))
    on_t4 = {"model": gemma, "instance": InstanceType.G4DN_12XLARGE}
    assert refusals(**on_t4, options={"dtype": "float16"}) == []
    assert refusals(**on_t4) == [
        (
            "instance_type='ml.g4dn.12xlarge': TGI computes gemma models in bfloat16, which T4 does not support. Use a"
            " newer GPU, such as InstanceType.G6_XLARGE, or set options.dtype to float16."
        )
    ]


def test_gemma_3_does_not_run_on_old_gpus_in_float16_either(refusals):
    (found,) = refusals(hub_id="google/gemma-3-1b-it", instance=InstanceType.G4DN_XLARGE, options={"dtype": "float16"})
    assert "look back at a sliding window, which needs Ampere GPUs or newer" in found


def test_a_batch_that_fits_is_set_if_tgis_default_would_not_fit(planning):
    limits = {"max_input_tokens": 1000, "max_total_tokens": 2000}
    small = planning(hub_id="facebook/opt-66b", instance=InstanceType.G5_48XLARGE, options=limits)
    roomy = planning(hub_id="facebook/opt-66b", instance=InstanceType.P4DE_24XLARGE, options=limits)
    assert small.environment["MAX_BATCH_TOTAL_TOKENS"] == str(small.memory.max_tokens)
    assert small.memory.max_tokens < 16_000
    assert "MAX_BATCH_TOTAL_TOKENS" not in roomy.environment


def test_nothing_is_said_about_memory_that_is_not_known(planning):
    assert planning(hub_id="me/mine").memory is None
    assert planning(options={"quantize": "wrong"}).memory is None
    assert planning(options={"num_shard": 3}).memory is None
    assert planning().memory.context == 24_092
