"""What becomes of options of TGI on DJL LMI; by the names of `TgiOptions`.

Sources: deepjavalibrary/djl-serving serving/docs/lmi and
`engines/python/setup/djl_python/properties_manager/vllm_rb_properties.py` at 0.36.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from constructs_lib.planning.engines.lmi.options import LmiDtype
from constructs_lib.planning.engines.tgi.options import Dtype
from constructs_lib.planning.migration.common_options import COMMON, flag, gpus, sharded, share
from constructs_lib.planning.migration.compression import compression
from constructs_lib.planning.migration.outcome import (
    Becomes,
    OptionRule,
    Origin,
    becomes_option,
    by_hand,
    by_itself,
    falls_away,
    lost,
    setting,
)
from constructs_lib.planning.migration.to_vllm import (
    DEFAULT_SHARE,
    cache_dtype,
    graphs,
    json_logs,
    logprobs,
    ngrams,
    step_tokens,
    stretched,
)

_DTYPES = {Dtype.FLOAT16: LmiDtype.FLOAT16, Dtype.BFLOAT16: LmiDtype.BFLOAT16}


def _memory(_: float, origin: Origin) -> Becomes:
    found = share(origin, DEFAULT_SHARE)
    if found == DEFAULT_SHARE:
        return by_itself(f"vLLM fills {DEFAULT_SHARE} of each GPU.")
    return setting("Both count weights, a step and the cache.", gpu_memory_utilization=found)


def _speculate(value: int, _: Origin) -> Becomes:
    if value == 0:
        return by_itself("It guesses no tokens ahead.")
    reason = "From n-grams. If the model has Medusa heads, which TGI would have used, name their repository instead."
    return setting(reason, speculative_config=json.dumps(ngrams(value)))


def _requests(_: int, __: Origin) -> Becomes:
    return lost("LMI has no limit that holds: it takes all requests, and under overload they wait until they time out.")


def _adapters(_: Sequence[str], __: Origin) -> Becomes:
    return by_hand("`enable_lora=True` loads those in a folder `adapters` beside the weights, which then come from S3.")


def _traces(value: str, _: Origin) -> Becomes:
    return setting(extra_args={"otlp_traces_endpoint": value})


def _log_level(value: str, _: Origin) -> Becomes:
    if value == "info":
        return by_itself("It is LMI's own level.")
    return falls_away("LMI has no option for its level.")


RULES: dict[str, OptionRule] = COMMON | {
    "num_shard": gpus("tensor_parallel_degree"),
    "sharded": sharded("tensor_parallel_degree"),
    "quantize": compression("quantize", eight_bits=lambda _: "fp8", four_bits=lambda _: "bitsandbytes"),
    "dtype": lambda value, _: setting(dtype=str(_DTYPES[Dtype(value)])),
    "kv_cache_dtype": cache_dtype("kv_cache_dtype"),
    "speculate": _speculate,
    "trust_remote_code": flag("trust_remote_code", reason="Code of the repository is not run."),
    "max_total_tokens": becomes_option("max_model_len"),
    "max_batch_prefill_tokens": step_tokens("max_rolling_batch_prefill_tokens"),
    "max_batch_size": becomes_option("max_rolling_batch_size"),
    "max_concurrent_requests": _requests,
    "max_top_n_tokens": logprobs,
    "cuda_graphs": graphs("enforce_eager"),
    "cuda_memory_fraction": _memory,
    "tgi_wiggle_room": _memory,
    "prefix_caching": flag(
        "enable_prefix_caching", when=False, value=False, reason="Prompts that begin alike share their cache."
    ),
    "rope_scaling": stretched("hf_overrides"),
    "rope_factor": stretched("hf_overrides"),
    "lora_adapters": _adapters,
    "json_output": lambda value, origin: json_logs(origin) if value else by_itself("Its log is text."),
    "log_level": _log_level,
    "otlp_endpoint": _traces,
}
