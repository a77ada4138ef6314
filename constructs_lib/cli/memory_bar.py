"""What fills a GPU's memory, for bars and drawings."""

from __future__ import annotations

from dataclasses import dataclass

from constructs_lib.cli.terminal import Terminal
from constructs_lib.planning.memory_plan import MemoryPlan


@dataclass(frozen=True)
class Shares:
    """Parts of one GPU's memory, in bytes.

    Args:
        total: What the GPU has.
        weights: The model's weights.
        cache: Keys and values of the tokens that are asked for.
        reserve: What TGI keeps back and what CUDA and the largest prefill take.
        free: What is left, for further keys and values.
        missing: What does not fit.
    """

    total: int
    weights: int
    cache: int
    reserve: int
    free: int
    missing: int

    @classmethod
    def of(cls, memory: MemoryPlan, tokens: int, *, fits: bool) -> Shares:
        """The parts with the keys and values of that many tokens.

        Args:
            memory: The plan of the GPU.
            tokens: Over all requests.
            fits: Whether they fit. What TGI keeps back from tokens is not kept back from its start, so a start that
                fits may take of it, and one that does not fit lacks less.
        """
        cache = tokens * memory.kv_bytes_per_token
        reserve = memory.gpu_memory - memory.usable + memory.runtime + memory.prefill
        left = memory.gpu_memory - memory.weights - cache - reserve
        lacking = 0 if fits else memory.shortfall or max(0, -left)
        taken = min(reserve, max(0, -left - lacking))
        left += taken
        return cls(memory.gpu_memory, memory.weights, cache, reserve - taken, max(0, left), max(0, -left))


@dataclass(frozen=True)
class Part:
    """How one part is shown."""

    name: str
    words: str
    block: str
    letter: str
    style: str


PARTS = (
    Part("weights", "weights", "█", "#", "blue"),
    Part("cache", "keys and values", "▓", "=", "magenta"),
    Part("reserve", "kept back", "▒", "-", "yellow"),
    Part("free", "free for more tokens", "░", ".", "green"),
)


def bar(shares: Shares, width: int, terminal: Terminal) -> str:
    """A bar of one GPU's memory; `!` at its end says that something does not fit."""
    lengths = _lengths(shares, width - (1 if shares.missing else 0))
    blocks = [
        terminal.paint((part.block if terminal.unicode else part.letter) * length, part.style)
        for part, length in zip(PARTS, lengths, strict=True)
    ]
    return "".join(blocks) + (terminal.paint("!", "red", "bold") if shares.missing else "")


def legend(terminal: Terminal) -> str:
    """What the blocks of a bar mean."""
    return "   ".join(
        f"{terminal.paint(part.block if terminal.unicode else part.letter, part.style)} {part.words}" for part in PARTS
    )


def _lengths(shares: Shares, width: int) -> list[int]:
    """Characters of each part, which together are the width."""
    sizes = [getattr(shares, part.name) for part in PARTS]
    edges = [round(width * min(1, sum(sizes[: place + 1]) / (sum(sizes) or 1))) for place in range(len(sizes))]
    return [edge - before for edge, before in zip(edges, [0, *edges], strict=False)]
