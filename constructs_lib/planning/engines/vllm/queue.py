"""How many requests vLLM takes at one time before it refuses more.

Source: vLLM 0.30.0 `vllm/config/scheduler.py` (max_num_queued_reqs counts those that run and those that wait).
"""

from __future__ import annotations

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.vllm.memory_settings import default_sequences
from constructs_lib.planning.engines.vllm.releases import Kind, has

_KEYWORD = "max_num_queued_reqs"


def has_queue_limit(ctx: EngineContext) -> bool:
    """Whether this version can refuse requests because too many wait."""
    return has(Kind.ARGUMENTS, _KEYWORD, ctx.version)


def queue_limit(ctx: EngineContext) -> int | None:
    """The most requests that run or wait: as given, else as many waiting ones as may run.

    Args:
        ctx: The context.

    Returns:
        None if this version has no limit, or one that is not known at synth.
    """
    if not has_queue_limit(ctx) or _KEYWORD in ctx.unknown:
        return None
    given = ctx.number(_KEYWORD)
    if given is not None:
        return given
    if "max_num_seqs" in ctx.unknown:
        return None
    return 2 * (ctx.number("max_num_seqs") or default_sequences(ctx)) * (ctx.number("data_parallel_size") or 1)
