"""Scaling policies: which capacity a metric asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.autoscaling.expressions import Expression


@dataclass(frozen=True, slots=True)
class Step:
    """A step: for a metric between two distances from the alarm's threshold, None for no bound."""

    lower: float | None
    upper: float | None
    adjustment: float

    def contains(self, distance: float) -> bool:
        """Whether it applies at a distance from the threshold."""
        return (self.lower is None or distance >= self.lower) and (self.upper is None or distance <= self.upper)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPolicy:
    """A step scaling policy; alarms invoke it by its ARN."""

    name: str
    arn: str
    adjustment_type: str
    steps: Sequence[Step]
    cooldown: float
    min_magnitude: int

    def desired(self, capacity: int, distance: float) -> int:
        """The capacity that it asks for, before the limits of its target; the current one if no step applies.

        Args:
            capacity: The current capacity.
            distance: The metric minus the threshold of the alarm.
        """
        step = next((each for each in self.steps if each.contains(distance)), None)
        if step is None:
            return capacity
        match self.adjustment_type:
            case "ExactCapacity":
                return int(step.adjustment)
            case "PercentChangeInCapacity":
                change = math.trunc(capacity * step.adjustment / 100) or int(math.copysign(1, step.adjustment))
                return capacity + int(math.copysign(max(abs(change), self.min_magnitude), change))
        return capacity + int(step.adjustment)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingPolicy:
    """A target tracking policy on a metric per instance or copy.

    Args:
        name: Its name.
        watched: The metric.
        target: The value to keep.
        period: The period of the metric in seconds.
        scale_out_cooldown: Seconds between two scale-outs.
        scale_in_cooldown: Seconds between two scale-ins.
        scales_in: Whether it also removes capacity.
    """

    name: str
    watched: Expression
    target: float
    period: float
    scale_out_cooldown: float
    scale_in_cooldown: float
    scales_in: bool

    def desired(self, capacity: int, value: float) -> int:
        """The capacity at which the metric would be at most the target."""
        return math.ceil(round(capacity * value / self.target, 6))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A scalable target with its policies.

    Args:
        resource_id: What it scales, such as `inference-component/llama`.
        minimum: The smallest capacity.
        maximum: The largest capacity.
        steps: Its step policies.
        tracking: Its target tracking policies.
    """

    resource_id: str
    minimum: int
    maximum: int
    steps: Sequence[StepPolicy]
    tracking: Sequence[TrackingPolicy]

    def limit(self, capacity: int) -> int:
        """The capacity within the limits."""
        return max(self.minimum, min(self.maximum, capacity))
