"""Which variable takes which option of SGLang's server, what it may be, and which versions have it.

Sources: SGLang `python/sglang/srt/server_args.py` at 0.5.8 to 0.5.18 and `srt/arg_groups/fields/*.py` at 0.5.19 and
0.5.20; aws/deep-learning-containers `scripts/docker/sglang/sagemaker_entrypoint.sh` at e0ecedea, which makes
`--context-length` of SM_SGLANG_CONTEXT_LENGTH.
"""

from __future__ import annotations

from constructs_lib.planning.engines.option_table import OLDEST, EngineOption
from constructs_lib.planning.engines.sagemaker_arguments import Entrypoint, Reading
from constructs_lib.planning.engines.sglang.options import (
    SamplingDefaults,
    SglangDtype,
    SglangKvCacheDtype,
    SglangLogLevel,
    SglangQuantization,
)
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.validation.rules import Boolean, Integer, ListOf, Number, OneOf, Rule, String

ENTRYPOINT = Entrypoint(prefix="SM_SGLANG_", reading=Reading.BOOLEANS)
"""That of AWS's images: it reads `env` line by line, drops a flag that is `false`, and makes one argument of a
text."""

GRAPHS_RENAMED: Version = (0, 5, 14)
"""First version with a number of its own for the graphs of decoding; 0.5.20 has no other any more."""

_DTYPES = {
    "fp16": SglangDtype.FLOAT16,
    "half": SglangDtype.FLOAT16,
    "bf16": SglangDtype.BFLOAT16,
    "fp32": SglangDtype.FLOAT32,
    "float": SglangDtype.FLOAT32,
}
_CACHE_DTYPES = {"fp8": SglangKvCacheDtype.FP8_E4M3, "fp8-e4m3fn": SglangKvCacheDtype.FP8_E4M3}
QUANTIZE, DTYPE = OneOf(SglangQuantization), OneOf(SglangDtype, _DTYPES)

_COUNT = Integer(1)
_WORD = String("printable ASCII characters without spaces", r"[!-~]+")
_ADAPTER = String("an adapter with a name: name=/path or name=hub-id", r"[^=:,{}\s]+=[^=,{}\s]+")


def _option(
    keyword: str, rule: Rule, *, argument: str = "", older: tuple[str, Version] | None = None, since: Version = OLDEST
) -> EngineOption:
    """An option whose variable is named by the server's argument, which is the keyword if nothing else is given."""
    renamed = (ENTRYPOINT.variable(older[0]), older[1]) if older else None
    return EngineOption(keyword, rule, since=since, variable=ENTRYPOINT.variable(argument or keyword), older=renamed)


OPTIONS: tuple[EngineOption, ...] = (
    _option("tp_size", _COUNT),
    _option("dp_size", _COUNT),
    _option("context_length", _COUNT),
    _option("mem_fraction_static", Number("above 0 and below 1", above=0, below=1)),
    _option("max_running_requests", _COUNT),
    _option("max_queued_requests", _COUNT),
    _option("max_total_tokens", _COUNT),
    _option("max_prefill_tokens", _COUNT),
    _option("chunked_prefill_size", Integer(-1)),
    _option(
        "cuda_graph_max_bs",
        _COUNT,
        argument="cuda_graph_max_bs_decode",
        older=("cuda_graph_max_bs", GRAPHS_RENAMED),
    ),
    _option("disable_cuda_graph", Boolean()),
    _option("disable_radix_cache", Boolean()),
    _option("kv_cache_dtype", OneOf(SglangKvCacheDtype, _CACHE_DTYPES)),
    _option("dtype", DTYPE),
    _option("quantization", QUANTIZE),
    _option("load_format", _WORD),
    _option("trust_remote_code", Boolean()),
    _option("json_model_override_args", String("a JSON object", r"\{.*\}")),
    _option("attention_backend", _WORD),
    _option("grammar_backend", _WORD),
    _option("chat_template", String()),
    _option("tool_call_parser", _WORD),
    _option("reasoning_parser", _WORD),
    _option("sampling_defaults", OneOf(SamplingDefaults)),
    _option("schedule_policy", _WORD),
    _option("schedule_conservativeness", Number("above 0", above=0)),
    _option("stream_interval", _COUNT),
    _option("lora_paths", ListOf(_ADAPTER)),
    _option("max_loras_per_batch", _COUNT),
    _option("max_lora_rank", _COUNT),
    _option("speculative_algorithm", _WORD),
    _option("speculative_draft_model_path", _WORD),
    _option("speculative_num_steps", _COUNT),
    _option("speculative_eagle_topk", _COUNT),
    _option("speculative_num_draft_tokens", _COUNT),
    _option("cpu_offload_gb", Integer(0)),
    _option("random_seed", Integer(0)),
    _option("watchdog_timeout", Number("above 0", above=0)),
    _option("enable_metrics", Boolean()),
    _option("log_level", OneOf(SglangLogLevel)),
)
