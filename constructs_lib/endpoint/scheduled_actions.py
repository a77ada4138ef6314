"""Limits that change by the clock, as a scalable target has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_applicationautoscaling as autoscaling

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import IResolvable

    from constructs_lib.planning.scaling.schedule import LimitChange

_TARGET = autoscaling.CfnScalableTarget


def scheduled_actions(changes: Iterable[LimitChange]) -> list[IResolvable | _TARGET.ScheduledActionProperty]:
    """The scheduled actions of a scalable target whose limits change."""
    return [
        _TARGET.ScheduledActionProperty(
            scheduled_action_name=change.name,
            schedule=change.schedule,
            timezone=change.time_zone,
            scalable_target_action=_TARGET.ScalableTargetActionProperty(
                min_capacity=change.limits.minimum, max_capacity=change.limits.maximum
            ),
        )
        for change in changes
    ]
