"""Rollout: how SageMaker replaces what an endpoint runs, and what undoes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """How an update of an endpoint replaces its instances, and which alarms undo it."""
