"""Which functions the rules of EventBridge invoke for an event of a service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.lambda_service.environment import function_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local.deployment.control_plane import ControlPlane

RULE = "AWS::Events::Rule"
_PERMISSION = "AWS::Lambda::Permission"
_PRINCIPAL = "events.amazonaws.com"
# What changes the event that a target gets.
_CHANGES = ("Input", "InputPath", "InputTransformer")


def functions_for(plane: ControlPlane, event: Mapping[str, Any], log: Callable[[str], None]) -> Iterator[str]:
    """The ARNs of the functions that rules of the account invoke for an event.

    Args:
        plane: The control plane.
        event: The event.
        log: Receives why a target gets none.
    """
    from moto.events.models import EventPattern

    for rule in plane.stacks.resources(RULE):
        properties = rule.properties
        pattern = properties.get("EventPattern")
        if properties.get("State", "ENABLED") == "DISABLED" or pattern is None:
            continue
        if not EventPattern.load(json.dumps(pattern)).matches_event(event):
            continue
        for target in properties.get("Targets", ()):
            problem = _problem_of(plane, target, rule.instance.arn)
            if problem is None:
                yield str(target["Arn"])
            else:
                log(f"rule {rule.logical_id}: {target['Arn']} gets no event: {problem}")


def _problem_of(plane: ControlPlane, target: Mapping[str, Any], rule: str) -> str | None:
    arn = str(target["Arn"])
    if ":lambda:" not in arn:
        return "the emulated EventBridge invokes functions alone."
    if changes := [name for name in _CHANGES if name in target]:
        return f"the emulated EventBridge has no {', '.join(changes)}."
    for permission in plane.stacks.resources(_PERMISSION):
        properties = permission.properties
        allowed = properties.get("Action") in ("lambda:InvokeFunction", "lambda:*")
        if (
            allowed
            and properties.get("Principal") == _PRINCIPAL
            and function_name(str(properties["FunctionName"])) == function_name(arn)
            and properties.get("SourceArn", rule) == rule
        ):
            return None
    return f"no AWS::Lambda::Permission of the function allows it to {_PRINCIPAL} for {rule}."
