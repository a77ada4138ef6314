"""Instances that are reserved for an endpoint."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityReservation:
    """A reservation of instances for SageMaker, such as a training plan for an endpoint.

    Args:
        arn: ARN of the reservation.
    """

    arn: str
