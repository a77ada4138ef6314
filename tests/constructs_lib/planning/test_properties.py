"""What holds for every plan, tried with random models, GPUs and options."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import Attention, Dtype, KvCacheDtype, Quantization, TgiOptions
from constructs_lib.planning.hardware.gpu_memory import visible_bytes
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice, known_model, known_models
from constructs_lib.planning.plan import EndpointRequest, plan
from constructs_lib.planning.sizing.candidates import candidate
from tests.constructs_lib.planning.engines.tgi.start_rules import faults

# By name: an InstanceType in a message of hypothesis would have all the others in it, its class attributes.
MODELS = [facts.hub_id for facts in known_models()]
GPUS = [one.name for one in InstanceType.all() if one.is_gpu and one.memory_gib and one.architecture == "x86_64"]
ON_THE_FLY = (None, Quantization.FP8, Quantization.EETQ, Quantization.BITSANDBYTES_NF4)

quick = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
tokens = st.integers(2, 140_000)


CHOICES = {
    "quantize": st.sampled_from([*ON_THE_FLY, *Quantization]),
    "dtype": st.sampled_from(list(Dtype)),
    "kv_cache_dtype": st.sampled_from(list(KvCacheDtype)),
    "num_shard": st.sampled_from([1, 2, 4, 8]),
    "sharded": st.booleans(),
    "speculate": st.sampled_from([0, 2]),
    "attention": st.sampled_from(list(Attention)),
    "prefix_caching": st.booleans(),
    "prefill_chunking": st.booleans(),
    "enable_prefill_logprobs": st.booleans(),
    "cuda_memory_fraction": st.sampled_from([0.5, 0.9, 1.0]),
    "trust_remote_code": st.booleans(),
    "max_batch_prefill_tokens": tokens,
    "max_batch_total_tokens": tokens,
    "max_total_tokens": tokens,
    "max_input_tokens": tokens,
}


@st.composite
def options(draw):
    """A few options that change what fits or what starts; some contradict each other."""
    chosen = draw(st.sets(st.sampled_from(sorted(CHOICES)), max_size=3))
    values = {keyword: draw(CHOICES[keyword]) for keyword in sorted(chosen)}
    if draw(st.booleans()):
        values["max_total_tokens"] = draw(st.integers(2, 40_000))
        values["max_input_tokens"] = draw(st.integers(1, values["max_total_tokens"]))
    return TgiOptions(**values)


def planned(hub_id, instance, chosen):
    model = ModelChoice(source="hub", hub_id=hub_id, has_token=True)
    return plan(EndpointRequest(engine=TGI, model=model, instance=InstanceType.named(instance), options=chosen))


@settings(quick, max_examples=400)
@given(st.sampled_from(MODELS), st.sampled_from(GPUS), options())
def test_every_option_set_that_is_accepted_keeps_tgis_own_rules(hub_id, instance, chosen):
    result = planned(hub_id, instance, chosen)
    if not result.problems:
        facts, gpus = known_model(hub_id), InstanceType.named(instance).accelerator_count
        assert faults(result.environment, facts.model_type, facts.heads, facts.kv_heads, gpus) == []


def result_number(result, variable, otherwise=0):
    return int(result.environment.get(variable, otherwise))


@settings(quick, max_examples=400)
@given(st.sampled_from(MODELS), st.sampled_from(GPUS), options())
def test_a_plan_that_fits_never_exceeds_any_gpu(hub_id, instance, chosen):
    result = planned(hub_id, instance, chosen)
    if result.problems:
        return
    memory = result.memory
    assert not memory.is_too_large
    if not memory.fits:
        assert "tgi-endpoint:tightMemory" in {warning.id for warning in result.warnings}
        return
    most_tokens = max(memory.max_tokens, memory.asked_tokens, memory.warm_up_tokens)
    assert memory.asked_tokens <= memory.max_tokens
    assert memory.context <= memory.max_tokens
    assert (
        memory.fixed + most_tokens * memory.kv_bytes_per_token
        <= memory.gpu_memory
        <= visible_bytes(InstanceType.named(instance))
    )
    assert memory.loading_peak <= memory.gpu_memory
    if memory.static:  # TGI does not measure then: its batch is the one that is set, else this default
        own = max(16_000, result_number(result, "MAX_TOTAL_TOKENS"), memory.prefill_tokens)
        assert result_number(result, "MAX_BATCH_TOTAL_TOKENS", own) <= memory.max_tokens


def memory_of(facts, instance, asked, kind, *, num_shard=None):
    options = TgiOptions(quantize=kind, num_shard=num_shard)
    return candidate(facts, InstanceType.named(instance), engine=TGI, tokens=asked, options=options).memory


def fits(facts, instance, asked, kind, *, num_shard=None):
    memory = memory_of(facts, instance, asked, kind, num_shard=num_shard)
    return memory is not None and memory.fits


@quick
@given(
    st.data(), st.sampled_from(MODELS), st.sampled_from(GPUS), st.sampled_from(ON_THE_FLY), st.integers(256, 131_072)
)
def test_fewer_tokens_never_turn_a_fit_into_a_misfit(data, hub_id, instance, kind, asked):
    facts = known_model(hub_id)
    if fits(facts, instance, asked, kind):
        assert fits(facts, instance, data.draw(st.integers(256, asked)), kind)


@quick
@given(st.data(), st.sampled_from(MODELS), st.sampled_from(GPUS), st.sampled_from(ON_THE_FLY), st.integers(2, 131_072))
def test_more_gpus_never_turn_a_fit_into_a_misfit(data, hub_id, instance, kind, asked):
    facts, gpus = known_model(hub_id), InstanceType.named(instance).accelerator_count
    possible = [n for n in (1, 2, 4, 8) if n <= gpus]
    fewer = data.draw(st.sampled_from(possible))
    more = data.draw(st.sampled_from([n for n in possible if n >= fewer]))
    shared = memory_of(facts, instance, asked, kind, num_shard=more)
    if fits(facts, instance, asked, kind, num_shard=fewer) and shared is not None:
        assert shared.fits


@quick
@given(st.data(), st.sampled_from(MODELS), st.sampled_from(GPUS), st.sampled_from(ON_THE_FLY), st.integers(2, 131_072))
def test_smaller_models_never_turn_a_fit_into_a_misfit(data, hub_id, instance, kind, asked):
    facts = known_model(hub_id)
    layers = data.draw(st.integers(1, facts.layers))
    table = facts.vocabulary * facts.hidden * (1 if facts.tied_embeddings else 2)
    parameters = table + (facts.parameters - table) * layers // facts.layers
    if fits(facts, instance, asked, kind):
        assert fits(replace(facts, layers=layers, parameters=parameters), instance, asked, kind)


@quick
@given(st.sampled_from(MODELS), st.sampled_from(GPUS), st.integers(2, 32_768))
def test_the_settings_of_a_candidate_make_a_plan_without_problems(hub_id, instance, asked):
    found = candidate(known_model(hub_id), InstanceType.named(instance), engine=TGI, tokens=asked)
    if found.fits:
        result = planned(hub_id, instance, TgiOptions(**found.settings))
        assert (result.problems, result.num_shard) == ((), found.num_shard)
        served = result.memory.max_tokens // asked
        assert (max(1, served) if result.memory.is_tight else served) == found.concurrency


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SHARDED": "True"}, "no boolean"),
        ({"MAX_TOTAL_TOKENS": ""}, "no number"),
        ({"DTYPE": "BF16"}, "none of"),
        ({"MAX_INPUT_TOKENS": "10", "MAX_TOTAL_TOKENS": "10"}, "must be <"),
        ({"MAX_TOTAL_TOKENS": "10"}, "wraps around"),
        ({"MAX_TOTAL_TOKENS": "11", "MAX_INPUT_TOKENS": "10", "MAX_BATCH_TOTAL_TOKENS": "10"}, "must be <="),
        ({"DTYPE": "float16", "HF_MODEL_QUANTIZE": "eetq"}, "excludes"),
        ({"SM_NUM_GPUS": "8"}, "one GPU"),
        ({"SM_NUM_GPUS": "3"}, "divisible"),
    ],
)
def test_the_independent_rules_find_faults(changes, words):
    environment = {"HF_MODEL_ID": "a/b", "SM_NUM_GPUS": "1"} | changes
    assert any(words in fault for fault in faults(environment, "llama", 32, 8, 4))
