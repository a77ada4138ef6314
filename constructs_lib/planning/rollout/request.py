"""What a caller asks of a rollout, what it replaces, and what is rendered."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Unit = Literal["instances", "copies"]


class Strategy(StrEnum):
    """How traffic moves from the old instances or copies to the new ones."""

    ALL_AT_ONCE = "ALL_AT_ONCE"
    CANARY = "CANARY"
    LINEAR = "LINEAR"
    ROLLING = "ROLLING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """What a rollout replaces.

    Args:
        unit: `instances` of an endpoint, or `copies` of a model on inference components.
        least: The smallest number of them at any time; None if only the deployment knows it.
        most: The largest number of them; None if only the deployment knows it.
        start_seconds: From an order until one of them serves, as an estimate.
        start_limit_seconds: After which SageMaker gives a start up.
        is_scarce: Whether further instances are hard to get: p4, p5, p6 and newer, and reserved ones.
        goes_to_zero: Whether there may be none of them. Default: False.
        variants: How many production variants the endpoint has. Default: 1.
    """

    unit: Unit
    least: int | None
    most: int | None
    start_seconds: int
    start_limit_seconds: int
    is_scarce: bool
    goes_to_zero: bool = False
    variants: int = 1

    @property
    def has_several(self) -> bool:
        """Whether there are always two or more of them, as far as synth knows."""
        return self.least is not None and self.least >= 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutRequest:
    """What the caller asks for; None is a default, an `Unknown` what only the deployment knows.

    Args:
        strategy: How traffic moves.
        count: Size of a step or batch in instances or copies.
        percent: Size of a step or batch as a share of all.
        wait_seconds: How long alarms are watched after each step.
        termination_wait_seconds: How long the old instances stay once all traffic has moved.
        time_limit_seconds: After which SageMaker gives the rollout up.
        rolls_back_in_batches: Whether a rollback brings the old ones back in batches too.
        has_alarms: Whether the caller gives alarms.
    """

    strategy: Strategy
    count: int | None = None
    percent: int | None = None
    wait_seconds: int | None = None
    termination_wait_seconds: int | None = None
    time_limit_seconds: int | None = None
    rolls_back_in_batches: bool | None = None
    has_alarms: bool = False


@dataclass(frozen=True, slots=True)
class BatchSize:
    """The size of a step or batch.

    Args:
        kind: Whether `value` counts instances or copies, or is a share of all.
        value: At least 1.
    """

    kind: Literal["count", "percent"]
    value: int

    def batches(self, least: int | None, most: int | None, lowest_percent: int) -> int:
        """How many steps or batches there are at most.

        SageMaker does not say how it rounds a share: rounded down, half of three is one, which takes three batches.

        Args:
            least: The smallest number of what is replaced; None if it is not known.
            most: The largest number of it; None if it is not known.
            lowest_percent: The smallest share that SageMaker takes, which bounds the number if `most` does not.
        """
        if most is None:
            return math.ceil(100 / (lowest_percent if self.kind == "count" else self.value))
        if self.kind == "count":
            return math.ceil(most / self.value)
        numbers = range(max(1, least or 1), most + 1)
        return max(math.ceil(number / max(1, number * self.value // 100)) for number in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPlan:
    """What a construct renders.

    Args:
        strategy: How traffic moves.
        size: Of the canary, a linear step or a batch; None all at once.
        wait_seconds: How long alarms are watched after each step.
        termination_wait_seconds: How long the old instances stay once all traffic has moved; 0 when rolling.
        time_limit_seconds: After which SageMaker gives the rollout up.
        rollback_size: Batches of a rollback; None: all at once.
    """

    strategy: Strategy
    size: BatchSize | None
    wait_seconds: int
    termination_wait_seconds: int
    time_limit_seconds: int
    rollback_size: BatchSize | None = None
