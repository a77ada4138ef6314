"""What TGI's warm-up holds, by version and by how the weights are compressed."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import known_model
from constructs_lib.planning.sizing.memory import context_for, fit_memory, memory_plan

LLAMA = known_model("meta-llama/Llama-3.1-8B-Instruct")


def planned(model=LLAMA, instance=InstanceType.G5_2XLARGE, shards=1, version="3.3.6", **options):
    facts = known_model(model) if isinstance(model, str) else model
    return memory_plan(TGI, facts, instance, TgiOptions(**options), version, shards)


@pytest.mark.parametrize(
    ("version", "options", "prompt", "held"),
    [
        ("0.8.2", {}, 1000, 0),  # no warm-up, and one prompt of the default length has to fit
        ("0.8.2", {"max_input_tokens": 3000, "max_total_tokens": 4000}, 3000, 0),
        ("0.9.3", {}, 4096, 16_160),  # the whole batch, by default 16000 tokens, and ten blocks
        ("0.9.3", {"max_batch_total_tokens": 9000}, 4096, 9160),
        ("1.1.0", {}, 4096, 4096 + 4),  # two new tokens for each of four prompts
        ("1.2.0", {}, 4096, 4 * 2048),  # whole answers, in blocks of 16
        ("2.0.2", {}, 4145, 2 * 4096),
        ("2.0.2", {"max_input_tokens": 2048}, 2098, 2 * 4096),
    ],
)
def test_the_warm_up_of_older_versions(version, options, prompt, held):
    plan = planned("meta-llama/Llama-2-7b-hf", InstanceType.P4DE_24XLARGE, version=version, **options)
    assert (plan.prefill_tokens, plan.warm_up_tokens) == (prompt, held)


def test_versions_that_do_not_measure_serve_the_batch_that_they_allocate():
    assert planned("meta-llama/Llama-2-7b-hf", InstanceType.P4DE_24XLARGE, version="0.9.3").max_tokens == 16_160


def test_the_warm_up_reaches_as_far_as_a_sliding_window_until_2_1():
    facts = replace(known_model("meta-llama/Llama-2-7b-hf"), sliding_window=1024)
    assert planned(facts, InstanceType.P4DE_24XLARGE, version="1.4.5").warm_up_tokens == 4 * 1024
    assert planned(facts, InstanceType.P4DE_24XLARGE, version="2.2.0").warm_up_tokens == 2 * 4096


def test_bitsandbytes_compressed_the_output_layer_until_2_2():
    older, newer = (planned(version=version, quantize="bitsandbytes-nf4").weights for version in ("2.0.2", "2.2.0"))
    assert newer - older == pytest.approx(LLAMA.vocabulary * LLAMA.hidden * (16 - 4.127) / 8, rel=1e-3)


def test_awqs_own_kernel_holds_eight_partial_results_and_marlins_none():
    facts, limits = replace(LLAMA, quantization="awq"), {"max_input_tokens": 4000, "max_total_tokens": 4096}
    own, marlin = (
        planned(facts, version=version, max_batch_prefill_tokens=4000, **limits) for version in ("2.0.2", "2.2.0")
    )
    old_gpu = planned(facts, InstanceType.G4DN_2XLARGE, version="2.2.0", max_batch_prefill_tokens=4000, **limits)
    logits = 4000 * LLAMA.vocabulary * 2 * 1.1  # of which 2.2 keeps a third copy
    parts = 4000 * (9 - 2) * 2 * 14_336 * 2 * 1.1
    assert own.prefill - marlin.prefill == pytest.approx(parts - logits, rel=0.01)
    assert old_gpu.prefill - marlin.prefill == pytest.approx(parts, rel=0.01)


def test_kernels_that_multiply_in_half_precision_hold_a_whole_layer():
    whole = 2 * 14_336 * 4096 * 2 * 1.1
    nf4, eetq = (planned(quantize=kind).prefill for kind in ("bitsandbytes-nf4", "eetq"))
    assert nf4 - eetq == pytest.approx(whole, rel=0.01)


def test_experts_hold_one_product_and_their_answers():
    mixtral, limits = known_model("mistralai/Mixtral-8x7B-Instruct-v0.1"), {"max_batch_prefill_tokens": 4096}
    plan = planned(mixtral, InstanceType.P4DE_24XLARGE, shards=8, version="3.3.6", **limits)
    layer = 4096 * (4096 * 5 + 2 * 3 * 14_336 / 8) * 2
    assert plan.prefill == pytest.approx(layer * 1.1, rel=0.02)


def test_a_prompt_that_is_split_may_be_longer_than_the_prefill_that_fits():
    options = TgiOptions(max_input_tokens=12_000, max_total_tokens=12_001, enable_prefill_logprobs=True)
    ctx = context_for(TGI, LLAMA, InstanceType.G6_XLARGE, options, (3, 3, 6))
    roomier = replace(LLAMA, vocabulary=512_000, parameters=LLAMA.parameters)
    fitted, memory = fit_memory(replace(ctx, facts=roomier), roomier, 1)
    assert fitted.number("max_batch_prefill_tokens") == memory.prefill_tokens < 12_000
