"""auto_scale of an endpoint, whether this app creates it or imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib._tokens import hide_token
from constructs_lib.endpoint.interface import EndpointBase
from constructs_lib.endpoint.scaled_resource import variant_instances
from constructs_lib.endpoint.scaling import SCALING, EndpointScaling
from constructs_lib.errors import raise_if_any
from constructs_lib.planning.scaling.limits import count_problems, limit_problems, request_tokens_problems
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from constructs_lib.endpoint.arguments import EndpointArguments
    from constructs_lib.endpoint.model_variant import AddedVariant
    from constructs_lib.planning.request import EndpointPlan


def scale_instances(
    endpoint: EndpointBase | AddedVariant,
    *,
    min_instances: int,
    max_instances: int,
    request_tokens: int | None = None,
    plan: EndpointPlan | None = None,
    problems: Iterable[Problem] = (),
    tell_range: Callable[[int, int], None] | None = None,
) -> EndpointScaling:
    """Scale the instances of an endpoint's variant, or raise all that is wrong with the arguments.

    Args:
        endpoint: The endpoint, whose first variant is scaled, or another variant of it.
        min_instances: The smallest number, at least 1.
        max_instances: The largest number.
        request_tokens: Prompt and answer of one request together. Default: the longest request.
        plan: The plan of the endpoint. Default: none.
        problems: What else is wrong.
        tell_range: Is called with the smallest and the largest number at any time. Default: nobody is told.

    Raises:
        ConfigurationError: An argument is wrong, or the endpoint scales already. Nothing has been created.
    """
    minimum, maximum, tokens = (hide_token(value) for value in (min_instances, max_instances, request_tokens))
    keywords = ("min_instances", "max_instances")
    found = [
        *_second_call_problems(endpoint),
        *problems,
        *limit_problems(minimum, maximum, keywords=keywords, unit="instances"),
        *request_tokens_problems(tokens, plan),
    ]
    raise_if_any(endpoint, "", found)
    return EndpointScaling(
        endpoint,
        SCALING,
        resource=variant_instances(endpoint.endpoint_name, endpoint.variant_name),
        minimum=min_instances,
        maximum=max_instances,
        plan=plan,
        request_tokens=request_tokens,
        tell_range=tell_range,
    )


def own_scaling_problems(arguments: EndpointArguments, minimum: object, maximum: object) -> Iterator[Problem]:
    """What is wrong with scaling the instances of an endpoint of this app.

    Args:
        arguments: The arguments of the endpoint.
        minimum: The smallest number, with tokens hidden.
        maximum: The largest number, with tokens hidden.
    """
    if arguments.scale_to_zero is not None:
        yield Problem(
            keyword="auto_scale",
            value=arguments.scale_to_zero,
            message="is for the instances of an endpoint without scale_to_zero, which scales copies of the model",
            fix="Set max_copies of ScaleToZero, or remove scale_to_zero.",
        )
    yield from count_problems(hide_token(arguments.instance_count), minimum, maximum)


def _second_call_problems(endpoint: EndpointBase | AddedVariant) -> Iterator[Problem]:
    if endpoint.inference_component_name is None and endpoint.node.try_find_child(SCALING) is not None:
        noun = "endpoint" if isinstance(endpoint, EndpointBase) else "variant"
        fix = "Call it once, and add policies and schedules to what it returns."
        yield Problem("auto_scale", endpoint, f"is called twice for one {noun}", fix)
