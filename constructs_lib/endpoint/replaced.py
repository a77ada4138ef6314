"""What an update of an endpoint, or of a model on inference components, replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.endpoint.rollout import rollout_request
from constructs_lib.planning.rollout.plan import replaced
from constructs_lib.planning.rollout.problems import figure_problems, rollout_problems
from constructs_lib.planning.summary import planned_capacity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from constructs_lib.endpoint.arguments import EndpointArguments
    from constructs_lib.endpoint.rollout import Rollout
    from constructs_lib.planning.capacity import Capacity
    from constructs_lib.planning.request import EndpointPlan, EndpointRequest
    from constructs_lib.planning.rollout.request import Replaced
    from constructs_lib.planning.validation.problem import Problem


def replaced_instances(
    arguments: EndpointArguments, asked: EndpointRequest, plan: EndpointPlan, capacities: Sequence[Capacity]
) -> Replaced:
    """The instances of an endpoint without inference components.

    Args:
        arguments: The endpoint's arguments.
        asked: What the caller asks of the endpoint, with tokens hidden.
        plan: Its plan, without problems.
        capacities: How many instances each of its variants has.
    """
    least, most = [each.min_instances for each in capacities], [each.max_instances for each in capacities]
    return replaced(
        asked,
        plan,
        unit="instances",
        least=_if_known(min, least),
        most=_if_known(max, most),
        is_reserved=arguments.capacity_reservation is not None,
        variants=len(capacities),
    )


def replaced_copies(
    arguments: EndpointArguments, asked: EndpointRequest, plan: EndpointPlan, *, least: int, most: int
) -> Replaced:
    """The copies of a model on inference components.

    Args:
        arguments: The endpoint's arguments; those of a member of a fleet are the same.
        asked: What the caller asks of the endpoint, with tokens hidden.
        plan: Its plan, without problems.
        least: The smallest number of copies at any time.
        most: The largest number of copies.
    """
    return replaced(
        asked,
        plan,
        unit="copies",
        least=least,
        most=most,
        is_reserved=arguments.capacity_reservation is not None,
        goes_to_zero=arguments.scale_to_zero is not None,
    )


def own_rollout_problems(arguments: EndpointArguments, asked: EndpointRequest, plan: EndpointPlan) -> Iterator[Problem]:
    """What is wrong with the rollout of an endpoint for as many instances or copies as it has without scaling.

    Args:
        arguments: The endpoint's arguments, without other problems.
        asked: What the caller asks of the endpoint, with tokens hidden.
        plan: Its plan, without problems.
    """
    if arguments.scale_to_zero is not None:
        what = replaced_copies(arguments, asked, plan, least=0, most=arguments.scale_to_zero.max_copies)
    else:
        what = replaced_instances(arguments, asked, plan, [planned_capacity(asked)])
    yield from replacement_problems(arguments.rollout, what)


def replacement_problems(given: Rollout | None, what: Replaced) -> Iterator[Problem]:
    """What is wrong with a rollout of what it replaces; nothing if its figures are wrong by themselves.

    Args:
        given: The caller's.
        what: What it replaces.
    """
    asked = rollout_request(given)
    if asked is not None and not list(figure_problems(asked)):
        yield from rollout_problems(asked, what)


def _if_known(choose: Callable[[list[int]], int], numbers: list[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return choose(known) if len(known) == len(numbers) else None
