"""The plan of several models on the instances of one endpoint.

A copy of a model sees only its own GPUs, so each model is planned as if the instance had no others; then the plan
checks that the copies of all models fit the instances together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from constructs_lib.planning.fleet_ami import fleet_ami
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.hardware.storage import stored_bytes
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointPlan, EndpointRequest
from constructs_lib.planning.rollout.plan import batch_of, replaced
from constructs_lib.planning.rollout.problems import figure_problems, rollout_problems
from constructs_lib.planning.rollout.request import RolloutRequest
from constructs_lib.planning.scaling.fleet import (
    COPIES,
    INSTANCES,
    MAX_COPIES,
    MOST,
    NO_INSTANCES,
    Copies,
    CopySize,
    Fleet,
)
from constructs_lib.planning.scaling.fleet import fleet_problems as placement_problems
from constructs_lib.planning.scaling.fleet import fleet_warnings as placement_warnings
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.unknown import Unknown

_MOST_GPUS = 64
_OF_A_MODEL = {
    "model",
    "copies",
    "options",
    "image",
    "environment",
    "startup_timeout",
    "model_download_timeout",
    "request_tokens",
    "concurrency_target",
    "scale_to_zero",
    "rollout",
}
"""The arguments that each model of a fleet has of its own."""


@dataclass(frozen=True, kw_only=True)
class FleetRequest:
    """Everything about a fleet that can be checked without AWS.

    Args:
        models: For each model what an endpoint for it alone would be asked for, on the fleet's instance type.
        copies: The least and the most copies of each model.
        instances: The least and the most instances.
        go_to_zero: The models that go to zero, whose most copies are their `max_copies`; if all do, the least
            instances may be 0. Default: none.
        rollouts: How an update replaces the copies of a model, where the caller says so. Default: nowhere.
        is_reserved: Whether the instances are reserved ones. Default: False.
    """

    models: Mapping[str, EndpointRequest]
    copies: Mapping[str, object]
    instances: object
    go_to_zero: frozenset[str] = frozenset()
    rollouts: Mapping[str, RolloutRequest] = field(default_factory=dict)
    is_reserved: bool = False


@dataclass(frozen=True, kw_only=True)
class FleetPlan:
    """What the construct renders, and everything that is wrong with the request.

    Args:
        models: The plan of one copy of each model; its instance has only the GPUs of that copy.
        initial_instances: The instances of a new endpoint.
        packs: Whether copies have to be placed on as few instances as possible: some take several GPUs, for which
            others could leave no room when they are spread.
        inference_ami_version: AMI of the hosts; None leaves it to SageMaker.
        problems: Why it cannot be deployed; nothing else of the plan counts then.
        warnings: What is legal but risky for all models.
        model_warnings: What is legal but risky for one model, by its name.
    """

    models: Mapping[str, EndpointPlan]
    initial_instances: int
    packs: bool
    inference_ami_version: str | None
    problems: tuple[Problem, ...]
    warnings: tuple[PlanWarning, ...]
    model_warnings: Mapping[str, tuple[PlanWarning, ...]]


def plan_fleet(request: FleetRequest) -> FleetPlan:
    """Decide everything about a fleet that can be decided without AWS.

    Args:
        request: What the caller asks for, with at least one model.

    Returns:
        The plan with all problems at once; nothing is raised for a mistake of the caller.
    """
    plans = {name: plan_copy(one) for name, one in request.models.items()}
    problems = [
        *problems_of_models({name: planned.problems for name, planned in plans.items()}),
        *_range_problems(request),
        *_size_problems(request.models, plans),
    ]
    ami, found = fleet_ami(request.models, plans)
    problems += found
    fleet = None if problems else _fleet(request, plans)
    if fleet:
        problems += placement_problems(fleet)
    warnings = {
        name: (*planned.warnings, *_unknown_size(request.models[name], planned)) for name, planned in plans.items()
    }
    shared = _shared(warnings.values())
    return FleetPlan(
        models=plans,
        initial_instances=max(fleet.least, fleet.needed({})) if fleet else 1,
        packs=fleet is not None and fleet.most > 1 and any(planned.accelerators > 1 for planned in plans.values()),
        inference_ami_version=ami,
        problems=tuple(problems),
        warnings=(*shared, *(placement_warnings(fleet) if fleet and not problems else ())),
        model_warnings={
            name: tuple(one for one in found_here if one not in shared) for name, found_here in warnings.items()
        },
    )


def plan_copy(request: EndpointRequest) -> EndpointPlan:
    """The plan of a model on the fewest GPUs of the instance on which it fits well.

    Args:
        request: What an endpoint for this model alone would be asked for.

    Returns:
        The plan with the fewest problems; of several without, the one on the fewest GPUs with memory to spare.
    """
    instance: object = request.instance
    count = instance.accelerator_count if isinstance(instance, InstanceType) else None
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MOST_GPUS:
        return plan(request)
    plans = {gpus: plan(_with_gpus(request, gpus)) for gpus in range(1, count + 1)}
    return plans[min(plans, key=lambda gpus: _rank(gpus, plans[gpus]))]


def problems_of_models(problems: Mapping[str, Iterable[Problem]]) -> Iterator[Problem]:
    """The problems of models as those of the fleet: with the model's name, and once if an argument is shared.

    Args:
        problems: The problems of each model as those of an endpoint of its own.
    """
    found = {name: tuple(each) for name, each in problems.items()}
    shared = [problem for problem in _shared(found.values()) if not _is_of_a_model(problem)]
    yield from shared
    for name, each in found.items():
        yield from (_of_model(name, problem) for problem in each if problem not in shared)


def _of_model(name: str, problem: Problem) -> Problem:
    if _is_of_a_model(problem):
        return replace(problem, keyword=f"models[{name!r}].{problem.keyword}")
    return replace(problem, message=f"for models[{name!r}]: {problem.message}")


def _is_of_a_model(problem: Problem) -> bool:
    return re.split(r"[.\[]", problem.keyword)[0] in _OF_A_MODEL


def _shared(each: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
    """What several models all have."""
    first, *others = each
    return tuple(one for one in first if others and all(one in other for other in others))


def _with_gpus(request: EndpointRequest, gpus: int) -> EndpointRequest:
    return replace(request, instance=replace(request.instance, accelerator_count=gpus))


def _rank(gpus: int, planned: EndpointPlan) -> tuple[int, bool, int, int]:
    """Fewer problems first, then plans that say something about memory, with room to spare, on the fewest GPUs.

    Of plans that do not fit, or ask for more GPUs, it prefers the most GPUs: they lack least.
    """
    memory, count = planned.memory, len(planned.problems)
    if memory is None:
        return count, True, 0, -gpus if count else gpus
    if memory.is_too_large:
        return count, False, 2, -gpus
    return count, False, int(memory.is_tight), gpus


def _range_problems(request: FleetRequest) -> Iterator[Problem]:
    for name, copies in request.copies.items():
        found = COPIES.problem(f"models[{name!r}].copies", copies)
        if found and name in request.go_to_zero:
            most = copies[1] if isinstance(copies, tuple) else copies
            found = Problem(
                f"models[{name!r}].{MAX_COPIES}",
                most,
                f"must be a whole number from 1 to {MOST}",
                "Write 3, or leave it out.",
            )
        if found:
            yield found
    instances = NO_INSTANCES if request.go_to_zero >= request.models.keys() else INSTANCES
    if found := instances.problem("instances", request.instances):
        yield found


def _size_problems(requests: Mapping[str, EndpointRequest], plans: Mapping[str, EndpointPlan]) -> Iterator[Problem]:
    """That nothing says how many GPUs a copy takes."""
    for name, request in requests.items():
        instance: object = request.instance
        count = instance.accelerator_count if isinstance(instance, InstanceType) else None
        option = request.engine.memory_model.option_names.shards
        given = getattr(request.options, option, None)
        is_known = isinstance(given, int) or (given is None and plans[name].memory is not None)
        if plans[name].problems or is_known or count == 1:
            continue
        unit = request.engine.hardware.unit
        message = f"is required for a model whose shape is not known: nothing says how many {unit}s a copy takes"
        fix = "Set it, or name a model of the same shape (like=…), or describe the model with facts=ModelFacts(…)."
        if request.model.known_facts() is not None:
            message, fix = f"is required: nothing else says how many {unit}s a copy takes", "Set it."
        if isinstance(given, Unknown):
            message = f"must be known at synth, as a copy gets that many {unit}s"
        yield Problem(f"models[{name!r}].options.{option}", given, message, fix)


def _unknown_size(request: EndpointRequest, planned: EndpointPlan) -> Iterator[PlanWarning]:
    if planned.memory is None and not planned.problems:
        yield PlanWarning(
            "tgi-endpoint:unknownCopySize",
            f"Whether a copy fits {planned.accelerators} of the GPUs of {request.instance.name}, and what memory and"
            " storage of the host it takes, is not known: the shape of the model is not. Name a model of the same shape"
            " (like=…), or describe it with facts=ModelFacts(…).",
        )


def _fleet(request: FleetRequest, plans: Mapping[str, EndpointPlan]) -> Fleet:
    first, *_ = request.models.values()
    instances: Any = request.instances
    copies: Mapping[str, Any] = request.copies
    volume: object = first.volume_size_gib
    models = {}
    for name, planned in plans.items():
        size, (least, most) = _size(request.models[name], planned), copies[name]
        models[name] = Copies(size, least, most, name in request.go_to_zero, _batch(request, name, planned))
    return Fleet(
        models=models,
        instance=first.instance,
        least=instances[0],
        most=instances[1],
        volume_size_gib=volume if isinstance(volume, int) else None,
    )


def _batch(request: FleetRequest, name: str, planned: EndpointPlan) -> int | None:
    """The copies that an update of a model starts beside its smallest number; None: as many."""
    rollout, zero = request.rollouts.get(name), name in request.go_to_zero
    copies: Any = request.copies[name]
    what = replaced(
        request.models[name],
        planned,
        unit="copies",
        least=copies[0],
        most=copies[1],
        is_reserved=request.is_reserved,
        goes_to_zero=zero,
    )
    is_right = rollout is None or not [*figure_problems(rollout), *rollout_problems(rollout, what)]
    return batch_of(rollout, what) if is_right else None


def _size(request: EndpointRequest, planned: EndpointPlan) -> CopySize:
    memory = planned.memory
    if memory is None:
        return CopySize(planned.accelerators)
    stored = stored_bytes(memory.download, is_archive=request.model.is_archive)
    return CopySize(planned.accelerators, memory.host_peak * planned.copies, stored)
