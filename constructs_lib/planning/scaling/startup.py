"""How long a model takes until it serves, as an estimate; `planning.timeouts` has the limits, which are far above."""

from __future__ import annotations

ALARM = 102
"""Seconds from the first request that finds no copy until one is ordered: the alarm and its policy."""

INSTANCE = 105
"""Seconds until SageMaker has an instance."""


def start_seconds(load_seconds: int) -> int:
    """Seconds from an order until the new instance serves.

    Args:
        load_seconds: What image and weights take.
    """
    return INSTANCE + load_seconds


def wake_seconds(load_seconds: int) -> int:
    """Seconds from the first request that finds no copy to the first answer.

    Args:
        load_seconds: What image and weights take.
    """
    return ALARM + start_seconds(load_seconds)
