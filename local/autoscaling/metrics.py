"""The metrics of CloudWatch that scaling reads."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from statistics import fmean

PUBLISHED = frozenset(
    {
        "ApproximateAgeOfOldestRequest",
        "ApproximateBacklogSize",
        "ApproximateBacklogSizePerInstance",
        "ConcurrentRequestsPerCopy",
        "ConcurrentRequestsPerModel",
        "ExpiredRequests",
        "HasBacklogWithoutCapacity",
        "InvocationFailures",
        "Invocations",
        "InvocationsPerCopy",
        "InvocationsPerInstance",
        "InvocationsProcessed",
        "NoCapacityInvocationFailures",
    }
)
"""The metrics of SageMaker that are recorded here, by variant or inference component; of queues by endpoint."""
STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Average": fmean,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Sum": sum,
}
KEPT_SECONDS = 24 * 3600.0
_PRUNE_AT = 20_000

Key = tuple[str, frozenset[tuple[str, str]]]
"""The name and the dimensions of a metric."""


def metric_key(name: str, dimensions: Mapping[str, str]) -> Key:
    """The key of a metric."""
    return name, frozenset(dimensions.items())


class Metrics:
    """Recorded values by metric. Times are those of one clock and do not decrease."""

    def __init__(self) -> None:
        self._values: dict[Key, tuple[list[float], list[float]]] = {}

    def record(self, key: Key, moment: float, value: float) -> None:
        """Records a value."""
        times, values = self._values.setdefault(key, ([], []))
        times.append(moment)
        values.append(value)
        if len(times) > _PRUNE_AT:
            old = bisect_left(times, moment - KEPT_SECONDS) or len(times) // 2
            del times[:old], values[:old]

    def statistic(self, key: Key, statistic: str, start: float, end: float) -> float | None:
        """A statistic, by its name in `STATISTICS`, of the values from start to before end; None without a value."""
        times, values = self._values.get(key, ([], []))
        found = values[bisect_left(times, start) : bisect_left(times, end)]
        return STATISTICS[statistic](found) if found else None
