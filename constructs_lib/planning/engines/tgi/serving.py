"""What is certain at synth about how TGI will serve."""

from __future__ import annotations

from typing import Any

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.lora import names_of
from constructs_lib.planning.engines.served_model import quantization_of, revision_of
from constructs_lib.planning.engines.tgi.context import implementation_of, is_flash, support_of
from constructs_lib.planning.engines.tgi.launcher_options import OPTIONS
from constructs_lib.planning.engines.tgi.options import Dtype, Quantization
from constructs_lib.planning.engines.tgi.token_limits import MEASURED_SINCE, token_limits
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.serving_limits import ServingFacts

_FLOAT16_ONLY = (Quantization.AWQ, Quantization.EXL2, Quantization.GPTQ, Quantization.MARLIN)

# TGI 3.3.6 `launcher/src/main.rs`, struct Args; the same since the option came.
_DEFAULTS = {
    "max_concurrent_requests": 128,
    "max_best_of": 2,
    "max_stop_sequences": 4,
    "max_top_n_tokens": 5,
    "max_client_batch_size": 4,
}


def serving_facts(ctx: EngineContext, batch_setting: int | None) -> ServingFacts:
    """What is certain about how TGI will serve; what it measures at its start is not.

    Args:
        ctx: The context.
        batch_setting: The max_batch_total_tokens that the plan sets; None if it sets none.
    """
    kind = quantization_of(ctx, "quantize")
    longest_input, total = token_limits(ctx)
    limits: dict[str, Any] = {name: limit_of(ctx, name) for name in _DEFAULTS}
    return ServingFacts(
        version=format_version(ctx.version),
        revision=revision_of(ctx),
        dtype=_dtype(ctx, kind),
        quantize=str(kind) if kind else None,
        max_input_tokens=longest_input,
        max_total_tokens=total,
        max_batch_total_tokens=_batch_total(ctx, batch_setting),
        enable_prefill_logprobs=_computes_prompt_logprobs(ctx),
        adapters=names_of(ctx.values.get("lora_adapters")) if "lora_adapters" not in ctx.unknown else None,
        reads_images=implementation_of(ctx, ctx.facts).reads_images if ctx.facts else None,
        **limits,
    )


def _computes_prompt_logprobs(ctx: EngineContext) -> bool | None:
    """None if it depends on what is not known at synth.

    Sources: `models/flash_causal_lm.py` (only there it is an option, since 3.0), `causal_lm.py` and `seq2seq_lm.py`, of
    which the last reports no token of the prompt.
    """
    if ctx.facts is not None and support_of(ctx.facts).decodes_from_one_token:
        return False
    if ctx.version < (3, 0, 0) or ctx.values.get("enable_prefill_logprobs") is True:
        return True
    if "enable_prefill_logprobs" in ctx.unknown or ctx.facts is None:
        return None
    return not is_flash(ctx, ctx.facts)


def _batch_total(ctx: EngineContext, batch_setting: int | None) -> int | None:
    measures = ctx.version >= MEASURED_SINCE and (ctx.facts is None or is_flash(ctx, ctx.facts))
    return None if measures else ctx.number("max_batch_total_tokens") or batch_setting


def limit_of(ctx: EngineContext, name: str) -> int | None:
    """A limit that the options set or that has a fixed default; None if the version has none, or it is not known."""
    has = any(option.keyword == name and option.is_in(ctx.version) for option in OPTIONS)
    return ctx.number(name) if ctx.given(name) or not has else _DEFAULTS[name]


def _dtype(ctx: EngineContext, kind: str | None) -> str | None:
    if ctx.given("dtype"):
        return ctx.text("dtype")
    # Otherwise each of TGI's model classes decides for itself.
    return Dtype.FLOAT16.value if kind in _FLOAT16_ONLY else None
