"""What a smoke test asks: each endpoint of each model, and each variant of an endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from constructs_lib._stack_env import environment_of
from constructs_lib.front_door.routed_models import Mirror, endpoints_of, is_routed, target_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aws_cdk import Stack

    from constructs_lib.endpoint.interface import DeployedModel, IModelEndpoint
    from constructs_lib.front_door.routed_models import RoutedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """An endpoint to be tested.

    Args:
        label: What it is called in the test's answer: the model's name, of a routed model with that of the target.
        model: The name of the model.
        target: The name of the endpoint within the model; None if it is the only one.
        is_mirror: Whether the second function calls it.
        endpoint: The endpoint.
        deployed: What is deployed of it.
    """

    label: str
    model: str
    target: str | None
    is_mirror: bool
    endpoint: IModelEndpoint
    deployed: DeployedModel


def divide(models: Mapping[str, RoutedModel], here: Stack) -> tuple[list[Tested], dict[str, str]]:
    """The endpoints to be tested, and why the others are not, by their labels.

    Args:
        models: The models of the front door.
        here: The stack of the test.
    """
    tested: list[Tested] = []
    skipped: dict[str, str] = {}
    for name, model in models.items():
        for endpoint in endpoints_of(model):
            target = target_name(endpoint) if is_routed(model) else None
            label = name if target is None else f"{name} at {target}"
            deployed: DeployedModel | None = getattr(endpoint, "deployed", None)
            if why := _reason_to_skip(endpoint, deployed, here):
                skipped[label] = why
            elif deployed is not None:
                tested.append(
                    Tested(
                        label=label,
                        model=name,
                        target=target,
                        is_mirror=isinstance(model, Mirror) and endpoint is model.to,
                        endpoint=endpoint,
                        deployed=deployed,
                    )
                )
    return tested, skipped


def questions(tested: Iterable[Tested], mirror_function: str | None) -> dict[str, dict[str, str]]:
    """What the test asks, by what each is called in its answer; empty for the only endpoint of a model.

    Call it at synthesis, when all variants are there.

    Args:
        tested: The endpoints.
        mirror_function: Name of the second function; None without one.
    """
    return {label: question for one in tested for label, question in _questions(one, mirror_function)}


def _questions(tested: Tested, mirror_function: str | None) -> Iterator[tuple[str, dict[str, str]]]:
    question = {} if tested.target is None else {"Model": tested.model, "Target": tested.target}
    if tested.is_mirror and mirror_function is not None:
        question["Function"] = mirror_function
    variants = _variant_names(tested.endpoint)
    if len(variants) < 2:
        yield tested.label, question
    for variant in variants if len(variants) > 1 else ():
        yield (
            f"{tested.label} (variant {variant})",
            {"Model": tested.model, **question, "Variant": variant, "Of": tested.label},
        )


def _variant_names(endpoint: Any) -> list[str]:
    """SageMaker chooses among these by weight unless one is named."""
    return [variant.variant_name for variant in getattr(endpoint, "variants", ())]


def _reason_to_skip(endpoint: IModelEndpoint, deployed: DeployedModel | None, here: Stack) -> str | None:
    if getattr(endpoint, "wake", None) is not None:
        return "it has no copy while nobody asks, and a test would start one"
    if deployed is None:
        return "its endpoint is imported, so this deployment does not change it"
    if not _are_rolled_back_together(environment_of(deployed.scopes[0]).stack, here):
        return "its endpoint is in another stack, which a failure here would not roll back"
    return None


def _are_rolled_back_together(one: Stack, other: Stack) -> bool:
    """Whether a failure in one stack rolls back the other: they are the same, or nested in the same one."""
    return one is other or _outermost(one) is _outermost(other)


def _outermost(stack: Stack) -> Stack:
    while parent := stack.nested_stack_parent:
        stack = parent
    return stack
