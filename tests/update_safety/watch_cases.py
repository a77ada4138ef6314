"""The changes of what watches endpoints and front doors: alarms, and the test after each deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_sns as sns

from constructs_lib import Fallback, FrontDoor
from constructs_lib.endpoint.watched import EndpointAlarms, InstanceAlarms
from constructs_lib.front_door.watched import FrontDoorAlarms
from tests.update_safety.endpoint_cases import add_endpoint
from tests.update_safety.fleet_cases import add_fleet
from tests.update_safety.front_door_cases import add_front_door, llama
from tests.update_safety.subjects import Change, Subject, added, fixed, nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.update_safety.subjects import Given


def topic(stack: Stack, name: str) -> sns.ITopic:
    """A topic that exists."""
    return sns.Topic.from_topic_arn(stack, f"Topic-{name}", f"arn:aws:sns:eu-west-1:123456789012:{name}")


def monitored(add: Callable[[Stack], Any]) -> Callable[[Stack, Given], None]:
    """Adds something with alarms, or without if that is what changes."""

    def build(stack: Stack, given: Given) -> None:
        watched = add(stack)
        if given:
            watched.monitor(**({"topic": topic(stack, "one")} | given))

    return build


def monitoring(name: str, add: Callable[[Stack], Any], alarms: type) -> Subject:
    """Switches the alarms on and off, changes what they all have, and leaves out each one."""
    on = fixed(runbook="docs/operations.md")
    return Subject(
        name,
        monitored(add),
        {
            "on or off": [Change(nothing, on), Change(on, nothing)],
            "topic": [Change(on, lambda stack: {"topic": topic(stack, "two")})],
            "runbook": [Change(on, fixed(runbook="https://example.com/runbook"))],
            "each alarm": [Change(on, fixed(**{each: None})) for each in alarms.__annotations__ if each not in _OFF],
        },
    )


# Alarms that the apps here do not have: of components, and of what the plan does not know.
_OFF = ("no_capacity",)


def add_front_door_with_every_alarm(stack: Stack) -> FrontDoor:
    """A front door with everything that has an alarm: a fallback, and a consumer whose tokens are counted."""
    front_door = add_front_door(stack, {"models": {"llama": Fallback([llama(stack), llama(stack, "Qwen")])}})
    front_door.add_consumer("Metered", tokens_per_day=1_000_000)
    return front_door


def add_tested_front_door(stack: Stack, given: Given) -> None:
    """A front door with a smoke test, or without if that is what changes."""
    front_door = add_front_door(stack, {})
    if given:
        front_door.add_smoke_test(**{key: value for key, value in given.items() if key != "on"})


SMOKE_TEST = Subject(
    "add_smoke_test",
    add_tested_front_door,
    {
        "on or off": [Change(nothing, fixed(on=True)), Change(fixed(on=True), nothing)],
        "timeout": [added("timeout", Duration.minutes(3), on=True)],
    },
)

WATCH_SUBJECTS = (
    monitoring("TgiEndpoint.monitor", lambda stack: add_endpoint(stack, {}), EndpointAlarms),
    monitoring("ModelFleet.monitor", lambda stack: add_fleet(stack, {}), InstanceAlarms),
    monitoring("FrontDoor.monitor", add_front_door_with_every_alarm, FrontDoorAlarms),
    SMOKE_TEST,
)
