"""Every launcher option: its variable, its versions, its wrong values."""

from dataclasses import fields

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.launcher_options import OPTIONS
from constructs_lib.planning.engines.tgi.options import (
    Attention,
    Dtype,
    KvCacheDtype,
    LogLevel,
    Quantization,
    RopeScaling,
    TgiOptions,
    UsageStats,
)
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import parse_version

# keyword → a value, its variable, the variable's text, and the first of AWS's versions that has it.
WRITTEN = {
    "num_shard": (1, "SM_NUM_GPUS", "1", "0.6.0"),
    "sharded": (False, "SHARDED", "false", "0.6.0"),
    "quantize": (Quantization.AWQ, "HF_MODEL_QUANTIZE", "awq", "1.1.0"),
    "dtype": (Dtype.BFLOAT16, "DTYPE", "bfloat16", "0.9.3"),
    "kv_cache_dtype": (KvCacheDtype.FP8_E4M3FN, "KV_CACHE_DTYPE", "fp8_e4m3fn", "2.4.0"),
    "speculate": (2, "SPECULATE", "2", "1.3.1"),
    "trust_remote_code": (True, "HF_MODEL_TRUST_REMOTE_CODE", "true", "0.9.3"),
    "max_batch_prefill_tokens": (512, "MAX_BATCH_PREFILL_TOKENS", "512", "0.9.3"),
    "max_batch_total_tokens": (8192, "MAX_BATCH_TOTAL_TOKENS", "8192", "0.8.2"),
    "max_concurrent_requests": (64, "MAX_CONCURRENT_REQUESTS", "64", "0.6.0"),
    "max_waiting_tokens": (10, "MAX_WAITING_TOKENS", "10", "0.6.0"),
    "waiting_served_ratio": (1.2, "WAITING_SERVED_RATIO", "1.2", "0.8.2"),
    "max_best_of": (1, "MAX_BEST_OF", "1", "0.6.0"),
    "max_stop_sequences": (8, "MAX_STOP_SEQUENCES", "8", "0.6.0"),
    "max_top_n_tokens": (0, "MAX_TOP_N_TOKENS", "0", "1.0.3"),
    "max_client_batch_size": (8, "MAX_CLIENT_BATCH_SIZE", "8", "2.0.1"),
    "validation_workers": (4, "VALIDATION_WORKERS", "4", "0.9.3"),
    "cuda_graphs": ([1, 2, 4], "CUDA_GRAPHS", "1,2,4", "2.0.0"),
    "cuda_memory_fraction": (0.8, "CUDA_MEMORY_FRACTION", "0.8", "1.0.3"),
    "tgi_wiggle_room": (0.93, "TGI_WIGGLE_ROOM", "0.93", "2.3.1"),
    "attention": (Attention.FLASHDECODING, "ATTENTION", "flashdecoding", "2.3.1"),
    "prefill_chunking": (True, "PREFILL_CHUNKING", "true", "2.4.0"),
    "disable_custom_kernels": (True, "DISABLE_CUSTOM_KERNELS", "true", "0.6.0"),
    "rope_scaling": (RopeScaling.DYNAMIC, "ROPE_SCALING", "dynamic", "1.0.3"),
    "rope_factor": (2, "ROPE_FACTOR", "2", "1.0.3"),
    "lora_adapters": (("a/b@main", "c=/opt/ml/model/c"), "LORA_ADAPTERS", "a/b@main,c=/opt/ml/model/c", "2.2.0"),
    "disable_grammar_support": (True, "DISABLE_GRAMMAR_SUPPORT", "true", "1.4.2"),
    "enable_prefill_logprobs": (True, "ENABLE_PREFILL_LOGPROBS", "true", "3.0.1"),
    "tokenizer_config_path": ("/opt/ml/model/t.json", "TOKENIZER_CONFIG_PATH", "/opt/ml/model/t.json", "1.4.0"),
    "payload_limit": (1000, "PAYLOAD_LIMIT", "1000", "3.0.1"),
    "watermark_gamma": (0.25, "WATERMARK_GAMMA", "0.25", "0.6.0"),
    "watermark_delta": (-1.5, "WATERMARK_DELTA", "-1.5", "0.6.0"),
    "huggingface_hub_cache": ("/data", "HUGGINGFACE_HUB_CACHE", "/data", "0.6.0"),
    "weights_cache_override": ("/weights", "WEIGHTS_CACHE_OVERRIDE", "/weights", "0.6.0"),
    "json_output": (True, "JSON_OUTPUT", "true", "0.6.0"),
    "log_level": (LogLevel.DEBUG, "LOG_LEVEL", "debug", "0.6.0"),
    "otlp_endpoint": ("http://collector:4317", "OTLP_ENDPOINT", "http://collector:4317", "0.6.0"),
    "otlp_service_name": ("llama", "OTLP_SERVICE_NAME", "llama", "2.2.0"),
    "cors_allow_origin": ("https://example.com", "CORS_ALLOW_ORIGIN", "https://example.com", "0.6.0"),
    "prometheus_port": (9001, "PROMETHEUS_PORT", "9001", "3.3.4"),
    "graceful_termination_timeout": (30, "GRACEFUL_TERMINATION_TIMEOUT", "30", "3.2.3"),
    "shard_uds_path": ("/tmp/shard", "SHARD_UDS_PATH", "/tmp/shard", "0.6.0"),
    "master_addr": ("127.0.0.1", "MASTER_ADDR", "127.0.0.1", "0.6.0"),
    "master_port": (29501, "MASTER_PORT", "29501", "0.6.0"),
}
# Those whose variables depend on the version or that come in pairs have tests of their own.
APART = {
    "max_input_tokens",
    "max_total_tokens",
    "max_batch_size",
    "prefix_caching",
    "messages_api_enabled",
    "usage_stats",
}


def test_the_table_has_every_option_and_nothing_else():
    assert [field.name for field in fields(TgiOptions)] == [option.keyword for option in OPTIONS]


def test_these_tests_cover_every_option():
    assert set(WRITTEN) | APART == {option.keyword for option in OPTIONS}


@pytest.mark.parametrize("keyword", WRITTEN)
def test_an_option_is_written_to_its_variable(keyword, planning):
    value, variable, text, _ = WRITTEN[keyword]
    plan = planning(hub_id="me/mine", options={keyword: value})
    assert (plan.problems, plan.environment[variable]) == ((), text)


@pytest.mark.parametrize("keyword", WRITTEN)
def test_an_option_is_rejected_for_versions_before_it_and_accepted_from_then_on(keyword, planning):
    value, _, _, since = WRITTEN[keyword]
    since = "0.8.2" if keyword == "trust_remote_code" else since  # under another name, see below
    taken = [
        version
        for version in TGI.images.versions
        if not any(
            "does not have it" in str(found) for found in planning(version=version, options={keyword: value}).problems
        )
    ]
    assert taken == [version for version in TGI.images.versions if parse_version(version) >= parse_version(since)]


def test_the_message_for_an_option_that_is_too_new(refusals):
    assert refusals(version="2.4.0", options={"prometheus_port": 9001}) == [
        (
            "options.prometheus_port=9001: TGI 2.4.0 does not have it; it was added in 3.3.0. Leave it out, or change"
            " image."
        )
    ]


def test_the_message_for_an_option_that_was_missing_for_a_while(refusals):
    assert refusals(version="1.1.0", options={"max_batch_size": 4}) == [
        (
            "options.max_batch_size=4: TGI 1.1.0 does not have it; it was missing from 0.9.0 to 1.4.0."
            " Leave it out, or change image."
        )
    ]


@pytest.mark.parametrize(
    ("kind", "since"),
    [
        ("bitsandbytes", "0.6.0"),
        ("gptq", "0.8.2"),
        ("bitsandbytes-nf4", "1.0.3"),
        ("bitsandbytes-fp4", "1.0.3"),
        ("awq", "1.1.0"),
        ("eetq", "1.1.0"),
        ("fp8", "2.0.0"),
        ("exl2", "2.2.0"),
        ("marlin", "2.2.0"),
        ("compressed-tensors", "3.0.1"),
    ],
)
def test_each_quantization_has_its_first_version(kind, since, planning):
    request = {"hub_id": "me/mine", "instance": InstanceType.P5_4XLARGE, "options": {"quantize": kind}}
    taken = [version for version in TGI.images.versions if not planning(version=version, **request).problems]
    assert taken == [version for version in TGI.images.versions if parse_version(version) >= parse_version(since)]


def test_the_message_for_a_quantization_that_is_too_new(refusals):
    assert refusals(version="1.4.5", options={"quantize": Quantization.FP8}) == [
        (
            "options.quantize='fp8': TGI 1.4.5 does not have it; it was added in 2.0.0. Choose another one, or a newer"
            " image."
        )
    ]


@pytest.mark.parametrize(
    ("version", "value", "words"),
    [
        ("0.6.0", "true", "must be bitsandbytes. Did you mean Quantization.BITSANDBYTES?"),
        ("0.8.2", "bnb", "must be one of gptq, bitsandbytes. Did you mean Quantization.BITSANDBYTES?"),
        (
            "1.1.0",
            "bnb-nf4",
            (
                "must be one of awq, eetq, gptq, bitsandbytes, bitsandbytes-nf4, bitsandbytes-fp4."
                " Did you mean Quantization.BITSANDBYTES_NF4?"
            ),
        ),
        (
            "0.8.2",
            "bnb-nf4",
            "must be one of gptq, bitsandbytes. Use a member of Quantization, or leave it out.",
        ),
    ],
)
def test_a_quantization_that_there_is_not_is_answered_with_those_of_the_version(version, value, words, refusals):
    found = refusals(version=version, hub_id="me/mine", instance=InstanceType.P5_4XLARGE, options={"quantize": value})
    assert found == [f"options.quantize='{value}': {words}"]


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        ({"quantize": "AWQ"}, "Quantization.AWQ"),
        ({"quantize": "bitsandbytes_nf4"}, "Quantization.BITSANDBYTES_NF4"),
        ({"quantize": True}, "Quantization.BITSANDBYTES"),
        ({"dtype": "fp16"}, "Dtype.FLOAT16"),
        ({"kv_cache_dtype": "fp8-e4m3"}, "KvCacheDtype.FP8_E4M3FN"),
        ({"attention": "flash_infer"}, "Attention.FLASHINFER"),
        ({"log_level": "warning"}, "LogLevel.WARN"),
    ],
)
def test_a_value_near_a_member_is_answered_with_that_member(options, meant, refusals):
    assert [words.endswith(f"Did you mean {meant}?") for words in refusals(options=options)] == [True]


def test_quantize_was_a_flag_in_0_6(planning):
    environment = planning(version="0.6.0", options={"quantize": "bitsandbytes"}).environment
    assert environment["HF_MODEL_QUANTIZE"] == "true"


def test_the_longest_prompt_was_called_input_length_before_2_0(planning):
    tokens = {"max_input_tokens": 1000, "max_total_tokens": 2000}
    named = {
        version: [
            name for name in planning(version=version, options=tokens).environment if name.startswith("MAX_INPUT")
        ]
        for version in ("1.4.5", "2.0.0")
    }
    assert named == {"1.4.5": ["MAX_INPUT_LENGTH"], "2.0.0": ["MAX_INPUT_TOKENS"]}


def test_remote_code_is_set_for_the_launcher_itself_before_the_entrypoint_passed_it_on(planning):
    assert planning(version="0.8.2", options={"trust_remote_code": True}).environment["TRUST_REMOTE_CODE"] == "true"


def test_prefix_caching_had_another_name_in_2_3(planning):
    written = [
        planning(version=version, options={"prefix_caching": False}).environment.get(name)
        for version, name in (("2.3.1", "USE_PREFIX_CACHING"), ("3.3.6", "PREFIX_CACHING"))
    ]
    assert written == ["false", "false"]


def test_messages_api_is_an_option_from_1_4_on_and_sent_until_2_3(planning):
    plans = {v: planning(version=v, options={"messages_api_enabled": True}) for v in TGI.images.versions}
    taken = [version for version, plan in plans.items() if not plan.problems]
    sent = [version for version, plan in plans.items() if "MESSAGES_API_ENABLED" in plan.environment]
    assert (taken[0], taken[-1]) == ("1.4.0", "3.3.6")
    assert (sent[0], sent[-1]) == ("1.4.0", "2.3.1")


def test_no_cuda_graphs_is_written_as_zero(planning):
    assert planning(options={"cuda_graphs": []}).environment["CUDA_GRAPHS"] == "0"


def test_every_variable_of_the_cache_folder_is_set(planning):
    environment = planning(options={"huggingface_hub_cache": "/data"}).environment
    assert (environment["HF_HOME"], environment["HUGGINGFACE_HUB_CACHE"]) == ("/data", "/data")


@pytest.mark.parametrize(
    ("choice", "variables"),
    [
        (None, {"DISABLE_USAGE_STATS": "true", "DISABLE_CRASH_REPORTS": "true"}),
        (UsageStats.OFF, {"DISABLE_USAGE_STATS": "true", "DISABLE_CRASH_REPORTS": "true"}),
        (UsageStats.NO_STACK, {"DISABLE_CRASH_REPORTS": "true"}),
        (UsageStats.ON, {}),
    ],
)
def test_usage_stats_were_two_flags_in_2_2(choice, variables, planning):
    environment = planning(version="2.2.0", options={"usage_stats": choice}).environment
    assert {name: text for name, text in environment.items() if "USAGE" in name or "CRASH" in name} == variables


@pytest.mark.parametrize("choice", list(UsageStats))
def test_usage_stats_are_one_option_from_2_3_on(choice, planning):
    assert planning(version="2.3.1", options={"usage_stats": choice}).environment["USAGE_STATS"] == choice


def test_no_options_write_only_what_a_careful_operator_sets(planning):
    assert planning().environment == {
        "HF_MODEL_ID": "meta-llama/Llama-3.1-8B-Instruct",
        "SM_NUM_GPUS": "1",
        "HF_HOME": "/tmp",
        "HUGGINGFACE_HUB_CACHE": "/tmp",
        "PAYLOAD_LIMIT": "6291456",
        "USAGE_STATS": "off",
    }


def test_no_options_write_less_for_old_versions(planning):
    assert planning(version="1.4.5").environment == {
        "HF_MODEL_ID": "meta-llama/Llama-3.1-8B-Instruct",
        "SM_NUM_GPUS": "1",
        "HF_HOME": "/tmp",
        "HUGGINGFACE_HUB_CACHE": "/tmp",
    }
