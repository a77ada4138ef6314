"""Alarms of a front door that undo updates of its models' endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Annotations

from constructs_lib._stack_env import environment_of, unique_path
from constructs_lib.endpoint.interface import IRolledOut
from constructs_lib.front_door.dimensions import FRONT_DOOR, MODEL, front_door_dimension
from constructs_lib.front_door.metrics import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from constructs_lib.endpoint.interface import IModelEndpoint


def give_rollback_alarms(front_door: Construct, models: Mapping[str, IModelEndpoint]) -> None:
    """Give each endpoint of the front door's stack that has a rollout an alarm on the errors of its model.

    The alarm depends on nothing, as synth knows its dimensions, so the endpoint can depend on it although the front
    door depends on the endpoint. To another stack it would be an export in the opposite direction.

    Args:
        front_door: The front door.
        models: Its endpoints by the names of their models.
    """
    unwatched = []
    for name, endpoint in models.items():
        if not isinstance(endpoint, IRolledOut) or not endpoint.wants_rollback_alarms:
            continue
        if not _are_in_one_stack(front_door, endpoint):
            continue
        if not endpoint.has_room_for_rollback_alarm:
            unwatched.append(name)
            continue
        # Imported here, as few endpoints have a rollout.
        from constructs_lib._rollback_alarm import rollback_alarm

        alarm = rollback_alarm(
            front_door,
            f"ServerErrors-{name}",
            requests=f"the requests for the model {name}",
            namespace=NAMESPACE,
            metric_name="ServerErrors",
            dimensions={FRONT_DOOR: front_door_dimension(unique_path(front_door)), MODEL: name},
        )
        endpoint.take_rollback_alarm(alarm)
    if unwatched:
        from constructs_lib.planning.rollout.problems import too_many_names

        warning = too_many_names(unwatched)
        Annotations.of(front_door).add_warning_v2(warning.id, warning.message)


def _are_in_one_stack(*constructs: Any) -> bool:
    # By path, as nested stacks are stacks of their own.
    return len({environment_of(each).stack.node.path for each in constructs}) == 1
