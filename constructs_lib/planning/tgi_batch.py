"""The limits that TGI has to be told where it measures nothing.

Source: TGI 3.3.6 `backends/v3/src/lib.rs` (connect_backend): models without flash attention get a batch of 16000
tokens, or of the longest request or prefill, whatever their memory; the others get what was measured.
"""

from __future__ import annotations

from constructs_lib.planning.memory import MemoryPlan
from constructs_lib.planning.tgi_situation import Situation

_DEFAULT_BATCH = 16_000


def batch_setting(at: Situation, memory: MemoryPlan) -> int | None:
    """A batch (max_batch_total_tokens) that fits the memory, where TGI's own would be larger; None leaves it to TGI."""
    default = max(_DEFAULT_BATCH, at.number("max_total_tokens") or 0, memory.prefill_tokens)
    wanted = memory.static and memory.fits and memory.max_tokens < default
    if not wanted or at.given("max_batch_total_tokens") or at.version < (0, 7, 0):
        return None
    return memory.max_tokens


def following_options(at: Situation, memory: MemoryPlan) -> dict[str, int]:
    """The options that follow from a memory plan, by their names in `TgiOptions`; none that TGI would ignore."""
    options: dict[str, int] = {}
    limits_given = at.given("max_total_tokens") or at.given("max_input_tokens")
    if at.chunks_prefill is False and at.version >= (3, 0, 0) and not limits_given and memory.context > 1:
        # Without prefill chunking TGI would take the limits from its warm-up prompt.
        options |= {"max_input_tokens": memory.context - 1, "max_total_tokens": memory.context}
    batch = batch_setting(at, memory)
    return options | ({"max_batch_total_tokens": batch} if batch else {})
