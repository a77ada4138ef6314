"""What is certain at synth about how LMI will serve."""

from __future__ import annotations

from collections.abc import Mapping

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.lmi.version_rules import reads_images
from constructs_lib.planning.engines.served_model import length_of, quantization_of, revision_of
from constructs_lib.planning.engines.vllm.options import LogprobsMode
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.serving_limits import ServingFacts, StreamFormat

_MAX_LOGPROBS = 20
"""vLLM's own max_logprobs (`vllm/config`)."""


def serving_facts(ctx: EngineContext) -> ServingFacts:
    """What is certain about how LMI will serve.

    Args:
        ctx: The context with the options that make the model fit.
    """
    return ServingFacts(
        version=format_version(ctx.version),
        revision=revision_of(ctx),
        dtype=ctx.text("dtype"),
        quantize=quantization_of(ctx, "quantize"),
        max_total_tokens=length_of(ctx, "max_model_len"),
        processed_logprobs=_processes_logprobs(ctx) or None,
        max_top_n_tokens=ctx.number("max_logprobs") if ctx.given("max_logprobs") else _MAX_LOGPROBS,
        chat=True,
        completions=True,
        tools=ctx.given("tool_call_parser"),
        reads_images=reads_images(ctx),
        stream_format=StreamFormat.JSON_LINES,
    )


def _processes_logprobs(ctx: EngineContext) -> bool:
    extra = ctx.values.get("extra_args")
    return isinstance(extra, Mapping) and extra.get("logprobs_mode") == LogprobsMode.PROCESSED_LOGPROBS
