"""Tags by which Cost Explorer groups what a stack costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aws_cdk import Stack
    from constructs import IConstruct

STACK = "tgi-endpoint:stack"
MODEL = "tgi-endpoint:model"
COMPONENT = "tgi-endpoint:component"

# Below the CDK's default of 100, so that the same tags of an app, a stack or a construct win.
_PRIORITY = 50
# A tag of the stack itself would reach each resource a second time.
_EXCLUDED = ["aws:cdk:stack"]


def add_cost_tags(
    stack: Stack, *, model_id: str | None, endpoints: Iterable[IConstruct], front_door: IConstruct
) -> None:
    """Tag every resource of a stack that can have tags, and the inference components among them.

    SageMaker takes letters, digits, spaces and `_.:/=+-@` in keys and values, which names of stacks and ids of models
    consist of (botocore 1.44.5, sagemaker, TagKey and TagValue). A changed tag replaces nothing: it is updatable in the
    schema of each type.

    Args:
        stack: The stack.
        model_id: The repository of its only model; None if there are several.
        endpoints: Its own endpoints.
        front_door: Its front door.
    """
    _tag(stack, {STACK: stack.stack_name} | ({} if model_id is None else {MODEL: model_id}))
    for endpoint in endpoints:
        _tag(endpoint, {COMPONENT: "endpoint"})
    _tag(front_door, {COMPONENT: "front-door"})


def _tag(scope: IConstruct, tags: Mapping[str, str]) -> None:
    found = Tags.of(scope)
    for key, value in tags.items():
        found.add(key, value, priority=_PRIORITY, exclude_resource_types=_EXCLUDED)
