"""What the options of vLLM's server may be, and which versions have them.

Sources: vLLM `vllm/engine/arg_utils.py` and `vllm/config/*.py` at 0.13.0 to 0.30.0; releases.json for the versions.
"""

from __future__ import annotations

from constructs_lib.planning.engines.option_table import OLDEST, EngineOption
from constructs_lib.planning.engines.vllm.images import PREFIX
from constructs_lib.planning.engines.vllm.options import (
    LogprobsMode,
    ModelImplementation,
    SchedulingPolicy,
    VllmDtype,
    VllmKvCacheDtype,
    VllmLogLevel,
    VllmQuantization,
)
from constructs_lib.planning.engines.vllm.releases import Kind, since
from constructs_lib.planning.validation.rules import Boolean, Integer, JsonObject, ListOf, Number, OneOf, Rule, String

_DTYPES = {
    "fp16": VllmDtype.FLOAT16,
    "half": VllmDtype.FLOAT16,
    "torch.float16": VllmDtype.FLOAT16,
    "bf16": VllmDtype.BFLOAT16,
    "torch.bfloat16": VllmDtype.BFLOAT16,
    "fp32": VllmDtype.FLOAT32,
    "float": VllmDtype.FLOAT32,
}
_QUANTIZATIONS = {
    "bnb": VllmQuantization.BITSANDBYTES,
    "bitsandbytes-nf4": VllmQuantization.BITSANDBYTES,
    "marlin": VllmQuantization.GPTQ_MARLIN,
    "eetq": VllmQuantization.INT8_PER_CHANNEL_WEIGHT_ONLY,
    "int8": VllmQuantization.INT8_PER_CHANNEL_WEIGHT_ONLY,
}
_CACHE_DTYPES = {"fp8-e4m3fn": VllmKvCacheDtype.FP8_E4M3, "bf16": VllmKvCacheDtype.BFLOAT16}

QUANTIZE, DTYPE = OneOf(VllmQuantization, _QUANTIZATIONS), OneOf(VllmDtype, _DTYPES)

_COUNT, _FLAG, _JSON = Integer(1), Boolean(), JsonObject()
_WORD = String("printable ASCII characters without spaces", r"[!-~]+")
_TEXT = String(lines=True)
_ADAPTER = String("an adapter with a name: name=/path or name=hub-id", r"[^=:,{}\s]+=[^=,{}\s]+")
_BYTES = 2**50

OF_THE_IMAGE = ("allow_runtime_lora_updating", "log_level", "usage_stats", "process_auto_recovery", "lmcache")
"""Options that are no arguments of the server."""


def _option(keyword: str, rule: Rule) -> EngineOption:
    first = OLDEST if keyword in OF_THE_IMAGE else since(Kind.ARGUMENTS, keyword)
    if first is None:
        raise LookupError(f"no release of vLLM has {keyword}")
    return EngineOption(keyword, rule, since=first, variable=f"{PREFIX}{keyword.upper()}")


OPTIONS: tuple[EngineOption, ...] = (
    _option("tensor_parallel_size", _COUNT),
    _option("pipeline_parallel_size", _COUNT),
    _option("data_parallel_size", _COUNT),
    _option("enable_expert_parallel", _FLAG),
    _option("max_model_len", _COUNT),
    _option("max_num_seqs", _COUNT),
    _option("max_num_batched_tokens", _COUNT),
    _option("max_num_queued_reqs", _COUNT),
    _option("max_num_queued_tokens", _COUNT),
    _option("gpu_memory_utilization", Number("above 0 and at most 1", above=0, inclusive_maximum=1)),
    _option("kv_cache_memory_bytes", Integer(1, _BYTES, unit="bytes")),
    _option("kv_cache_dtype", OneOf(VllmKvCacheDtype, _CACHE_DTYPES)),
    _option("block_size", _COUNT),
    _option("cpu_offload_gb", Number("0 or more", inclusive_minimum=0)),
    _option("enforce_eager", _FLAG),
    _option("enable_prefix_caching", _FLAG),
    _option("enable_chunked_prefill", _FLAG),
    _option("disable_hybrid_kv_cache_manager", _FLAG),
    _option("async_scheduling", _FLAG),
    _option("scheduling_policy", OneOf(SchedulingPolicy)),
    _option("attention_backend", _WORD),
    _option("compilation_config", _JSON),
    _option("kv_transfer_config", _JSON),
    _option("dtype", DTYPE),
    _option("quantization", QUANTIZE),
    _option("load_format", _WORD),
    _option("trust_remote_code", _FLAG),
    _option("code_revision", _WORD),
    _option("model_impl", OneOf(ModelImplementation)),
    _option("hf_overrides", _JSON),
    _option("tokenizer_mode", _WORD),
    _option("config_format", _WORD),
    _option("seed", Integer(0)),
    _option("limit_mm_per_prompt", _JSON),
    _option("mm_processor_kwargs", _JSON),
    _option("language_model_only", _FLAG),
    _option("generation_config", _WORD),
    _option("override_generation_config", _JSON),
    _option("served_model_name", _WORD),
    _option("chat_template", _TEXT),
    _option("chat_template_content_format", String("auto, string or openai", "auto|string|openai")),
    _option("default_chat_template_kwargs", _JSON),
    _option("tool_call_parser", _WORD),
    _option("enable_auto_tool_choice", _FLAG),
    _option("tool_parser_plugin", _WORD),
    _option("reasoning_parser", _WORD),
    _option("max_logprobs", Integer(-1)),
    _option("logprobs_mode", OneOf(LogprobsMode)),
    _option("structured_outputs_config", _JSON),
    _option("speculative_config", _JSON),
    _option("stream_interval", _COUNT),
    _option("enable_lora", _FLAG),
    _option("lora_modules", ListOf(_ADAPTER)),
    _option("max_loras", _COUNT),
    _option("max_lora_rank", _COUNT),
    _option("max_cpu_loras", _COUNT),
    _option("allow_runtime_lora_updating", _FLAG),
    _option("enable_log_requests", _FLAG),
    _option("enable_log_outputs", _FLAG),
    _option("disable_log_stats", _FLAG),
    _option("otlp_traces_endpoint", _WORD),
    _option("shutdown_timeout", Integer(0, unit="seconds")),
    _option("log_level", OneOf(VllmLogLevel)),
    _option("usage_stats", _FLAG),
    _option("process_auto_recovery", _FLAG),
    _option("lmcache", _FLAG),
)
