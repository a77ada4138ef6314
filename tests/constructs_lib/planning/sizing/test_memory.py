"""The memory plan: each part of it, calculated by hand."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import Quantization, TgiOptions
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import known_model
from constructs_lib.planning.sizing.memory import memory_plan

LLAMA = known_model("meta-llama/Llama-3.1-8B-Instruct")


def planned(model=LLAMA, instance=InstanceType.G5_2XLARGE, shards=1, version="3.3.6", **options):
    facts = known_model(model) if isinstance(model, str) else model
    return memory_plan(TGI, facts, instance, TgiOptions(**options), version, shards)


def test_weights_are_two_bytes_a_parameter_whatever_type_was_published():
    assert planned().weights == 8_030_000_000 * 2
    assert planned("google/flan-t5-xxl").weights == 11_140_000_000 * 2


def test_gpus_share_the_weights():
    assert planned("meta-llama/Llama-3.3-70B-Instruct", shards=8).weights == 70_550_000_000 * 2 // 8


def test_tied_embeddings_are_loaded_twice():
    tied = known_model("google/gemma-2-9b-it")
    assert planned(tied).weights == 2 * (tied.parameters + tied.vocabulary * tied.hidden)


def test_each_gpu_holds_the_whole_output_layer_where_the_vocabulary_cannot_be_shared():
    even, odd = LLAMA, replace(LLAMA, vocabulary=LLAMA.vocabulary + 1)
    whole = LLAMA.vocabulary * LLAMA.hidden * 2
    assert planned(odd, shards=4).weights - planned(even, shards=4).weights == pytest.approx(whole * 3 / 4, rel=1e-3)


@pytest.mark.parametrize(
    ("quantize", "share"),
    [("fp8", 0.5), ("eetq", 0.5), ("bitsandbytes", 0.5), ("bitsandbytes-nf4", 0.258), ("bitsandbytes-fp4", 0.258)],
)
def test_compression_applies_to_the_layers_but_not_to_the_embeddings(quantize, share):
    table = 2 * LLAMA.vocabulary * LLAMA.hidden * 2
    layers = LLAMA.parameters * 2 - table
    assert planned(quantize=quantize).weights == pytest.approx(table + layers * share, rel=0.01)


def test_compressing_while_loading_does_not_shrink_what_is_downloaded():
    assert planned(quantize="eetq").download == planned().download == 16_060_000_000


def test_weights_that_were_published_compressed_are_as_large_as_published():
    published = replace(LLAMA, quantization="awq", weight_bytes=5_700_000_000)
    assert planned(published).weights == published.weight_bytes
    assert planned(published).download == 5_700_000_000


def test_weights_that_were_published_compressed_are_downloaded_compressed():
    # The repository hugging-quants/Meta-Llama-3.1-8B-Instruct-AWQ-INT4 has 5.73 GB: embeddings are not compressed.
    assert planned(replace(LLAMA, quantization="awq")).download == pytest.approx(5.73e9, rel=0.02)
    with_all_kinds = [replace(LLAMA, quantization=kind).checkpoint_bytes for kind in Quantization]
    assert max(with_all_kinds) < LLAMA.checkpoint_bytes


def test_a_head_may_keep_more_than_its_own_width():
    wide = planned(replace(LLAMA, cache_width=192)).kv_bytes_per_token
    assert wide == planned().kv_bytes_per_token * 192 / LLAMA.head_dim


def test_a_float8_checkpoint_stays_float8():
    assert planned(replace(LLAMA, checkpoint_dtype="float8")).weights == planned(quantize="fp8").weights


@pytest.mark.parametrize(
    ("model", "shards", "kib"),
    [
        (LLAMA, 1, 128),
        (LLAMA, 4, 32),
        ("bigcode/starcoder", 1, 20),
        ("bigcode/starcoder", 4, 20),  # one head, of which each GPU has a copy
        ("tiiuae/falcon-40b", 8, 15),
        ("facebook/opt-66b", 8, 2 * 288),  # held twice while a token is added
    ],
)
def test_keys_and_values_of_a_token(model, shards, kib):
    assert planned(model, shards=shards).kv_bytes_per_token == kib * 1024


def test_an_fp8_cache_needs_half():
    assert planned(kv_cache_dtype="fp8_e4m3fn").kv_bytes_per_token == 64 * 1024


@pytest.mark.parametrize(
    ("changes", "tokens"),
    [
        ({}, 8315),  # 125 TFLOPS by the operations of a token
        ({"instance": InstanceType.G6_2XLARGE}, 8049),
        ({"instance": InstanceType.G4DN_2XLARGE, "model": "meta-llama/Llama-3.2-1B-Instruct"}, 4096),  # unknown card
        ({"model": "mistralai/Mistral-7B-Instruct-v0.3"}, 8315),
        ({"model": "google/gemma-2-9b-it", "instance": InstanceType.G6E_XLARGE}, 8192),  # its longest context
        ({"model": "meta-llama/Llama-3.3-70B-Instruct", "instance": InstanceType.G6_12XLARGE, "shards": 4}, 3278),
        ({"model": "bigscience/bloom-560m"}, 4096),
        ({"model": "google/flan-t5-xxl"}, 512),
        ({"model": "google/gemma-3-4b-it"}, 8000),
        ({"version": "2.4.0"}, 4145),
        ({"version": "2.4.0", "max_input_tokens": 1000, "max_total_tokens": 2000}, 1050),
        ({"version": "1.4.5"}, 4096),
        ({"max_batch_prefill_tokens": 777}, 777),
        ({"model": "bigscience/bloom-560m", "max_input_tokens": 5000, "max_total_tokens": 6000}, 5000),
    ],
)
def test_the_prefill_is_what_tgis_launcher_makes_of_it(changes, tokens):
    assert planned(**changes).prefill_tokens == tokens


def test_the_launchers_prefill_is_cut_to_what_it_estimates_to_fit():
    full = planned("meta-llama/Llama-3.3-70B-Instruct", InstanceType.G6E_12XLARGE, 4).prefill_tokens
    cut = planned("meta-llama/Llama-3.3-70B-Instruct", InstanceType.G6E_12XLARGE, 4, cuda_memory_fraction=0.72)
    # (4 · 46068 MiB · 0.72 · 0.95 - 127.7 GB of weights) / 585,728 bytes a token, all as the launcher estimates them
    assert (full, cut.prefill_tokens) == (9834, 7648)


def test_the_warm_up_reserves_the_longest_answer_for_each_of_its_prompts():
    limits = {"max_input_tokens": 1000, "max_total_tokens": 5000, "max_batch_prefill_tokens": 2500}
    assert planned(**limits).warm_up_tokens == 3 * 4999


def test_activations_grow_with_the_prefill_and_shrink_with_the_gpus():
    one, half, four = (
        planned(),
        planned(max_batch_prefill_tokens=4157),
        planned(shards=4, max_batch_prefill_tokens=8315),
    )
    assert one.prefill == pytest.approx(2 * half.prefill, rel=0.01)
    assert one.prefill / 4 < four.prefill < one.prefill / 2


def test_probabilities_of_the_prompt_need_the_logits_of_all_its_tokens():
    extra = planned(enable_prefill_logprobs=True).prefill - planned().prefill
    assert extra > 8315 * LLAMA.vocabulary * 2
    assert planned(version="2.2.0", max_batch_prefill_tokens=8315).prefill > planned().prefill + extra


def test_models_without_flash_attention_hold_full_matrices_of_scores():
    limits = {"max_total_tokens": 2000, "max_batch_prefill_tokens": 1024}
    long = planned("bigscience/bloom-7b1", max_input_tokens=1024, **limits)
    short = planned("bigscience/bloom-7b1", max_input_tokens=256, **limits)
    assert long.prefill - short.prefill > 32 * (1024**2 - 4 * 256**2) * 10


def test_usable_is_what_cuda_sees_times_the_share_that_tgi_fills():
    assert planned().usable / GIB == pytest.approx(21.99 * 0.90)
    assert planned(cuda_memory_fraction=0.5, tgi_wiggle_room=0.8).usable / GIB == pytest.approx(21.99 * 0.5 * 0.8)
    assert planned(version="3.0.1").usable / GIB == pytest.approx(21.99 * 0.95)
    assert planned(version="3.2.3").usable / GIB == pytest.approx(21.99 * 0.93)


def test_what_is_left_holds_the_tokens():
    plan = planned()
    assert plan.free_for_tokens == plan.usable - plan.weights - plan.runtime - plan.prefill
    assert plan.max_tokens == plan.free_for_tokens // (128 * 1024) == 24_535
    assert plan.context == plan.max_tokens  # less than the model's 131072
    assert (plan.fits, plan.shortfall) == (True, 0)


def test_the_context_ends_where_the_model_or_the_limit_does():
    roomy = InstanceType.P5_4XLARGE
    assert planned(instance=roomy).context == 131_072
    assert planned(instance=roomy, max_input_tokens=4095, max_total_tokens=4096).context == 4096
    # Without prefill chunking TGI takes it from the warm-up.
    assert planned(instance=roomy, speculate=2, max_batch_prefill_tokens=5000).context == 5000


@pytest.mark.parametrize(("tokens", "served"), [(24_535, 1), (12_267, 2), (1000, 24), (24_536, 0), (0, 0)])
def test_concurrent_requests(tokens, served):
    assert planned().concurrent_requests(tokens) == served


def test_a_model_that_is_too_large_is_short_of_what_its_parts_exceed():
    plan = planned("meta-llama/Llama-3.3-70B-Instruct")
    assert not plan.fits
    assert plan.max_tokens == plan.warm_up_tokens  # what TGI would start with, if it could
    assert plan.shortfall >= plan.weights + plan.runtime + plan.prefill - plan.gpu_memory > 0
    assert plan.spare < 0


def test_a_limit_that_does_not_fit_is_short_of_its_keys_and_values():
    plan = planned(max_input_tokens=59_999, max_total_tokens=60_000, max_batch_prefill_tokens=2048)
    # TGI 3 fills nine tenths of the GPU, and its warm-up holds one token less than such a request.
    assert plan.shortfall == plan.fixed + 60_000 * plan.kv_bytes_per_token - plan.usable


def test_tokens_that_the_warm_up_held_are_served_however_little_is_left():
    limits = {"max_input_tokens": 4000, "max_total_tokens": 8000, "max_batch_prefill_tokens": 16_000}
    plan = planned(version="2.0.2", **limits)
    assert plan.min_tokens == plan.warm_up_tokens == 4 * 8000
    assert plan.slack == plan.gpu_memory - (
        plan.weights + plan.runtime + plan.peak + plan.warm_up_tokens * plan.kv_bytes_per_token
    )


def test_what_a_prefill_leaves_allocated_is_given_back_before_memory_runs_out():
    plan = planned(version="2.4.0", max_input_tokens=8000, max_total_tokens=8001, max_batch_prefill_tokens=8000)
    logits, hidden = 8000 * LLAMA.vocabulary * 2, 8000 * LLAMA.hidden * 2
    assert plan.peak == pytest.approx((logits + 2 * hidden) * 1.1, rel=0.01)
    assert plan.prefill == pytest.approx((logits + 8000 * (3 * LLAMA.hidden + 4 * 14_336) * 2) * 1.1, rel=0.01)


def test_a_shortfall_within_the_estimates_uncertainty_makes_a_model_tight_but_not_too_large():
    def judged(tokens):
        plan = planned(max_input_tokens=tokens - 1, max_total_tokens=tokens, max_batch_prefill_tokens=2048)
        return plan.fits, plan.is_tight, plan.is_too_large

    roomy = planned(max_input_tokens=9999, max_total_tokens=10_000, max_batch_prefill_tokens=2048)
    assert roomy.uncertainty == int(roomy.gpu_memory * 0.045)
    most, margin = roomy.free_for_tokens // roomy.kv_bytes_per_token, roomy.uncertainty // roomy.kv_bytes_per_token
    assert judged(most - margin - 2) == (True, False, False)
    assert judged(most - margin + 2) == judged(most - 1) == (True, True, False)
    assert judged(most + 2) == judged(most + margin - 2) == (False, True, False)
    assert judged(most + margin + 2) == (False, False, True)


def test_a_model_without_flash_attention_is_short_of_all_that_exceeds_the_gpu():
    limits = {"max_input_tokens": 1000, "max_total_tokens": 2000, "max_batch_prefill_tokens": 1000}
    plan = planned("facebook/opt-66b", InstanceType.G5_12XLARGE, 4, **limits)
    assert plan.free_for_tokens < 0 < plan.warm_up_tokens
    assert plan.shortfall == plan.asked_tokens * plan.kv_bytes_per_token - plan.free_for_tokens


def test_a_requested_batch_of_a_model_without_flash_attention_has_to_fit():
    limits = {"max_input_tokens": 1000, "max_total_tokens": 2000, "max_batch_prefill_tokens": 1000}
    small = planned("facebook/opt-66b", InstanceType.G5_48XLARGE, 8, **limits)
    large = planned("facebook/opt-66b", InstanceType.G5_48XLARGE, 8, max_batch_total_tokens=20_000, **limits)
    assert (small.fits, large.fits) == (True, False)


def test_loading_holds_a_layer_twice_and_never_the_full_weights():
    few_words, layer = replace(LLAMA, vocabulary=1024), 2 * 14_336 * 4096 * 2
    output = few_words.vocabulary * few_words.hidden * 2
    for quantize, copies in ((None, 1), ("eetq", 2)):
        plan = planned(few_words, quantize=quantize)
        assert plan.loading_peak == plan.weights - output + plan.runtime + copies * layer


def test_loading_needs_no_room_for_the_output_layer_that_comes_last():
    plan = planned()
    assert plan.loading_peak == plan.weights + plan.runtime


def test_the_host_holds_a_process_for_each_gpu():
    one, four = planned().host_peak, planned(shards=4).host_peak
    assert 4 * GIB < one < 8 * GIB
    assert four - one == pytest.approx(3 * 2.5 * GIB)  # the tensors are shared


def test_a_gpu_of_unpublished_memory_and_an_incomplete_version_are_errors():
    with pytest.raises(ValueError, match=r"the memory of the GPUs of ml\.p6e-gb200\.36xlarge is not known"):
        planned(instance=InstanceType.P6E_GB200_36XLARGE)
    with pytest.raises(ValueError, match=r"'3\.3' is not a full version"):
        planned(version="3.3")
