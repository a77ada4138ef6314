"""Instance pools: the instance types of one endpoint by priority, for when the first ones are scarce.

SageMaker starts instances of the first type that has capacity, at creation and whenever it adds one. A front door does
not know which type will answer, so what it says and checks is what every one of them serves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeGuard

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.request import EndpointPlan
from constructs_lib.planning.serving_limits import common_facts, common_value
from constructs_lib.planning.validation.problem import Described, PlanWarning, Problem, shown

MAX_POOLS = 5
"""Source: botocore 1.44.5, sagemaker 2017-07-24, InstancePoolList."""

_KEYWORD = "instance_type"


def is_list(pools: object) -> TypeGuard[Sequence[Any]]:
    """Whether something can be a list of instance types, right or wrong ones."""
    return isinstance(pools, Sequence) and not isinstance(pools, str | bytes)


def list_problems(pools: object) -> Iterator[Problem]:
    """What is wrong with the list itself.

    Args:
        pools: What the caller gives as instance types.
    """
    if not is_list(pools):
        message = f"must be a list of instance types, not {type(pools).__name__}"
        yield Problem(_KEYWORD, pools, message, "Put them in square brackets.")
        return
    if not 1 <= len(pools) <= MAX_POOLS:
        value = Described(f"{len(pools)} instance types")
        fix = f"Leave out the last {len(pools) - MAX_POOLS}." if pools else "Name at least one."
        yield Problem(_KEYWORD, value, f"a list must have 1 to {MAX_POOLS} instance types", fix)
    seen: dict[str, int] = {}
    for index, pool in enumerate(pools):
        if not isinstance(pool, InstanceType):
            continue  # the plan says so
        first = seen.setdefault(str(pool.name), index)
        if first != index:
            yield Problem(f"{_KEYWORD}[{index}]", pool.name, f"is {_KEYWORD}[{first}] already", "Name each type once.")


def combine(pools: object, plans: Sequence[EndpointPlan]) -> EndpointPlan:
    """One plan for an endpoint with several instance types.

    Args:
        pools: What the caller gives as instance types.
        plans: The plan for each of them; at least one.

    Returns:
        The plan of the first type, with the longest timeouts, the smallest limits and the smallest memory of all.
    """
    return replace(
        plans[0],
        pools=tuple(plans),
        startup_timeout_seconds=_longest([plan.startup_timeout_seconds for plan in plans]),
        model_download_timeout_seconds=_longest([plan.model_download_timeout_seconds for plan in plans]),
        load_seconds=max(plan.load_seconds for plan in plans),
        volume_size_gib=_longest([plan.volume_size_gib for plan in plans]),
        keeps_prefixes=common_value([plan.keeps_prefixes for plan in plans]),
        max_body_bytes=min(plan.max_body_bytes for plan in plans),
        memory=_smallest(plan.memory for plan in plans),
        serving=common_facts([plan.serving for plan in plans]),
        problems=(*list_problems(pools), *_problems(plans), *_ami_problems(plans), *_volume_problems(plans)),
        warnings=tuple(_warnings(plans)),
    )


def _longest(sizes: Sequence[Any]) -> Any:
    """The longest timeout or largest volume; what the caller gives, right or wrong, is the same for all types."""
    known = [one for one in sizes if isinstance(one, int)]
    return max(known) if known else sizes[0]


def _smallest(memories: Iterable[MemoryPlan | None]) -> MemoryPlan | None:
    known = list(memories)
    if any(memory is None for memory in known):
        return None
    return min((memory for memory in known if memory is not None), key=lambda memory: memory.max_tokens)


def _problems(plans: Sequence[EndpointPlan]) -> Iterator[Problem]:
    """The problems of all plans: one of an instance type under its place in the list, one of some with their names."""
    found: dict[tuple[str, ...], tuple[Problem, list[int]]] = {}
    for index, plan in enumerate(plans):
        for problem in plan.problems:
            one = _at(problem, index)
            key = (one.keyword, one.message, one.fix, shown(one.value))
            found.setdefault(key, (one, []))[1].append(index)
    for problem, indices in found.values():
        if problem.keyword.startswith(_KEYWORD) or len(indices) == len(plans):
            yield problem
        else:
            where = "; ".join(f"{_KEYWORD}[{index}], {plans[index].instance.name}" for index in indices)
            yield replace(problem, message=f"{problem.message} ({where})")


def _at(problem: Problem, index: int) -> Problem:
    if problem.keyword.partition(".")[0] != _KEYWORD:
        return problem
    return replace(problem, keyword=f"{_KEYWORD}[{index}]{problem.keyword.removeprefix(_KEYWORD)}")


def _warnings(plans: Sequence[EndpointPlan]) -> Iterator[PlanWarning]:
    """The warnings of all plans, each once; one of some types begins with their names, unless it has them already."""
    found: dict[PlanWarning, list[str]] = {}
    for plan in plans:
        for warning in plan.warnings:
            found.setdefault(warning, []).append(plan.instance.name)
    for warning, names in found.items():
        is_clear = len(names) == len(plans) or all(name in warning.message for name in names)
        yield warning if is_clear else replace(warning, message=f"{', '.join(names)}: {warning.message}")


def _ami_problems(plans: Sequence[EndpointPlan]) -> Iterator[Problem]:
    """That a variant has one host image, among the types that are right otherwise."""
    right = [plan for plan in plans if not any(one.keyword.startswith(_KEYWORD) for one in plan.problems)]
    amis = {plan.instance.name: plan.inference_ami_version for plan in right}
    if all(ami == right[0].inference_ami_version for ami in amis.values()):
        return
    needs = ", ".join(f"{name} {ami or 'the default of SageMaker'}" for name, ami in amis.items())
    yield Problem(
        _KEYWORD,
        Described(", ".join(amis)),
        f"need different machine images for their hosts, and an endpoint has one: {needs}",
        "Leave out those of one kind, or set inference_ami_version to one that all of them run.",
    )


def _volume_problems(plans: Sequence[EndpointPlan]) -> Iterator[Problem]:
    """That a variant has one storage volume, which some of its types need and others do not take."""
    right = [plan for plan in plans if not plan.problems]
    needing = [plan.instance.name for plan in right if plan.volume_size_gib is not None]
    refusing = [plan.instance.name for plan in right if not plan.instance.volume_configurable]
    if needing and refusing:
        yield Problem(
            _KEYWORD,
            Described(", ".join(plan.instance.name for plan in plans)),
            f"have one storage volume: {', '.join(needing)} without drives needs one, and SageMaker takes none for"
            f" {', '.join(refusing)}",
            "Leave out those of one kind.",
        )
