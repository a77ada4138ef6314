"""The arguments of a further variant: what is given, and what is as in its endpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from constructs_lib._arguments import is_reserved_id
from constructs_lib._tokens import hide_token, is_token
from constructs_lib.endpoint.container_image import ContainerImage
from constructs_lib.planning.hardware.instance_types import CheapestFor
from constructs_lib.planning.variants import other_image_problem, variant_problems, with_engine_reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from constructs import Construct

    from constructs_lib.endpoint.arguments import EndpointArguments
    from constructs_lib.planning.engine import Engine
    from constructs_lib.planning.request import EndpointPlan, EndpointRequest
    from constructs_lib.planning.validation.problem import Problem

# What of the endpoint does not fit what is given instead of its own.
_DEPENDS_ON = {
    "volume_size": ("instance_type",),
    "capacity_reservation": ("instance_type",),
    "inference_ami_version": ("instance_type", "image"),
    "startup_timeout": ("model",),
    "model_download_timeout": ("model",),
}


def variant_arguments(
    endpoint: EndpointArguments, plan: EndpointPlan, *, name: object, weight: float, given: Mapping[str, Any]
) -> EndpointArguments:
    """The arguments of a variant, as those of an endpoint of its own.

    Args:
        endpoint: The arguments of the endpoint.
        plan: The endpoint's plan.
        name: The variant's name, right or wrong.
        weight: Its weight.
        given: What the caller gives; None is as in the endpoint.
    """
    own = {keyword: value for keyword, value in given.items() if value is not None}
    lost = {keyword: None for keyword, others in _DEPENDS_ON.items() if any(other in own for other in others)}
    chosen = {"instance_type": plan.instance} if isinstance(endpoint.instance_type, CheapestFor) else {}
    # A wrong name is reported as the argument `id`.
    known = {"variant_name": name} if isinstance(name, str) and not is_token(name) else {}
    return replace(endpoint, **(chosen | lost | known | own), variant_weight=weight)


def added_problems(
    arguments: EndpointArguments,
    scope: Construct,
    *,
    id: object,
    request: EndpointRequest,
    plan: EndpointPlan,
    names: Collection[str],
) -> Iterator[Problem]:
    """All that is wrong with adding a variant to an endpoint whose own arguments are right.

    Args:
        arguments: The arguments of the variant.
        scope: The endpoint.
        id: The variant's id.
        request: What the plan was made from.
        plan: The plan.
        names: The variants that the endpoint has.
    """
    yield from variant_problems(
        hide_token(id),
        hide_token(arguments.variant_weight),
        names,
        scales_to_zero=arguments.scale_to_zero is not None,
        is_reserved=is_reserved_id(id),
    )
    other_images = list(_image_problems(arguments.image, request.engine))
    yield from other_images
    said = {"variant_name", *("image" for _ in other_images)}
    for found in with_engine_reason(plan.problems, request):
        if found.keyword not in said:
            yield found
    for found in arguments.problems(scope):
        if found.keyword != "variant_weight":
            yield found


def _image_problems(image: object, engine: Engine) -> Iterator[Problem]:
    wanted = engine.images.construct
    if isinstance(image, ContainerImage) and wanted not in {kind.__name__ for kind in type(image).__mro__}:
        yield other_image_problem(image, type(image).__name__, wanted)
