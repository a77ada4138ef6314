"""Which variable takes which option of DJL LMI, what it may be, and which versions have it.

Sources: deepjavalibrary/djl-serving `wlm/src/main/java/ai/djl/serving/wlm/ModelInfo.java` (OPTION_),
`serving/.../ConfigManager.java` (SERVING_), `engines/python/setup/djl_python/properties_manager/vllm_rb_properties.py`.
"""

from __future__ import annotations

from constructs_lib.planning.engines.lmi.options import LmiDtype, LmiKvCacheDtype, LmiQuantization
from constructs_lib.planning.engines.option_table import OLDEST, EngineOption
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.validation.rules import Boolean, Integer, Number, OneOf, Rule, String

PREFIX = "OPTION_"

_DTYPES = {
    "float16": LmiDtype.FLOAT16,
    "half": LmiDtype.FLOAT16,
    "bfloat16": LmiDtype.BFLOAT16,
    "float32": LmiDtype.FLOAT32,
    "float": LmiDtype.FLOAT32,
}
QUANTIZE, DTYPE = OneOf(LmiQuantization), OneOf(LmiDtype, _DTYPES)

_COUNT = Integer(1)
_SECONDS = Integer(1, 3600, "seconds")
_BYTES = Integer(1, 2**50)
_WORD = String("printable ASCII characters without spaces", r"[!-~]+")
_OBJECT = String("a JSON object", r"\{.*\}")


def _option(keyword: str, rule: Rule, *, variable: str = "", since: Version = OLDEST) -> EngineOption:
    return EngineOption(keyword, rule, since=since, variable=variable or f"{PREFIX}{keyword.upper()}")


OPTIONS: tuple[EngineOption, ...] = (
    _option("tensor_parallel_degree", _COUNT, variable="TENSOR_PARALLEL_DEGREE"),
    _option("max_model_len", _COUNT),
    _option("max_rolling_batch_size", _COUNT),
    _option("max_rolling_batch_prefill_tokens", _COUNT),
    _option("gpu_memory_utilization", Number("above 0, up to 1", above=0, inclusive_maximum=1)),
    _option("kv_cache_memory_bytes", _BYTES, since=(16, 0, 0)),
    _option("kv_cache_dtype", OneOf(LmiKvCacheDtype)),
    _option("dtype", DTYPE),
    _option("quantize", QUANTIZE),
    _option("enforce_eager", Boolean()),
    _option("enable_prefix_caching", Boolean()),
    _option("enable_chunked_prefill", Boolean()),
    _option("load_format", _WORD),
    _option("trust_remote_code", Boolean()),
    _option("hf_overrides", _OBJECT),
    _option("limit_mm_per_prompt", _OBJECT),
    _option("generation_config", _WORD),
    _option("chat_template", String()),
    _option("tool_call_parser", _WORD),
    _option("reasoning_parser", _WORD),
    _option("speculative_config", _OBJECT),
    _option("max_logprobs", Integer(0)),
    _option("cpu_offload_gb", Integer(0)),
    _option("enable_lora", Boolean()),
    _option("max_loras", _COUNT),
    _option("max_lora_rank", _COUNT),
    _option("max_cpu_loras", _COUNT),
    _option("lmcache_auto_config", Boolean(), since=(19, 0, 0)),
    _option("model_loading_timeout", _SECONDS),
    _option("predict_timeout", _SECONDS),
    _option("chunked_read_timeout", _SECONDS, variable="SERVING_CHUNKED_READ_TIMEOUT"),
)

ON_BY_DEFAULT = ("enable_prefix_caching", "enable_chunked_prefill")
"""Flags that `false` has to switch off; of the others it says what is so anyway, which not every version can write."""
