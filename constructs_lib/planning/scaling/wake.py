"""What a front door says while a model has no copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs_lib.planning.scaling.hours import OpeningHours


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeFacts:
    """How a model comes back from zero.

    Args:
        seconds: Estimate from the first request that finds no copy to the first answer.
        hours: When at least one copy runs. None: no such hours.
    """

    seconds: int
    hours: OpeningHours | None = None
