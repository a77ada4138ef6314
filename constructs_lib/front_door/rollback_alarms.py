"""Alarms of a front door that undo updates of its models' endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Annotations

from constructs_lib._stack_env import environment_of, unique_path
from constructs_lib.endpoint.interface import IRolledOut
from constructs_lib.front_door.dimensions import FRONT_DOOR, MIRROR, MODEL, front_door_dimension
from constructs_lib.front_door.metrics import NAMESPACE
from constructs_lib.front_door.routed_models import Mirror, answering_endpoints

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_cloudwatch as cloudwatch
    from constructs import Construct

    from constructs_lib.front_door.routed_models import RoutedModel


def give_rollback_alarms(front_door: Construct, models: Mapping[str, RoutedModel]) -> None:
    """Give each endpoint of the front door's stack that has a rollout an alarm on the errors of its model.

    The endpoints that answer for one model share its alarm, as its metric does not tell them apart; that of a Mirror
    has one on the copies.

    The alarm depends on nothing, as synth knows its dimensions, so the endpoint can depend on it although the front
    door depends on the endpoint. To another stack it would be an export in the opposite direction.

    Args:
        front_door: The front door.
        models: Its endpoints, or what chooses among several, by the names of their models.
    """
    unwatched: list[str] = []
    for name, model in models.items():
        alarms = _Alarms(front_door, name)
        watched = [(endpoint, MODEL) for endpoint in answering_endpoints(model)]
        watched += [(model.to, MIRROR)] if isinstance(model, Mirror) else []
        for endpoint, dimension in watched:
            if not isinstance(endpoint, IRolledOut) or not endpoint.wants_rollback_alarms:
                continue
            if not _are_in_one_stack(front_door, endpoint):
                continue
            if endpoint.has_room_for_rollback_alarm:
                endpoint.take_rollback_alarm(alarms.on(dimension))
            elif name not in unwatched:
                unwatched.append(name)
    if unwatched:
        from constructs_lib.planning.rollout.problems import too_many_names

        warning = too_many_names(unwatched)
        Annotations.of(front_door).add_warning_v2(warning.id, warning.message)


class _Alarms:
    """The alarms of one model, each created when the first endpoint takes it."""

    def __init__(self, front_door: Construct, model: str) -> None:
        self._front_door, self._model = front_door, model
        self._created: dict[str, cloudwatch.CfnAlarm] = {}

    def on(self, dimension: str) -> cloudwatch.CfnAlarm:
        """The alarm on the requests of clients, or on their copies.

        Args:
            dimension: `MODEL` or `MIRROR`.
        """
        if dimension not in self._created:
            # Imported here, as few endpoints have a rollout.
            from constructs_lib._rollback_alarm import rollback_alarm

            is_mirror = dimension == MIRROR
            self._created[dimension] = rollback_alarm(
                self._front_door,
                f"{'Mirror' if is_mirror else 'Server'}Errors-{self._model}",
                requests=f"the {'copies of ' if is_mirror else ''}requests for the model {self._model}",
                namespace=NAMESPACE,
                metric_name="ServerErrors",
                dimensions={FRONT_DOOR: front_door_dimension(unique_path(self._front_door)), dimension: self._model},
            )
        return self._created[dimension]


def _are_in_one_stack(*constructs: Any) -> bool:
    # By path, as nested stacks are stacks of their own.
    return len({environment_of(each).stack.node.path for each in constructs}) == 1
