"""Each option of TGI, on each engine: what becomes of it, and that the engine takes what is proposed."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.engines.tgi.launcher_options import OPTIONS
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.migration.migrate import TARGETS, migrate
from constructs_lib.planning.migration.options import RULES
from constructs_lib.planning.migration.outcome import Fate
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.validation.unknown import Unknown
from tests.constructs_lib.planning.migration.moved import becomes, moved, request

SET, ITSELF, DOOR, AWAY, HAND, LOST = (
    Fate.SET,
    Fate.BY_ITSELF,
    Fate.FRONT_DOOR,
    Fate.FALLS_AWAY,
    Fate.BY_HAND,
    Fate.LOST,
)
GRAPHS = {"enforce_eager": True}
NGRAMS = {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 3}
JSON_NGRAMS = '{"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 3}'

# Option, value, and for vLLM, SGLang and LMI what is set, or else the fate.
CASES: list[tuple[str, Any, Any, Any, Any]] = [
    ("num_shard", 4, ITSELF, ITSELF, ITSELF),
    ("num_shard", 2, {"tensor_parallel_size": 2}, {"tp_size": 2}, {"tensor_parallel_degree": 2}),
    ("sharded", True, ITSELF, ITSELF, ITSELF),
    ("sharded", False, {"tensor_parallel_size": 1}, {"tp_size": 1}, {"tensor_parallel_degree": 1}),
    ("quantize", "fp8", {"quantization": "fp8"}, {"quantization": "fp8"}, {"quantize": "fp8"}),
    (
        "quantize",
        "eetq",
        {"quantization": "int8_per_channel_weight_only"},
        {"quantization": "fp8"},
        {"quantize": "fp8"},
    ),
    (
        "quantize",
        "bitsandbytes",
        {"quantization": "int8_per_channel_weight_only"},
        {"quantization": "fp8"},
        {"quantize": "fp8"},
    ),
    ("quantize", "bitsandbytes-nf4", LOST, {"quantization": "bitsandbytes"}, {"quantize": "bitsandbytes"}),
    ("quantize", "bitsandbytes-fp4", LOST, {"quantization": "bitsandbytes"}, {"quantize": "bitsandbytes"}),
    ("dtype", "float16", {"dtype": "float16"}, {"dtype": "float16"}, {"dtype": "fp16"}),
    ("dtype", "bfloat16", {"dtype": "bfloat16"}, {"dtype": "bfloat16"}, {"dtype": "bf16"}),
    (
        "kv_cache_dtype",
        "fp8_e4m3fn",
        {"kv_cache_dtype": "fp8_e4m3"},
        {"kv_cache_dtype": "fp8_e4m3"},
        {"kv_cache_dtype": "fp8_e4m3"},
    ),
    (
        "kv_cache_dtype",
        "fp8_e5m2",
        {"kv_cache_dtype": "fp8_e5m2"},
        {"kv_cache_dtype": "fp8_e5m2"},
        {"kv_cache_dtype": "fp8_e5m2"},
    ),
    (
        "speculate",
        3,
        {"speculative_config": NGRAMS},
        {"speculative_algorithm": "NGRAM", "speculative_num_draft_tokens": 3},
        {"speculative_config": JSON_NGRAMS},
    ),
    ("speculate", 0, ITSELF, ITSELF, ITSELF),
    ("trust_remote_code", True, *[{"trust_remote_code": True}] * 3),
    ("trust_remote_code", False, ITSELF, ITSELF, ITSELF),
    ("max_input_tokens", 4096, AWAY, AWAY, AWAY),
    ("max_total_tokens", 8192, {"max_model_len": 8192}, {"context_length": 8192}, {"max_model_len": 8192}),
    (
        "max_batch_prefill_tokens",
        4096,
        {"max_num_batched_tokens": 4096},
        {"chunked_prefill_size": 4096},
        {"max_rolling_batch_prefill_tokens": 4096},
    ),
    ("max_batch_prefill_tokens", 40_000, ITSELF, ITSELF, ITSELF),
    ("max_batch_total_tokens", 50_000, AWAY, {"max_total_tokens": 50_000}, AWAY),
    ("max_batch_size", 64, {"max_num_seqs": 64}, {"max_running_requests": 64}, {"max_rolling_batch_size": 64}),
    ("max_concurrent_requests", 200, {"max_num_queued_reqs": 200}, {"max_queued_requests": 200}, LOST),
    ("max_waiting_tokens", 10, AWAY, AWAY, AWAY),
    ("waiting_served_ratio", 0.5, AWAY, AWAY, AWAY),
    ("max_best_of", 1, AWAY, AWAY, AWAY),
    ("max_best_of", 2, DOOR, AWAY, DOOR),
    ("max_best_of", 4, LOST, AWAY, LOST),
    ("max_stop_sequences", 4, DOOR, AWAY, DOOR),
    ("max_stop_sequences", 8, LOST, AWAY, LOST),
    ("max_top_n_tokens", 5, ITSELF, AWAY, ITSELF),
    ("max_top_n_tokens", 50, {"max_logprobs": 50}, AWAY, {"max_logprobs": 50}),
    ("max_client_batch_size", 32, AWAY, AWAY, AWAY),
    ("validation_workers", 4, AWAY, AWAY, AWAY),
    ("cuda_graphs", [], GRAPHS, {"disable_cuda_graph": True}, GRAPHS),
    ("cuda_graphs", [1, 2], ITSELF, ITSELF, ITSELF),
    ("cuda_memory_fraction", 1.0, ITSELF, ITSELF, ITSELF),
    (
        "cuda_memory_fraction",
        0.5,
        {"gpu_memory_utilization": 0.46},
        {"mem_fraction_static": 0.4},
        {"gpu_memory_utilization": 0.46},
    ),
    (
        "tgi_wiggle_room",
        0.95,
        {"gpu_memory_utilization": 0.95},
        {"mem_fraction_static": 0.85},
        {"gpu_memory_utilization": 0.95},
    ),
    ("attention", "flashinfer", ITSELF, ITSELF, ITSELF),
    ("prefix_caching", True, ITSELF, ITSELF, ITSELF),
    (
        "prefix_caching",
        False,
        {"enable_prefix_caching": False},
        {"disable_radix_cache": True},
        {"enable_prefix_caching": False},
    ),
    ("prefill_chunking", True, ITSELF, ITSELF, ITSELF),
    ("prefill_chunking", False, AWAY, AWAY, AWAY),
    ("disable_custom_kernels", True, AWAY, AWAY, AWAY),
    ("rope_scaling", "linear", HAND, HAND, HAND),
    ("rope_factor", 2.0, HAND, HAND, HAND),
    ("lora_adapters", ["team/sql"], HAND, {"lora_paths": ["team/sql=team/sql"]}, HAND),
    ("lora_adapters", ["sql=/opt/ml/sql"], HAND, {"lora_paths": ["sql=/opt/ml/sql"]}, HAND),
    ("lora_adapters", ["team/sql", "team/json"], HAND, LOST, HAND),
    ("lora_adapters", ["team/sql@main"], HAND, LOST, HAND),
    ("disable_grammar_support", True, AWAY, {"grammar_backend": "none"}, AWAY),
    ("disable_grammar_support", False, ITSELF, ITSELF, ITSELF),
    ("enable_prefill_logprobs", True, ITSELF, ITSELF, ITSELF),
    ("tokenizer_config_path", "/opt/ml/model/chat.json", HAND, HAND, HAND),
    ("payload_limit", 1_000_000, DOOR, DOOR, DOOR),
    ("messages_api_enabled", True, ITSELF, ITSELF, ITSELF),
    ("usage_stats", "off", ITSELF, ITSELF, ITSELF),
    ("usage_stats", "on", AWAY, AWAY, AWAY),
    ("watermark_gamma", 0.25, LOST, LOST, LOST),
    ("watermark_delta", 1.0, LOST, LOST, LOST),
    ("huggingface_hub_cache", "/tmp", ITSELF, ITSELF, ITSELF),
    ("weights_cache_override", "/opt/weights", HAND, HAND, HAND),
    ("json_output", True, LOST, LOST, LOST),
    ("json_output", False, ITSELF, ITSELF, ITSELF),
    ("log_level", "warn", {"log_level": "warning"}, {"log_level": "warning"}, AWAY),
    ("log_level", "info", {"log_level": "info"}, {"log_level": "info"}, ITSELF),
    (
        "otlp_endpoint",
        "http://collector:4317",
        {"otlp_traces_endpoint": "http://collector:4317"},
        {"extra_args": {"enable_trace": "true", "otlp_traces_endpoint": "http://collector:4317"}},
        {"extra_args": {"otlp_traces_endpoint": "http://collector:4317"}},
    ),
    ("otlp_service_name", "llama", SET, SET, SET),
    ("cors_allow_origin", "https://example.com", AWAY, AWAY, AWAY),
    ("prometheus_port", 9100, AWAY, AWAY, AWAY),
    ("graceful_termination_timeout", 20, {"shutdown_timeout": 20}, AWAY, AWAY),
    ("graceful_termination_timeout", 90, {"shutdown_timeout": 30}, AWAY, AWAY),
    ("shard_uds_path", "/tmp/shard", AWAY, AWAY, AWAY),
    ("master_addr", "localhost", AWAY, AWAY, AWAY),
    ("master_port", 29500, AWAY, AWAY, AWAY),
]
LIMITS = {"max_input_tokens": 4096, "max_total_tokens": 8192}
ADDED = {"rope_factor": {"rope_scaling": "linear"}}


@pytest.mark.parametrize(
    ("option", "value", "to", "expected"),
    [(case[0], case[1], to, case[2 + position]) for case in CASES for position, to in enumerate(TARGETS)],
    ids=str,
)
def test_an_option_has_a_counterpart_that_the_engine_takes_or_a_reason(
    option: str, value: Any, to: str, expected: Any
) -> None:
    options = TgiOptions(**(LIMITS | ADDED.get(option, {}) | {option: value}))
    migration = moved(to, options)
    assert migration.old.problems == ()
    found = becomes(migration, option)
    if isinstance(expected, dict):
        assert (found.fate, found.settings) == (SET, expected)
    else:
        assert found.fate is expected
        assert found.reason
        assert not found.settings
    assert migration.problems == ()
    assert (option in [one.option for one in migration.lost]) is (expected is LOST)


def test_every_option_of_tgi_has_a_case_and_a_rule_on_every_engine() -> None:
    names = {option.keyword for option in OPTIONS}
    assert {case[0] for case in CASES} == names
    for to in TARGETS:
        assert RULES[to].keys() == names, to


def test_an_exl2_model_is_lost_as_only_tgi_reads_it() -> None:
    options = TgiOptions(quantize="exl2")
    model = ModelChoice(source="s3", like="meta-llama/Llama-3.1-8B-Instruct", bucket="weights")
    assert becomes(moved("vllm", options, model=model), "quantize").reason == (
        "Only TGI reads EXL2 here. vLLM reads AWQ and GPTQ weights of as many bits."
    )


def test_weights_that_say_how_they_are_compressed_need_no_option() -> None:
    model = ModelChoice(source="hub", hub_id="TheBloke/Mistral-7B-Instruct-v0.2-AWQ")
    for to in TARGETS:
        assert becomes(moved(to, TgiOptions(quantize="awq"), model=model), "quantize").fate is ITSELF


@pytest.mark.parametrize(
    ("instance", "kind"), [(InstanceType.G5_12XLARGE, "awq_marlin"), (InstanceType.G4DN_12XLARGE, "awq")]
)
def test_weights_of_ones_own_keep_their_compression_with_the_fastest_kernels(instance: InstanceType, kind: str) -> None:
    model = ModelChoice(source="s3", like="mistralai/Mistral-7B-Instruct-v0.2", bucket="weights")
    migration = moved("vllm", TgiOptions(quantize="awq", max_total_tokens=4096), model=model, instance=instance)
    assert becomes(migration, "quantize").settings == {"quantization": kind}
    assert migration.new.memory is not None
    assert migration.new.memory.weights < 3 * 2**30


@pytest.mark.parametrize("to", TARGETS)
def test_what_the_plan_of_tgi_sets_is_listed_as_well(to: str) -> None:
    model = ModelChoice(source="hub", hub_id="TheBloke/Mistral-7B-Instruct-v0.2-AWQ")
    migration = moved(to, model=model, instance=InstanceType.G4DN_12XLARGE)
    planned = {one.option: one.becomes.fate for one in migration.outcomes if not one.given and one.value is not None}
    assert planned == {
        "num_shard": ITSELF,
        "quantize": ITSELF,
        "attention": ITSELF,
        "payload_limit": DOOR,
        "usage_stats": ITSELF,
        "huggingface_hub_cache": ITSELF,
    } | {name: fate for name, fate in planned.items() if name.startswith("max_")}


@pytest.mark.parametrize("to", TARGETS)
def test_a_value_that_only_the_deployment_knows_is_left_to_its_owner(to: str) -> None:
    options = TgiOptions(max_concurrent_requests=Unknown("${Token[1]}"))  # type: ignore[arg-type]
    assert becomes(moved(to, options), "max_concurrent_requests").fate is HAND


def test_what_the_new_engine_refuses_is_lost_with_its_reason() -> None:
    falcon = ModelChoice(source="hub", hub_id="tiiuae/falcon-7b-instruct")
    migration = moved("sglang", TgiOptions(max_total_tokens=6000), model=falcon, instance=InstanceType.G5_2XLARGE)
    assert becomes(migration, "max_total_tokens").reason == (
        "`context_length=6000` must be at most 2048, the longest context of tiiuae/falcon-7b-instruct."
    )
    assert migration.problems == ()
    assert "context_length" not in str(migration.target.options).partition("None")[0]


def test_variables_stay_where_the_new_engine_reads_them() -> None:
    environment = {
        "HF_ENDPOINT": "https://mirror.example.com",
        "MY_OWN": "1",
        "OPTION_ROLLING_BATCH": "auto",
        "USE_FLASH_ATTENTION": "true",
    }
    migration = moved("lmi", environment=environment)
    fates = {name: becomes(migration, f"environment[{name!r}]") for name in environment}
    assert {name: one.fate for name, one in fates.items()} == {
        "HF_ENDPOINT": SET,
        "MY_OWN": SET,
        "OPTION_ROLLING_BATCH": AWAY,
        "USE_FLASH_ATTENTION": AWAY,
    }
    assert migration.target.environment == {"HF_ENDPOINT": "https://mirror.example.com", "MY_OWN": "1"}
    assert fates["OPTION_ROLLING_BATCH"].reason.startswith("TGI does not read it")


def test_another_cache_folder_becomes_a_variable() -> None:
    migration = moved("vllm", TgiOptions(huggingface_hub_cache="/cache"))
    assert becomes(migration, "huggingface_hub_cache").variables == {"HF_HOME": "/cache"}
    assert migration.problems == ()
    assert migration.new.environment["HF_HOME"] == "/cache"


def test_there_is_no_way_from_or_to_another_engine() -> None:
    with pytest.raises(ValueError, match="there is no way from tgi to tgi-neuron"):
        migrate(request(), engine_named("tgi-neuron"))
