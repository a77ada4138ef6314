"""Validates what chooses among endpoints: what is in what, weights and percentages, and an endpoint named twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk.region_info import RegionInfo

from constructs_lib._arguments import is_number, type_name
from constructs_lib._tokens import hide_token, is_token
from constructs_lib.front_door.endpoints import callable_problems, one_endpoint_problems, served_by
from constructs_lib.front_door.models_file import other_region
from constructs_lib.front_door.routed_models import Fallback, Mirror, Split, construct_path, is_routed
from constructs_lib.planning.validation.problem import Described, Problem
from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from constructs_lib._stack_env import StackEnvironment

_ORDER = (
    "The order is Mirror, Split, Fallback, endpoint: Mirror(Split({Fallback([a, b]): 90, c: 10}), to=d, percent=5)."
)


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint in a model, before it is known to be one.

    Args:
        keyword: The argument.
        endpoint: What is there, neither a Split nor a Fallback nor a Mirror.
    """

    keyword: str
    endpoint: object


def routing_problems(environment: StackEnvironment, keyword: str, model: object) -> Iterator[Problem]:
    """The problems of a Split, Fallback or Mirror, and of the endpoints in it.

    Args:
        environment: The environment of the front door's stack.
        keyword: The argument.
        model: The Split, Fallback or Mirror.
    """
    for found in _walk(keyword, model, (Mirror, Split, Fallback), "a front door"):
        if isinstance(found, Problem):
            yield found
        else:
            yield from one_endpoint_problems(found.keyword, found.endpoint)
            yield from callable_problems(environment, found.keyword, found.endpoint, attributes=("account",))
            yield from _region_problems(environment, found.keyword, found.endpoint)


def _region_problems(environment: StackEnvironment, keyword: str, endpoint: object) -> Iterator[Problem]:
    """The problem of an endpoint in another Region: its name is unknown, or the Region is one of another AWS."""
    region = other_region(endpoint, environment)
    if region is not None and not is_token(environment.region):
        there, here = (RegionInfo.get(each).partition for each in (region, environment.region))
        if there != here:
            message = f"is the Region of the endpoint, and of the partition {there}: {here} has other accounts"
            yield Problem(keyword, region, message, "Give an endpoint of the front door's partition.")
            return
    # The CDK's own name of a resource; the name of an imported endpoint is no token.
    names = [getattr(endpoint, name, "") for name in ("endpoint_name", "_physical_name")]
    if region is not None and all(is_token(name) for name in names):
        message = (
            f"is created in {region} under a name that only the deployment knows, and the CDK passes such a name to no"
            " other Region"
        )
        yield Problem(keyword, endpoint, message, "Set its endpoint_name, or import it by from_endpoint_arn.")


def targets_in(model: object) -> list[object]:
    """What is where endpoints belong in a model, whatever its type is."""
    found = _walk("", model, (Mirror, Split, Fallback), "")
    return [one.endpoint for one in found if isinstance(one, Target)]


def _walk(keyword: str, given: object, allowed: tuple[type, ...], around: str) -> Iterator[Problem | Target]:
    """The endpoints in what is given, and what is wrong with how they are arranged."""
    if not is_routed(given):
        yield Target(keyword, given)
    elif not isinstance(given, allowed):
        yield Problem(keyword, Described(f"a {type_name(given)}"), f"cannot be in {around}", _ORDER)
    elif isinstance(given, Mirror):
        yield from _walk_mirror(keyword, given)
    elif isinstance(given, Split):
        yield from _walk_split(keyword, given)
    elif isinstance(given, Fallback):
        yield from _walk_fallback(keyword, given)


def _walk_mirror(keyword: str, mirror: Mirror) -> Iterator[Problem | Target]:
    primary = list(_walk(f"{keyword}.primary", mirror.primary, (Split, Fallback), "a Mirror"))
    yield from primary
    yield from _walk(f"{keyword}.to", mirror.to, (), "a Mirror's `to`, which is one endpoint")
    answering = [one.endpoint for one in primary if isinstance(one, Target)]
    if not is_routed(mirror.to) and any(_is_same(mirror.to, endpoint) for endpoint in answering):
        message = "gets the requests already: a copy would only be the same request a second time"
        yield Problem(f"{keyword}.to", mirror.to, message, "Give an endpoint that is not in the primary.")
    percent = hide_token(mirror.percent)
    if isinstance(percent, Unknown):
        yield _unknown(f"{keyword}.percent", percent)
    elif not (is_number(percent) and 0 <= percent <= 100):
        yield Problem(
            f"{keyword}.percent", percent, "must be a number from 0 to 100", "Write percent=5 for one request in 20."
        )


def _walk_split(keyword: str, split: Split) -> Iterator[Problem | Target]:
    if not isinstance(split.weights, Mapping) or not split.weights:
        message = "must be a mapping of endpoint to weight, with at least one"
        yield Problem(f"{keyword}.weights", split.weights, message, "Write Split({tgi: 95, vllm: 5}).")
        return
    places = {_place(f"{keyword}.weights", index, choice): choice for index, choice in enumerate(split.weights)}
    for place, choice in places.items():
        yield from _walk(place, choice, (Fallback,), "a Split")
    weights = {place: hide_token(weight) for place, weight in zip(places, split.weights.values(), strict=True)}
    problems = [found for place, weight in weights.items() for found in _weight_problems(place, weight)]
    yield from problems
    if not problems and not any(weights.values()):
        message = "are all 0, so that no endpoint would get a request"
        yield Problem(f"{keyword}.weights", list(split.weights.values()), message, "Give one of them a weight above 0.")
    yield from _duplicates({place: _first_of(choice) for place, choice in places.items()}, "a Split", "Add the weights")


def _walk_fallback(keyword: str, fallback: Fallback) -> Iterator[Problem | Target]:
    endpoints: object = fallback.endpoints
    if isinstance(endpoints, str) or not isinstance(endpoints, Sequence) or len(endpoints) < 2:
        message = "must be a list of at least two endpoints, in the order in which they are tried"
        yield Problem(f"{keyword}.endpoints", endpoints, message, "Write Fallback([first, second]).")
        return
    places = {f"{keyword}.endpoints[{index}]": endpoint for index, endpoint in enumerate(endpoints)}
    for place, endpoint in places.items():
        yield from _walk(place, endpoint, (), "a Fallback")
    yield from _duplicates(places, "a Fallback", "Leave it out")


def _weight_problems(place: str, weight: object) -> Iterator[Problem]:
    if isinstance(weight, Unknown):
        yield _unknown(place, weight)
    elif not (is_number(weight) and weight >= 0):
        yield Problem(place, weight, "must be a weight of 0 or more", "Write a number such as 95; 0 sends it nothing.")


def _unknown(keyword: str, value: Unknown) -> Problem:
    message = "must be known at synth, as a front door passes it to its function"
    return Problem(keyword, value, message, "Write it as a number.")


def _duplicates(places: Mapping[str, object], around: str, fix: str) -> Iterator[Problem]:
    """The problem of each endpoint that is there already: their callers and log lines could not be told apart."""
    before: list[object] = []
    for place, endpoint in places.items():
        if any(_is_same(endpoint, other) for other in before):
            yield Problem(place, endpoint, f"is in {around} twice", f"{fix}, or give another endpoint.")
        before.append(endpoint)


def _is_same(one: object, other: object) -> bool:
    """Whether two endpoints are one, also if it was imported twice."""
    return one is other or (served_by(one) == served_by(other) != (None, None))


def _first_of(choice: object) -> object:
    """What tells a choice of a Split apart from the others: the endpoint that a Fallback tries first."""
    if not isinstance(choice, Fallback):
        return choice
    endpoints: object = choice.endpoints
    return endpoints[0] if isinstance(endpoints, Sequence) and endpoints else choice


def _place(keyword: str, index: int, choice: object) -> str:
    """Where a choice is: by the endpoint's path, else by its place in the order."""
    return f"{keyword}[{index if (path := construct_path(choice)) is None else path}]"
