"""Lengths of requests to choose from, for engines that do not find one that fits by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from constructs_lib.planning.engine import Settings
from constructs_lib.planning.memory_plan import MemoryPlan

LEAST_LENGTH, USEFUL_LENGTH = 1024, 4096
"""Shorter requests make no sense at all, or only if nothing else helps."""

_STEP = 256


def choices(memory: MemoryPlan, changes: Sequence[Settings], option: str | None) -> Iterator[Settings]:
    """Settings to try, each needing less memory than the one before.

    Requests get shorter before anything else changes, but shorter than `USEFUL_LENGTH` only when nothing else helps.

    Args:
        memory: The memory plan without any of them.
        changes: What else may change, the last of which needs the least memory.
        option: The option that says how long requests are; None if the caller gives it.
    """
    if option is None:
        yield from changes
        return
    asked = memory.asked_tokens
    longest = memory.low_tokens // _STEP * _STEP
    if USEFUL_LENGTH <= longest < asked:
        yield {option: longest}
    halves = [asked >> times for times in range(asked.bit_length()) if asked >> times >= LEAST_LENGTH]
    useful = [length for length in halves if length >= USEFUL_LENGTH or length == asked]
    yield from ({option: length} for length in useful[1:])
    for change in changes:
        yield change
        yield from ({option: length, **change} for length in useful[1:])
    least = changes[-1] if changes else {}
    yield from ({option: length, **least} for length in halves if length not in useful)
