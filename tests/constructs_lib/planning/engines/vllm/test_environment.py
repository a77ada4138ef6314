"""vLLM's options as variables of its container."""

from dataclasses import fields
from inspect import getdoc

import pytest

from constructs_lib.planning.engines.vllm.engine import VLLM
from constructs_lib.planning.engines.vllm.images import HUGGING_FACE
from constructs_lib.planning.engines.vllm.launcher_options import OPTIONS
from constructs_lib.planning.engines.vllm.options import (
    LogprobsMode,
    ModelImplementation,
    SchedulingPolicy,
    VllmDtype,
    VllmKvCacheDtype,
    VllmLogLevel,
    VllmOptions,
    VllmQuantization,
)
from constructs_lib.planning.engines.vllm.releases import Kind, has
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.validation.unknown import Unknown
from tests.constructs_lib.planning.engines.vllm.requests import FROM_S3, LLAMA, planned, refusals

# keyword → a value, and its variable's text; the variable is SM_VLLM_ and the keyword unless another one is given.
WRITTEN = {
    "tensor_parallel_size": (1, "1"),
    "pipeline_parallel_size": (1, "1"),
    "data_parallel_size": (1, "1"),
    "enable_expert_parallel": (True, "true"),
    "max_model_len": (8192, "8192"),
    "max_num_seqs": (64, "64"),
    "max_num_batched_tokens": (4096, "4096"),
    "max_num_queued_reqs": (300, "300"),
    "max_num_queued_tokens": (100_000, "100000"),
    "gpu_memory_utilization": (0.85, "0.85"),
    "kv_cache_memory_bytes": (8_589_934_592, "8589934592"),
    "kv_cache_dtype": (VllmKvCacheDtype.FP8, "fp8"),
    "block_size": (32, "32"),
    "cpu_offload_gb": (2, "2"),
    "enforce_eager": (True, "true"),
    "enable_prefix_caching": (True, "true"),
    "enable_chunked_prefill": (True, "true"),
    "disable_hybrid_kv_cache_manager": (True, "true"),
    "async_scheduling": (True, "true"),
    "scheduling_policy": (SchedulingPolicy.PRIORITY, "priority"),
    "attention_backend": ("FLASHINFER", "FLASHINFER"),
    "compilation_config": ({"cudagraph_mode": "PIECEWISE"}, '{"cudagraph_mode":"PIECEWISE"}'),
    "kv_transfer_config": ({"kv_connector": "LMCacheConnectorV1"}, '{"kv_connector":"LMCacheConnectorV1"}'),
    "dtype": (VllmDtype.BFLOAT16, "bfloat16"),
    "quantization": (VllmQuantization.FP8, "fp8"),
    "load_format": ("safetensors", "safetensors"),
    "trust_remote_code": (True, "true"),
    "code_revision": ("abc", "abc"),
    "model_impl": (ModelImplementation.VLLM, "vllm"),
    "hf_overrides": ({"rope_theta": 1000}, '{"rope_theta":1000}'),
    "tokenizer_mode": ("mistral", "mistral"),
    "config_format": ("hf", "hf"),
    "seed": (7, "7"),
    "limit_mm_per_prompt": ({"image": 2}, '{"image":2}'),
    "mm_processor_kwargs": ({"max_pixels": 1}, '{"max_pixels":1}'),
    "language_model_only": (True, "true"),
    "generation_config": ("auto", "auto"),
    "override_generation_config": ({"temperature": 0.6}, '{"temperature":0.6}'),
    "served_model_name": ("llama", "llama"),
    "chat_template": ("{% for m in messages %}\n{{ m.content }}\n{% endfor %}",) * 2,
    "chat_template_content_format": ("openai", "openai"),
    "default_chat_template_kwargs": ({"enable_thinking": False}, '{"enable_thinking":false}'),
    "tool_call_parser": ("llama3_json", "llama3_json"),
    "tool_parser_plugin": ("/opt/ml/model/parser.py", "/opt/ml/model/parser.py"),
    "reasoning_parser": ("qwen3", "qwen3"),
    "max_logprobs": (-1, "-1"),
    "logprobs_mode": (LogprobsMode.PROCESSED_LOGPROBS, "processed_logprobs"),
    "structured_outputs_config": ({"backend": "xgrammar"}, '{"backend":"xgrammar"}'),
    "speculative_config": ({"method": "ngram"}, '{"method":"ngram"}'),
    "stream_interval": (4, "4"),
    "enable_lora": (True, "true"),
    "lora_modules": (["a=/opt/ml/model/a", "b=owner/b"], '["a=/opt/ml/model/a","b=owner/b"]'),
    "max_loras": (4, "4"),
    "max_lora_rank": (64, "64"),
    "max_cpu_loras": (8, "8"),
    "enable_log_requests": (True, "true"),
    "disable_log_stats": (True, "true"),
    "otlp_traces_endpoint": ("http://collector:4317", "http://collector:4317"),
    "shutdown_timeout": (20, "20"),
}
FURTHER = {
    "enable_auto_tool_choice": ({"tool_call_parser": "hermes"}, True, "true"),
    "enable_log_outputs": ({"enable_log_requests": True}, True, "true"),
}
"""Options that need others."""

FLAGS = [one.keyword for one in OPTIONS if has(Kind.FLAGS, one.keyword, (0, 30, 0))]
DEFAULTS = {
    "SM_VLLM_MODEL": "meta-llama/Llama-3.1-8B-Instruct",
    "SM_VLLM_MAX_MODEL_LEN": "131072",
    "SM_VLLM_TENSOR_PARALLEL_SIZE": "1",
    "SM_VLLM_GENERATION_CONFIG": "vllm",
    "SM_VLLM_MAX_NUM_QUEUED_REQS": "512",
    "HF_HOME": "/tmp",
    "VLLM_NO_USAGE_STATS": "1",
    "PROCESS_AUTO_RECOVERY": "false",
    "VLLM_ENGINE_READY_TIMEOUT_S": "1200",
}


def test_every_option_is_tested():
    of_the_image = {
        "allow_runtime_lora_updating",
        "log_level",
        "usage_stats",
        "process_auto_recovery",
        "lmcache",
        "extra_args",
    }
    assert {one.name for one in fields(VllmOptions)} == WRITTEN.keys() | FURTHER.keys() | of_the_image


@pytest.mark.parametrize("keyword", WRITTEN)
def test_an_option_is_a_variable(keyword):
    value, text = WRITTEN[keyword]
    found = planned(**{keyword: value})
    assert (found.problems, found.environment[f"SM_VLLM_{keyword.upper()}"]) == ((), text)


@pytest.mark.parametrize("keyword", FURTHER)
def test_an_option_that_needs_another_is_a_variable(keyword):
    needed, value, text = FURTHER[keyword]
    found = planned(**{keyword: value}, **needed)
    assert (found.problems, found.environment[f"SM_VLLM_{keyword.upper()}"]) == ((), text)


@pytest.mark.parametrize("keyword", FLAGS)
def test_a_flag_is_switched_off_by_its_no_form_as_false_would_be_dropped(keyword):
    found = planned(**{keyword: False}).environment
    assert found[f"SM_VLLM_NO_{keyword.upper()}"] == "true"
    assert f"SM_VLLM_{keyword.upper()}" not in found


def test_a_switch_without_a_no_form_is_left_out():
    assert planned(disable_log_stats=False).environment == DEFAULTS


@pytest.mark.parametrize("keyword", [*WRITTEN, *FURTHER])
def test_a_value_of_the_deployment_is_written_unchecked(keyword):
    found = planned(**{keyword: Unknown("<token>")})
    assert found.environment[f"SM_VLLM_{keyword.upper()}"] == "<token>"
    assert found.problems == ()


def test_the_defaults_are_those_of_a_careful_operator():
    assert planned().environment == DEFAULTS


def test_every_gpu_shares_the_model_though_vllm_would_take_one():
    for instance, count in ((InstanceType.G6E_12XLARGE, "4"), (InstanceType.P5_48XLARGE, "8")):
        found = planned(changes={"instance": instance})
        assert (found.environment["SM_VLLM_TENSOR_PARALLEL_SIZE"], found.num_shard) == (count, int(count))
    half = planned(pipeline_parallel_size=2, changes={"instance": InstanceType.G6E_12XLARGE})
    assert (half.environment["SM_VLLM_TENSOR_PARALLEL_SIZE"], half.num_shard) == ("2", 4)


def test_the_length_is_one_of_which_a_request_fits():
    found = planned(changes={"instance": InstanceType.G6_2XLARGE})
    assert found.problems == ()
    assert int(found.environment["SM_VLLM_MAX_MODEL_LEN"]) == found.serving.max_total_tokens < 131_072


def test_the_revision_is_vllms_own_variable():
    model = ModelChoice(source="hub", hub_id=LLAMA.hub_id, revision="main", has_token=True)
    found = planned(changes={"model": model})
    assert found.environment["SM_VLLM_REVISION"] == "main"
    assert "HF_MODEL_REVISION" not in found.environment
    assert found.token_variables == ("HF_TOKEN",)


def test_weights_in_s3_are_the_folder_and_the_hub_is_not_asked():
    found = planned(changes={"model": FROM_S3}).environment
    assert (found["SM_VLLM_MODEL"], found["HF_HUB_OFFLINE"]) == ("/opt/ml/model", "1")
    assert "STANDARD_AUTO_INSTALL_REQ" not in found


def test_in_isolation_nothing_is_installed_or_asked():
    found = planned(changes={"model": FROM_S3, "network_isolation": True})
    assert found.problems == ()
    assert found.environment["HF_HUB_OFFLINE"] == "1"
    assert found.environment["STANDARD_AUTO_INSTALL_REQ"] == "false"


def test_vllm_waits_as_long_as_sagemaker_does():
    assert planned(changes={"startup_timeout_seconds": 2400}).environment["VLLM_ENGINE_READY_TIMEOUT_S"] == "2400"
    assert "VLLM_ENGINE_READY_TIMEOUT_S" not in planned(version="0.13.0").environment


def test_the_queue_is_limited_from_0_29_on():
    assert planned(max_num_seqs=32).environment["SM_VLLM_MAX_NUM_QUEUED_REQS"] == "64"
    large = planned(changes={"instance": InstanceType.P5_4XLARGE})
    assert large.environment["SM_VLLM_MAX_NUM_QUEUED_REQS"] == "2048"
    assert "SM_VLLM_MAX_NUM_QUEUED_REQS" not in planned(version="0.28.0").environment


def test_a_tool_parser_lets_the_model_decide_to_call_tools():
    assert planned(tool_call_parser="hermes").environment["SM_VLLM_ENABLE_AUTO_TOOL_CHOICE"] == "true"
    never = planned(tool_call_parser="hermes", enable_auto_tool_choice=False).environment
    assert never["SM_VLLM_NO_ENABLE_AUTO_TOOL_CHOICE"] == "true"
    assert "SM_VLLM_ENABLE_AUTO_TOOL_CHOICE" not in never


def test_adapters_switch_lora_on():
    assert planned(lora_modules=["a=/opt/ml/model/a"]).environment["SM_VLLM_ENABLE_LORA"] == "true"


def test_adapters_that_are_loaded_later_switch_lora_and_their_routes_on():
    found = planned(allow_runtime_lora_updating=True).environment
    assert found.items() >= {("SM_VLLM_ENABLE_LORA", "true"), ("VLLM_ALLOW_RUNTIME_LORA_UPDATING", "true")}
    assert refusals(allow_runtime_lora_updating=True, enable_lora=False) == [
        "options.enable_lora=False: contradicts allow_runtime_lora_updating. Leave it out."
    ]


def test_usage_is_reported_only_if_it_is_asked_for():
    assert "VLLM_NO_USAGE_STATS" not in planned(usage_stats=True).environment


def test_the_supervisor_is_left_out_unless_it_is_asked_for():
    assert planned(process_auto_recovery=True).environment["PROCESS_AUTO_RECOVERY"] == "true"
    assert "PROCESS_AUTO_RECOVERY" not in planned(version="0.20.0").environment
    assert planned(version="0.20.1").environment["PROCESS_AUTO_RECOVERY"] == "false"


def test_lmcache_is_off_in_hugging_faces_image_unless_it_is_asked_for():
    image = {"image": ImageChoice(version="0.29.0", family=HUGGING_FACE)}
    assert planned(changes=image).environment["HF_ENABLE_LMCACHE"] == "0"
    assert planned(changes=image, lmcache=True).environment["HF_ENABLE_LMCACHE"] == "1"
    assert "HF_ENABLE_LMCACHE" not in planned().environment


@pytest.mark.parametrize(("level", "supervisors"), [("warning", "warn"), ("debug", "debug")])
def test_the_supervisor_gets_the_log_level_in_its_own_words(level, supervisors):
    found = planned(log_level=VllmLogLevel(level)).environment
    assert found["VLLM_LOGGING_LEVEL"] == level.upper()
    assert "LOG_LEVEL" not in found
    assert planned(log_level=level, process_auto_recovery=True).environment["LOG_LEVEL"] == supervisors


def test_further_arguments_are_variables():
    extra = {"enable_sleep_mode": "true", "max_num_scheduled_tokens": "4096", "no_use_tqdm_on_load": "true"}
    found = planned(extra_args=extra)
    assert found.problems == ()
    assert found.environment.items() >= {
        ("SM_VLLM_ENABLE_SLEEP_MODE", "true"),
        ("SM_VLLM_MAX_NUM_SCHEDULED_TOKENS", "4096"),
        ("SM_VLLM_NO_USE_TQDM_ON_LOAD", "true"),
    }
    oldest = planned(extra_args={"enable_sleep_mode": "true"}, version="0.14.0").environment
    assert oldest["SM_VLLM_ENABLE_SLEEP_MODE"] == ""


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("SM_VLLM_MAX_MODEL_LEN", "1", "is set by options.max_model_len. Use options.max_model_len instead."),
        (
            "SM_VLLM_NO_ENABLE_PREFIX_CACHING",
            "true",
            "is set by options.enable_prefix_caching. Use options.enable_prefix_caching instead.",
        ),
        (
            "SM_VLLM_ENABLE_SLEEP_MODE",
            "true",
            "is set by options.extra_args['enable_sleep_mode']. Use options.extra_args['enable_sleep_mode'] instead.",
        ),
        ("SM_VLLM_PORT", "80", "is SageMaker's: it reaches the container on port 8080. Leave it out."),
        ("HF_MODEL_ID", "a/b", "is set by Model.from_hub(…). Use Model.from_hub(…) instead."),
        (
            "HF_MODEL_REVISION",
            "x",
            "is set by Model.from_hub(…, revision=…). Use Model.from_hub(…, revision=…) instead.",
        ),
        (
            "LOG_LEVEL",
            "info,text_generation_router=debug",
            "is set by options.log_level. Use options.log_level instead.",
        ),
        ("VLLM_ENGINE_READY_TIMEOUT_S", "5", "is set by startup_timeout. Use startup_timeout instead."),
        (
            "VLLM_API_KEY",
            "x",
            (
                "guards other paths than /invocations, so that it protects nothing here: SageMaker checks who may call."
                " Leave it out."
            ),
        ),
    ],
)
def test_a_variable_that_an_option_covers_is_refused(variable, value, problem):
    found = refusals(changes={"environment": {variable: value}})
    shown = "(not shown)" if "KEY" in variable else repr(value)
    subject = "" if problem.startswith(("is SageMaker's", "guards")) else f"{variable} "
    assert found == [f"environment[{variable!r}]={shown}: {subject}{problem}"]


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("MAX_TOTAL_TOKENS", "vLLM does not read it; TGI does. Use options.max_model_len instead."),
        ("OPTION_MAX_MODEL_LEN", "vLLM does not read it; DJL LMI does. Use options.max_model_len instead."),
        ("SM_SGLANG_TP", "vLLM does not read it; SGLang does. Use options.tensor_parallel_size instead."),
    ],
)
def test_a_variable_of_another_server_is_a_warning(variable, words):
    found = planned(changes={"environment": {variable: "1"}})
    assert [one.message for one in found.warnings] == [f"environment[{variable!r}]: {words}"]


def test_a_further_variable_of_vllm_is_taken():
    found = planned(changes={"environment": {"VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1", "HF_HOME": "/opt/ml"}})
    assert (found.problems, found.warnings) == ((), ())
    assert found.environment["HF_HOME"] == "/opt/ml"


def test_every_option_is_described_with_its_default():
    described = getdoc(VLLM.options_type)
    for one in fields(VllmOptions):
        assert f"\n    {one.name}: " in described
    assert described.count("Default:") == len(fields(VllmOptions))
