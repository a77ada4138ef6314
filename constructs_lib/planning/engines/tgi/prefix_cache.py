"""Whether TGI keeps the keys and values of prompts for later ones that begin the same.

Source: TGI 3.3.6 `launcher/src/main.rs` (`resolve_attention`).
"""

from __future__ import annotations

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.context import attention_of, implementation_of
from constructs_lib.planning.engines.tgi.options import Attention

_KEYWORD = "prefix_caching"
_SINCE = (2, 3, 0)


def keeps_prefixes(ctx: EngineContext) -> bool | None:
    """As the option says, else unless old kernels, an old version, adapters, images or padded batches exclude it.

    Args:
        ctx: The context.

    Returns:
        None if it depends on what is not known at synth.
    """
    if ctx.version < _SINCE or attention_of(ctx) == Attention.PAGED:
        return False
    if _KEYWORD in ctx.unknown:
        return None
    if _KEYWORD in ctx.values:
        return ctx.values[_KEYWORD] is True
    if ctx.given("lora_adapters"):
        return False
    if ctx.facts is None:
        return None
    runs_with = implementation_of(ctx, ctx.facts)
    return runs_with.flash and not runs_with.reads_images
