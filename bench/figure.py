"""What a measurement yields: a figure, its limit, and whether it is kept."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Samples = dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table.

    Args:
        key: The name in the JSON file, such as `cold.memory.streamed`.
        what: What was measured, for people.
        ours: The median of what this project takes, with its unit.
        reference: The median of what it is compared with, with its unit.
        value: The figure itself.
        unit: The unit of `value` and `limit`; `x` is a ratio.
        limit: The bound of `value`, None when there is none.
        bound: Whether `value` may be at most or must be at least `limit`.
        samples: Every single measurement, in the order in which they were taken.
    """

    key: str
    what: str
    ours: str
    reference: str
    value: float
    unit: str
    limit: float | None = None
    bound: Literal["at most", "at least"] = "at most"
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def kept(self) -> bool:
        """Whether the limit is kept; a figure without a limit always is."""
        if self.limit is None:
            return True
        return self.value <= self.limit if self.bound == "at most" else self.value >= self.limit

    @property
    def verdict(self) -> str:
        """`ok`, `MISSED`, or a dash for a figure without a limit."""
        if self.limit is None:
            return "–"
        return "ok" if self.kept else "MISSED"


def paired(variants: Mapping[str, Callable[[], float]], rounds: int, step: Callable[[str], None]) -> Samples:
    """Measure the variants in turns (A B A B …), so that all of them meet the same weather on the machine.

    Args:
        variants: What to measure, by name; each call is one measurement.
        rounds: How many measurements of each are kept. One more comes first and is thrown away.
        step: Is told what is being measured.
    """
    samples: Samples = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, measure in variants.items():
            step(f"{name}, {'warm-up' if number == 0 else f'{number} of {rounds}'}")
            value = measure()
            if number:
                samples[name].append(value)
    return samples


def median_ratio(ours: Sequence[float], reference: Sequence[float]) -> float:
    """The median of the ratios of each pair."""
    return statistics.median(one / other for one, other in zip(ours, reference, strict=True))


def median_excess(ours: Sequence[float], reference: Sequence[float]) -> float:
    """The median of the differences of each pair."""
    return statistics.median(one - other for one, other in zip(ours, reference, strict=True))


def missed(figures: Iterable[Figure]) -> list[Figure]:
    """Those whose limit is not kept."""
    return [figure for figure in figures if not figure.kept]
