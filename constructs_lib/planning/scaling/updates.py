"""Another instance type for a running endpoint: what an update cannot do, and when a new endpoint takes over."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from constructs_lib.planning.request import EndpointPlan
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Boolean, problem

KEYWORD = "replace_on_instance_type_change"


def replacement_problems(replaces: object, endpoint_name: object) -> Iterator[Problem]:
    """What is wrong with letting a new endpoint take over.

    Args:
        replaces: Whether one does.
        endpoint_name: The endpoint's name; None if CloudFormation chooses one.
    """
    if found := problem(KEYWORD, replaces, Boolean()):
        yield found
    elif replaces and endpoint_name is not None:
        yield Problem(
            KEYWORD,
            replaces,
            "is for endpoints without endpoint_name: the new endpoint exists beside the old one, under another name",
            "Leave endpoint_name out, or replace_on_instance_type_change, and change the type in two deployments.",
        )


def replacing_id(plan: EndpointPlan) -> str:
    """The id of an endpoint that another one takes over from when the instance types change.

    Args:
        plan: Its plan.
    """
    names = [one.instance.name for one in plan.pools or [plan]]
    return names[0] if len(names) == 1 else f"pools-{sha256(' '.join(names).encode()).hexdigest()[:8]}"


def other_stack_error() -> str:
    """Says why no new endpoint can take over from one that another stack uses."""
    return (
        f"{KEYWORD}=True: another stack uses this endpoint, and CloudFormation refuses to change an export in use. Put"
        f" the front door into the endpoint's stack, or leave {KEYWORD} out and change the type in two deployments."
    )


def type_change_warning() -> PlanWarning:
    """Says how to change the instance type of an endpoint that scales and that keeps its name."""
    return PlanWarning(
        "tgi-endpoint:scalingKeepsInstanceType",
        "While auto_scale is on, SageMaker refuses an update that changes the instance type, and CloudFormation rolls"
        " back. Change the type in two deployments: one without auto_scale, then one with the new type and auto_scale."
        " Or set replace_on_instance_type_change=True from the first deployment on.",
    )


def async_type_change_warning() -> PlanWarning:
    """Says how to change the instance type of an asynchronous endpoint, which always scales."""
    return PlanWarning(
        "tgi-endpoint:asyncKeepsInstanceType",
        "SageMaker refuses an update that changes the instance type of an endpoint that scales, and CloudFormation"
        " rolls back. For another type add a second endpoint, let clients move to it, and remove this one once its"
        " backlog is empty.",
    )
