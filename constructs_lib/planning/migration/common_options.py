"""What becomes of options of TGI in the same way on every engine.

Sources: TGI 3.3.6 `launcher/src/main.rs`; vLLM 0.30.0 `vllm/engine/arg_utils.py` and `vllm/config`; SGLang 0.5.20
`python/sglang/srt/arg_groups/fields`; what the front door keeps to, lambda/front_door.
"""

from __future__ import annotations

from typing import Any

from constructs_lib.planning.engines.tgi.options import UsageStats
from constructs_lib.planning.migration.outcome import (
    Becomes,
    Fate,
    OptionRule,
    Origin,
    always,
    by_hand,
    by_itself,
    falls_away,
    lost,
    setting,
)

_DEFAULT_LIMITS = {"max_best_of": 2, "max_stop_sequences": 4}
"""TGI's own, which a front door keeps to on TGI's routes."""

_BETWEEN_SHARDS = falls_away("It is how TGI's processes find each other.")
_SCHEDULING = falls_away("There is no batch to interrupt: new requests join the running ones at every step.")


def _input_tokens(value: int, origin: Origin) -> Becomes:
    total = origin.values.get("max_total_tokens")
    longest = f"{total - 1:,} tokens" if isinstance(total, int) else "the context, less one token"
    return falls_away(f"No engine but TGI limits prompts by themselves: they may take up to {longest}.")


def _limit(name: str) -> OptionRule:
    def rule(value: int, _: Origin) -> Becomes:
        default = _DEFAULT_LIMITS[name]
        if value == default:
            return Becomes(fate=Fate.FRONT_DOOR, reason="TGI's own number, which the front door keeps to.")
        if value > default:
            return lost(f"A request may ask for {default}, TGI's own number; on TGI's routes more get 422.")
        return falls_away(f"A request may ask for {default}, TGI's own number.")

    return rule


def _payload(value: int, _: Origin) -> Becomes:
    return Becomes(fate=Fate.FRONT_DOOR, reason="Bodies may be as large as SageMaker lets them be, 6,291,456 bytes.")


def _usage_stats(value: str, origin: Origin) -> Becomes:
    if value == UsageStats.OFF:
        return by_itself("Nothing is reported.")
    return falls_away(f"It told Hugging Face; {origin.engine} would tell others, and the plan leaves that off.")


def _switch(when_true: Becomes, when_false: Becomes) -> OptionRule:
    return lambda value, _: when_true if value is True else when_false


def _cache_folder(value: str, _: Origin) -> Becomes:
    if value == "/tmp":  # noqa: S108 - the storage volume of a SageMaker container
        return by_itself("The plan keeps downloads on the instance's storage volume.")
    return Becomes(fate=Fate.SET, reason="The hub's libraries read it on every engine.", variables={"HF_HOME": value})


def _service_name(value: str, _: Origin) -> Becomes:
    return Becomes(fate=Fate.SET, reason="OpenTelemetry's own variable.", variables={"OTEL_SERVICE_NAME": value})


_WATERMARK = lost("No other engine has TGI's watermark; a request that asks for one gets 422.")
_MEASURED = falls_away("The cache takes the memory that weights and a step leave; a batch is what fits there.")

COMMON: dict[str, OptionRule] = {
    "max_input_tokens": _input_tokens,
    "max_batch_total_tokens": always(_MEASURED),
    "max_waiting_tokens": always(_SCHEDULING),
    "waiting_served_ratio": always(_SCHEDULING),
    "max_best_of": _limit("max_best_of"),
    "max_stop_sequences": _limit("max_stop_sequences"),
    "max_client_batch_size": always(falls_away("Prompts of one request are limited by the server's own number.")),
    "validation_workers": always(falls_away("The server decides how many threads read prompts.")),
    "attention": always(by_itself("It chooses kernels by GPU and model.")),
    "prefill_chunking": _switch(
        by_itself("Long prompts are split over steps."),
        falls_away("Prompts are split over steps; whole ones would have to fit a step."),
    ),
    "disable_custom_kernels": always(falls_away("They are TGI's own, for BLOOM and GPT-NeoX.")),
    "disable_grammar_support": _switch(
        falls_away("It cannot be switched off; a request with a grammar is answered."),
        by_itself("Grammars are always on."),
    ),
    "enable_prefill_logprobs": always(by_itself("They are computed for the requests that ask for them.")),
    "tokenizer_config_path": always(
        by_hand("`chat_template` takes the template of that file, as text or as a file of its own with nothing else.")
    ),
    "payload_limit": _payload,
    "messages_api_enabled": always(by_itself("Chats are taken beside everything else.")),
    "usage_stats": _usage_stats,
    "watermark_gamma": always(_WATERMARK),
    "watermark_delta": always(_WATERMARK),
    "huggingface_hub_cache": _cache_folder,
    "weights_cache_override": always(by_hand("Serve that folder from S3 with `Model.from_s3`.")),
    "otlp_service_name": _service_name,
    "cors_allow_origin": always(falls_away("Callers of SageMaker never see it; `cors` of FrontDoor is for browsers.")),
    "prometheus_port": always(falls_away("Metrics have no port of their own.")),
    "graceful_termination_timeout": always(
        falls_away("There is no such time; SageMaker takes an instance out of service before it stops it.")
    ),
    "shard_uds_path": always(_BETWEEN_SHARDS),
    "master_addr": always(_BETWEEN_SHARDS),
    "master_port": always(_BETWEEN_SHARDS),
}
"""By the names of `TgiOptions`."""


def gpus(name: str) -> OptionRule:
    """The number of GPUs that share the model, for an engine that calls it so."""

    def rule(value: int, origin: Origin) -> Becomes:
        if value == origin.instance.accelerator_count:
            return by_itself("The plan lets every GPU of the instance share the model.")
        return setting("", **{name: value})

    return rule


def sharded(name: str) -> OptionRule:
    """Whether GPUs share the model at all."""

    def rule(value: bool, origin: Origin) -> Becomes:
        if value or origin.instance.accelerator_count == 1:
            return by_itself("The plan lets every GPU of the instance share the model.")
        return setting("", **{name: 1})

    return rule


def flag(name: str, *, when: bool = True, reason: str, value: bool = True) -> OptionRule:
    """A switch: an option if TGI's is on one side, nothing on the other.

    Args:
        name: The new engine's option.
        when: The value of TGI's option that needs it.
        reason: Why the other needs nothing, as a sentence.
        value: What the new option is set to.
    """

    def rule(given: bool, _: Origin) -> Becomes:
        return setting("", **{name: value}) if given is when else by_itself(reason)

    return rule


def share(origin: Origin, default: float) -> float:
    """The share of the GPU's memory that TGI was given, for an engine that takes `default` of a whole GPU."""
    fraction: Any = origin.values.get("cuda_memory_fraction", 1.0)
    room: Any = origin.values.get("tgi_wiggle_room", default)
    return round(min(1.0, float(fraction) * float(room)), 3)
