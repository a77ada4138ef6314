"""A benchmark's result: a figure, its limit, and whether the limit is met."""

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
        description: What was measured, as the table shows it.
        ours: The median of this project, with its unit.
        reference: The median of the reference, with its unit.
        value: The figure.
        unit: The unit of `value` and `limit`; `x` is a ratio.
        limit: The limit of `value`. None: no limit.
        bound: Whether `value` must be at most or at least `limit`.
        samples: All measurements by variant, in the order in which they were taken.
    """

    key: str
    description: str
    ours: str
    reference: str
    value: float
    unit: str
    limit: float | None = None
    bound: Literal["at most", "at least"] = "at most"
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def is_met(self) -> bool:
        """Whether the limit is met; without a limit always."""
        if self.limit is None:
            return True
        return self.value <= self.limit if self.bound == "at most" else self.value >= self.limit

    @property
    def verdict(self) -> str:
        """`ok`, `MISSED`, or a dash for a figure without a limit."""
        if self.limit is None:
            return "–"
        return "ok" if self.is_met else "MISSED"


def paired(variants: Mapping[str, Callable[[], float]], rounds: int, step: Callable[[str], None]) -> Samples:
    """Measure the variants in alternation (A B A B …), so that other load on the machine affects all of them.

    Args:
        variants: The variants by name; each call is one measurement.
        rounds: Number of measurements of each. One more is made first and discarded.
        step: Called with a description of each measurement.
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
    """The median of the ratios of the pairs."""
    return statistics.median(one / other for one, other in zip(ours, reference, strict=True))


def median_excess(ours: Sequence[float], reference: Sequence[float]) -> float:
    """The median of the differences of the pairs."""
    return statistics.median(one - other for one, other in zip(ours, reference, strict=True))


def missed(figures: Iterable[Figure]) -> list[Figure]:
    """The figures whose limit is not met."""
    return [figure for figure in figures if not figure.is_met]
