"""What becomes of options of TGI on vLLM; by the names of `TgiOptions`.

Sources: vLLM 0.13.0 to 0.30.0 `vllm/engine/arg_utils.py`, `vllm/config/*.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from constructs_lib.planning.engines.vllm.releases import Kind, has
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.migration.common_options import COMMON, flag, gpus, sharded, share
from constructs_lib.planning.migration.compression import compression
from constructs_lib.planning.migration.outcome import (
    Becomes,
    OptionRule,
    Origin,
    always,
    becomes_option,
    by_hand,
    by_itself,
    lost,
    setting,
)

_DEFAULT_SHARE = 0.92
"""Of a GPU's memory (gpu_memory_utilization), from 0.20 on."""

MAX_LOGPROBS = 20
_LARGEST_STEP = 16_384
_LONGEST_STOP = 30
"""Seconds that SageMaker gives a container that it stops."""


def cache_dtype(name: str) -> OptionRule:
    """The type of the cache, which only TGI calls `fp8_e4m3fn`."""
    return lambda value, _: setting(**{name: str(value).removesuffix("fn")})


def step_tokens(name: str) -> OptionRule:
    """The tokens of one prefill, for an engine that splits prompts over steps of so many tokens."""

    def rule(value: int, origin: Origin) -> Becomes:
        if value > _LARGEST_STEP:
            return by_itself(
                f"{origin.engine} splits prompts over steps, so that none has to hold {value} tokens; `{name}` is"
                " their size."
            )
        return setting("Prompts may be longer: they are split over steps of so many tokens.", **{name: value})

    return rule


def logprobs(value: int, _: Origin) -> Becomes:
    """The most alternatives of a token."""
    if value <= MAX_LOGPROBS:
        return by_itself(f"Chats may ask for {MAX_LOGPROBS}; `top_n_tokens` of TGI's routes is refused.")
    return setting("For chats; `top_n_tokens` of TGI's routes is refused.", max_logprobs=value)


def ngrams(write: Callable[[dict[str, object]], object]) -> OptionRule:
    """How many tokens vLLM guesses ahead from n-grams; `write` gives the option its form."""

    def rule(value: int, _: Origin) -> Becomes:
        if value == 0:
            return by_itself("It guesses no tokens ahead.")
        reason = (
            "From n-grams. If the model has Medusa heads, which TGI would have used, name their repository instead."
        )
        config = {"method": "ngram", "num_speculative_tokens": value, "prompt_lookup_max": value}
        return setting(reason, speculative_config=write(config))

    return rule


def _four_bits(origin: Origin) -> str | Becomes:
    if has(Kind.QUANTIZATIONS, "bitsandbytes", origin.version):
        return "bitsandbytes"
    return lost(
        f"vLLM {format_version(origin.version)} compresses to no 4 bits while it loads; 0.27.1 was the last that had"
        " bitsandbytes. Serve weights that were published in AWQ or GPTQ, or `quantization='fp8'` with twice the"
        " memory."
    )


def _eight_bits(origin: Origin) -> str:
    kind = "int8_per_channel_weight_only"
    return kind if has(Kind.QUANTIZATIONS, kind, origin.version) else "fp8"


def graphs(name: str) -> OptionRule:
    """The CUDA graphs, for an engine that can do without."""

    def rule(value: Sequence[int], origin: Origin) -> Becomes:
        if not value:
            return setting("", **{name: True})
        return by_itself(f"{origin.engine} captures graphs for batch sizes of its own.")

    return rule


def stretched(name: str) -> OptionRule:
    """Stretched positions, which need figures of the model's config.json."""
    text = (
        f"`{name}` changes config.json: its rope parameters, with `rope_type`, `factor`, and the `rope_theta` that the"
        " file has, which the catalogue does not know."
    )
    return always(by_hand(text))


def _adapters(_: Sequence[str], __: Origin) -> Becomes:
    return by_hand(
        "Each becomes an inference component: put it into S3 as one archive, and give `VllmEndpoint` `adapters=[…]` and"
        " `scale_to_zero`. Requests go on naming it by `adapter_id`."
    )


def _memory(_: float, origin: Origin) -> Becomes:
    found = share(origin, _DEFAULT_SHARE)
    if found == _DEFAULT_SHARE:
        return by_itself(f"vLLM fills {_DEFAULT_SHARE} of each GPU.")
    return setting("Both count weights, a step and the cache.", gpu_memory_utilization=found)


def _log_level(value: str, _: Origin) -> Becomes:
    return setting(log_level="warning" if value == "warn" else str(value))


def _stop_seconds(value: int, _: Origin) -> Becomes:
    reason = "" if value <= _LONGEST_STOP else f"SageMaker waits {_LONGEST_STOP} seconds at most."
    return setting(reason, shutdown_timeout=min(value, _LONGEST_STOP))


def _requests(value: int, _: Origin) -> Becomes:
    return setting("Running and waiting together, as in TGI; more get 429.", max_num_queued_reqs=value)


def json_logs(origin: Any) -> Becomes:
    """Logs as JSON, which none of these servers writes by an option."""
    return lost(f"{origin.engine} writes its log as text.")


RUNS_VLLM: dict[str, OptionRule] = COMMON | {
    "kv_cache_dtype": cache_dtype("kv_cache_dtype"),
    "trust_remote_code": flag("trust_remote_code", reason="Code of the repository is not run."),
    "max_total_tokens": becomes_option("max_model_len"),
    "max_top_n_tokens": logprobs,
    "cuda_graphs": graphs("enforce_eager"),
    "cuda_memory_fraction": _memory,
    "tgi_wiggle_room": _memory,
    "prefix_caching": flag(
        "enable_prefix_caching", when=False, value=False, reason="Prompts that begin alike share their cache."
    ),
    "rope_scaling": stretched("hf_overrides"),
    "rope_factor": stretched("hf_overrides"),
    "json_output": lambda value, origin: json_logs(origin) if value else by_itself("Its log is text."),
}
"""Of vLLM, and of LMI, which passes these on to the vLLM in it."""

RULES: dict[str, OptionRule] = RUNS_VLLM | {
    "num_shard": gpus("tensor_parallel_size"),
    "sharded": sharded("tensor_parallel_size"),
    "quantize": compression("quantization", eight_bits=_eight_bits, four_bits=_four_bits),
    "dtype": lambda value, _: setting(dtype=str(value)),
    "speculate": ngrams(lambda config: config),
    "max_batch_prefill_tokens": step_tokens("max_num_batched_tokens"),
    "max_batch_size": becomes_option("max_num_seqs"),
    "max_concurrent_requests": _requests,
    "lora_adapters": _adapters,
    "log_level": _log_level,
    "otlp_endpoint": becomes_option("otlp_traces_endpoint"),
    "graceful_termination_timeout": _stop_seconds,
}
