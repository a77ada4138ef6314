"""Instances that are reserved for an endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import String, problem

ONLY_RESERVED = "capacity-reservations-only"
"""The preference. Source: botocore 1.44.5, sagemaker 2017-07-24, CapacityReservationPreference, which has no other."""

ARN = String(
    "the ARN of a reservation: arn:<partition>:sagemaker:<region>:<account>:training-plan/<name>",
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:[a-z0-9-]{1,14}/.*",
    longest=258,
)
"""Source: botocore 1.44.5, sagemaker 2017-07-24, MlReservationArn."""

_KEYWORD = "capacity_reservation"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityReservation:
    """Reserved instances for an endpoint: a SageMaker training plan with the target resource "endpoint".

    The endpoint uses no others: it fails to start while they are not free, an update needs room for the new instances
    beside the old ones, and when the reservation ends it stops serving.
    Source: SageMaker guide, page *training-plan-utilization-for-inference-endpoints*.

    Args:
        arn: ARN of the reservation, whose instance type must be that of the endpoint.
    """

    arn: str


def reservation_problems(reservation: object, region: str | None, instance_types: int) -> Iterator[Problem]:
    """What is wrong with a reservation.

    Args:
        reservation: What the caller gives. None: no reservation.
        region: The endpoint's Region; None if only the deployment knows it.
        instance_types: How many instance types the endpoint may have.
    """
    if reservation is None:
        return
    if not isinstance(reservation, CapacityReservation):
        message = f"must be a CapacityReservation, not {type(reservation).__name__}"
        yield Problem(_KEYWORD, reservation, message, "Write CapacityReservation(arn=…).")
        return
    keyword = f"{_KEYWORD}.arn"
    if found := problem(keyword, reservation.arn, ARN):
        yield found
    elif region is not None and (there := _field(reservation, 3)) not in (None, "", region):
        message = f"is of {there}, but instances are reserved for endpoints of their Region, here {region}"
        yield Problem(keyword, reservation.arn, message, "Use a reservation of that Region.")
    if instance_types > 1:
        message = f"is of one instance type, but instance_type has {instance_types}"
        yield Problem(_KEYWORD, reservation, message, "Name the reserved type only.")


def reservation_warnings(reservation: CapacityReservation | None, account: str | None) -> Iterator[PlanWarning]:
    """What is legal but risky.

    Args:
        reservation: A right one. None: no reservation.
        account: The endpoint's account; None if only the deployment knows it.
    """
    owner = _field(reservation, 4)
    if owner is not None and account is not None and owner != account:
        yield PlanWarning(
            "tgi-endpoint:reservationOfOtherAccount",
            f"The capacity reservation is of account {owner}, the endpoint of {account}. SageMaker finds it only if it"
            " is shared with that account.",
        )


def _field(reservation: CapacityReservation | None, number: int) -> str | None:
    """A part of the ARN; None if only the deployment knows it."""
    arn: object = None if reservation is None else reservation.arn
    return arn.split(":")[number] if isinstance(arn, str) else None
