"""What becomes of options of TGI on SGLang; by the names of `TgiOptions`.

Source: SGLang 0.5.20 `python/sglang/srt/arg_groups/fields`.
"""

from __future__ import annotations

from collections.abc import Sequence

from constructs_lib.planning.migration.common_options import COMMON, flag, gpus, sharded, share
from constructs_lib.planning.migration.compression import compression
from constructs_lib.planning.migration.outcome import (
    Becomes,
    OptionRule,
    Origin,
    always,
    becomes_option,
    by_itself,
    falls_away,
    lost,
    setting,
)
from constructs_lib.planning.migration.to_vllm import cache_dtype, graphs, json_logs, step_tokens, stretched

_ROOM_FOR_STEPS = 0.1
"""Of the memory that TGI fills, what weights and cache leave to the activations: mem_fraction_static is without them,
and SGLang's own is 0.76 to 0.91 by GPU."""


def _memory(_: float, origin: Origin) -> Becomes:
    found = share(origin, 1.0)
    if found == 1.0:
        return by_itself("SGLang chooses the share by GPU.")
    reason = "Of weights and cache alone: an estimate, which leaves a tenth to the steps."
    return setting(reason, mem_fraction_static=round(max(found - _ROOM_FOR_STEPS, 0.05), 3))


def _adapters(value: Sequence[str], _: Origin) -> Becomes:
    if len(value) > 1:
        return lost(
            "The image's entrypoint passes one adapter on. Serve each with an endpoint of its own, or all with"
            " VllmEndpoint."
        )
    name, has_name, place = str(value[0]).partition("=")
    path = place if has_name else name
    if "@" in path:
        return lost(f"SGLang takes no revision of an adapter, and {value[0]} has one. Serve a copy of it from S3.")
    return setting("Clients name it in chats, as model `<model>:<adapter>`.", lora_paths=[f"{name}={path}"])


def _speculate(value: int, _: Origin) -> Becomes:
    if value == 0:
        return by_itself("It guesses no tokens ahead.")
    return setting("From n-grams.", speculative_algorithm="NGRAM", speculative_num_draft_tokens=value)


def _requests(value: int, _: Origin) -> Becomes:
    return setting("Waiting ones alone; more get 429.", max_queued_requests=value)


def _traces(value: str, _: Origin) -> Becomes:
    return setting(extra_args={"enable_trace": "true", "otlp_traces_endpoint": value})


def _log_level(value: str, _: Origin) -> Becomes:
    return setting(log_level="warning" if value == "warn" else str(value))


def _grammars(value: bool, _: Origin) -> Becomes:
    return setting(grammar_backend="none") if value else by_itself("Grammars are on.")


RULES: dict[str, OptionRule] = COMMON | {
    "num_shard": gpus("tp_size"),
    "sharded": sharded("tp_size"),
    "quantize": compression("quantization", eight_bits=lambda _: "fp8", four_bits=lambda _: "bitsandbytes"),
    "dtype": lambda value, _: setting(dtype=str(value)),
    "kv_cache_dtype": cache_dtype("kv_cache_dtype"),
    "speculate": _speculate,
    "trust_remote_code": flag("trust_remote_code", reason="Code of the repository is not run."),
    "max_total_tokens": becomes_option("context_length"),
    "max_batch_prefill_tokens": step_tokens("chunked_prefill_size"),
    "max_batch_total_tokens": becomes_option("max_total_tokens", "Tokens of the cache."),
    "max_batch_size": becomes_option("max_running_requests"),
    "max_concurrent_requests": _requests,
    "max_best_of": always(falls_away("`best_of` is of TGI's routes.")),
    "max_stop_sequences": always(falls_away("SGLang has no such limit.")),
    "max_top_n_tokens": always(falls_away("SGLang has no such limit, and `top_n_tokens` is of TGI's routes.")),
    "cuda_graphs": graphs("disable_cuda_graph"),
    "cuda_memory_fraction": _memory,
    "tgi_wiggle_room": _memory,
    "prefix_caching": flag("disable_radix_cache", when=False, reason="Prompts that begin alike share their cache."),
    "rope_scaling": stretched("json_model_override_args"),
    "rope_factor": stretched("json_model_override_args"),
    "lora_adapters": _adapters,
    "disable_grammar_support": _grammars,
    "json_output": lambda value, origin: json_logs(origin) if value else by_itself("Its log is text."),
    "log_level": _log_level,
    "otlp_endpoint": _traces,
}
