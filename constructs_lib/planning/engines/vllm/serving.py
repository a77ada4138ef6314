"""What is certain at synth about how vLLM will serve.

Sources: vLLM `vllm/envs.py` (VLLM_MAX_STOP_STRINGS, VLLM_MAX_COMPLETION_PROMPTS) and `vllm/config/model.py`
(max_logprobs) at 0.13.0 to 0.30.0.
"""

from __future__ import annotations

from collections.abc import Mapping

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.served_model import length_of, quantization_of, revision_of
from constructs_lib.planning.engines.vllm.options import LogprobsMode
from constructs_lib.planning.engines.vllm.queue import queue_limit
from constructs_lib.planning.engines.vllm.releases import Kind, has, is_known
from constructs_lib.planning.images.catalogue import Version, format_version
from constructs_lib.planning.serving_limits import ServingFacts

_STOP_STRINGS, _LIMITS_STOPS_SINCE = 4, (0, 28, 0)
_PROMPTS, _LIMITS_PROMPTS_SINCE = 1024, (0, 26, 0)
_LOGPROBS = 20


def serving_facts(ctx: EngineContext) -> ServingFacts:
    """What is certain about how vLLM will serve.

    Args:
        ctx: The context with the options that make the model fit.
    """
    longest = length_of(ctx, "max_model_len")
    return ServingFacts(
        version=format_version(ctx.version),
        revision=revision_of(ctx),
        dtype=ctx.text("dtype"),
        quantize=quantization_of(ctx, "quantization"),
        max_input_tokens=longest - 1 if longest is not None and longest > 1 else None,
        max_total_tokens=longest,
        max_concurrent_requests=queue_limit(ctx),
        max_stop_sequences=_limit(ctx.version, _LIMITS_STOPS_SINCE, _STOP_STRINGS),
        max_top_n_tokens=_most_logprobs(ctx),
        max_client_batch_size=_limit(ctx.version, _LIMITS_PROMPTS_SINCE, _PROMPTS),
        enable_prefill_logprobs=True,
        processed_logprobs=ctx.text("logprobs_mode") == LogprobsMode.PROCESSED_LOGPROBS or None,
        reads_images=_reads_images(ctx),
        tools=ctx.given("tool_call_parser"),
        chat=True,
        completions=True,
    )


def _limit(version: Version, since: Version, limit: int) -> int | None:
    return limit if version >= since else None


def _most_logprobs(ctx: EngineContext) -> int | None:
    """None for the whole vocabulary."""
    if not ctx.given("max_logprobs"):
        return _LOGPROBS
    most = ctx.number("max_logprobs")
    return most if most is not None and most >= 0 else None


def _reads_images(ctx: EngineContext) -> bool | None:
    if ctx.facts is None or ctx.unknown.keys() & {"language_model_only", "limit_mm_per_prompt"}:
        return None
    limits = ctx.values.get("limit_mm_per_prompt")
    off = isinstance(limits, Mapping) and limits.get("image") == 0
    if off or ctx.values.get("language_model_only") is True:
        return False
    return has(Kind.IMAGE_TYPES, ctx.facts.model_type, ctx.version) or (False if is_known(ctx.version) else None)
