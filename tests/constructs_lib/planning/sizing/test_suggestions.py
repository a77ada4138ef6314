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
        ({"hub_id": "microsoft/phi-4"}, "this one with options.quantize='fp8'"),
        (
            {"hub_id": "microsoft/phi-4", "instance": InstanceType.G5_12XLARGE, "options": {"num_shard": 1}},
            "this one with options.num_shard=2",
        ),
        (
            {"options": {"max_input_tokens": 50_000, "max_total_tokens": 60_000}},
            "this one with options.max_input_tokens=23000 and options.max_total_tokens=33000",
        ),
        (
            {"options": {"enable_prefill_logprobs": True, "max_batch_prefill_tokens": 20_000}},
            "this one with options.max_batch_prefill_tokens=15000",
        ),
        ({"hub_id": LARGE, "instance": InstanceType.G5_12XLARGE}, "ml.g6e.12xlarge ($13.12 an hour)"),
        ({"hub_id": "microsoft/phi-4"}, "ml.g6.12xlarge ($5.75 an hour) with options.num_shard=2"),
    ],
)
def test_an_alternative_is_suggested(changes, way, planning):
    assert way in misfit(planning, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"hub_id": "microsoft/phi-4", "instance": InstanceType.G5_12XLARGE, "options": {"num_shard": 1}},
        {"options": {"max_input_tokens": 50_000, "max_total_tokens": 60_000}},
        {"options": {"enable_prefill_logprobs": True, "max_batch_prefill_tokens": 20_000}},
        {"options": {"max_input_tokens": 8000, "max_total_tokens": 64_000, "max_batch_prefill_tokens": 32_000}},
        {
            "hub_id": "google/gemma-3-4b-it",
            "instance": InstanceType.G6_XLARGE,
            "options": {"max_input_tokens": 40_000, "max_total_tokens": 41_000, "max_batch_prefill_tokens": 40_000},
        },
    ],
)
def test_every_suggested_change_of_options_passes_the_same_checks(changes, planning):
    ways = re.findall(r"this one with ([^;]+?)(?:;|\.$)", misfit(planning, **changes))
    assert ways
    for way in ways:
        found = re.findall(r"options\.(\w+)=('?)([\w-]+)'?", way)
        fix = {name: value if quote else int(value) for name, quote, value in found}
        plan = planning(**changes | {"options": changes.get("options", {}) | fix})
        assert (plan.problems, plan.memory.fits) == ((), True), way


def test_a_smaller_prefill_is_suggested_before_shorter_requests_and_both_before_other_instances(planning):
    options = {"max_input_tokens": 8000, "max_total_tokens": 9000, "max_batch_prefill_tokens": 32_000}
    words = misfit(planning, hub_id="mistralai/Mistral-7B-Instruct-v0.3", version="2.0.2", options=options)
    ways = words.split("What would fit: ")[1].split("; ")
    assert ways[:2] == [
        "this one with options.max_batch_prefill_tokens=24000",
        (
            "this one with options.max_input_tokens=7900 and options.max_total_tokens=8900 and"
            " options.max_batch_prefill_tokens=7900"
        ),
    ]
    assert ways[2].startswith("ml.")


def test_the_smallest_prefill_is_that_of_one_prompt(planning):
    options = {"max_input_tokens": 24_000, "max_total_tokens": 32_000, "max_batch_prefill_tokens": 64_000}
    mixtral = {"hub_id": "mistralai/Mixtral-8x7B-Instruct-v0.1", "instance": InstanceType.G5_48XLARGE}
    words = misfit(planning, **mixtral, version="1.3.1", options=options)
    (prefill,) = re.findall(r"What would fit: this one with options.max_batch_prefill_tokens=(\d+);", words)
    assert int(prefill) >= 24_000
    assert int(prefill) % 1000 == 0
    fixed = planning(**mixtral, version="1.3.1", options=options | {"max_batch_prefill_tokens": int(prefill)})
    assert fixed.memory.fits
    more = planning(**mixtral, version="1.3.1", options=options | {"max_batch_prefill_tokens": int(prefill) + 1000})
    assert not more.memory.fits


def test_what_a_public_guide_runs_is_not_refused(planning):
    options = {
        "max_input_tokens": 24_000,
        "max_total_tokens": 32_000,
        "max_batch_prefill_tokens": 32_000,
        "max_batch_total_tokens": 512_000,
    }
    mixtral = {"hub_id": "mistralai/Mixtral-8x7B-Instruct-v0.1", "instance": InstanceType.G5_48XLARGE}
    assert planning(**mixtral, version="1.3.1", options=options).problems == ()


def test_a_suggested_alternative_fits(planning):
    assert planning(hub_id="microsoft/phi-4", options={"quantize": "fp8"}).problems == ()
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
    plan = planning(options={"max_input_tokens": 16_000, "max_total_tokens": 28_000, "max_batch_prefill_tokens": 2048})
    assert (plan.problems, [warning.id for warning in plan.warnings]) == ((), ["tgi-endpoint:tightMemory"])
    assert plan.warnings[0].message == (
        "meta-llama/Llama-3.1-8B-Instruct may not start on ml.g5.2xlarge: by estimate each GPU has 0.5 GiB to spare,"
        " and the estimate may be 1.0 GiB off. If TGI runs out of memory, use larger GPUs, or lower"
        " max_batch_prefill_tokens or max_total_tokens."
    )


def test_what_is_short_by_less_than_the_estimate_may_be_off_brings_a_warning_too(planning):
    plan = planning(options={"max_input_tokens": 16_000, "max_total_tokens": 36_000, "max_batch_prefill_tokens": 2048})
    assert (plan.problems, [warning.id for warning in plan.warnings]) == ((), ["tgi-endpoint:tightMemory"])
    assert "by estimate each GPU has 0.6 GiB too little, and the estimate" in plan.warnings[0].message


def test_limits_of_older_versions_that_do_not_fit_are_lowered_with_a_warning(planning):
    plan = planning(hub_id="google/gemma-2-9b-it", version="2.2.0")
    names = ("MAX_INPUT_TOKENS", "MAX_TOTAL_TOKENS", "MAX_BATCH_PREFILL_TOKENS")
    assert [plan.environment[name] for name in names] == ["1023", "1024", "1024"]
    assert (plan.serving.max_input_tokens, plan.serving.max_total_tokens) == (1023, 1024)
    warnings = {warning.id: warning.message for warning in plan.warnings}
    assert warnings["tgi-endpoint:shorterRequests"] == (
        "TGI's default length of requests does not fit the memory of ml.g5.2xlarge, so the plan sets"
        " max_input_tokens=1023 and max_total_tokens=1024. Set both yourself, or use larger GPUs."
    )
    own = planning(
        hub_id="google/gemma-2-9b-it", version="2.2.0", options={"max_input_tokens": 1023, "max_total_tokens": 1024}
    )
    assert "tgi-endpoint:shorterRequests" not in {warning.id for warning in own.warnings}


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
    assert planning().memory.context == 24_535


def test_more_gpus_of_the_same_instance_are_suggested_before_anything_is_reduced(planning):
    limits = {"num_shard": 1, "max_input_tokens": 3000, "max_total_tokens": 4000, "max_batch_prefill_tokens": 4096}
    plan = planning(hub_id="meta-llama/Llama-2-13b-hf", instance=InstanceType.G5_12XLARGE, options=limits)
    (found,) = [problem for problem in plan.problems if problem.keyword == "instance_type"]
    assert found.fix.startswith("What would fit: this one with options.num_shard=2;")
