"""Moves an endpoint from TGI to another engine, on paper: `migrate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from constructs_lib.planning.capacity import Capacity
from constructs_lib.planning.engine import Engine
from constructs_lib.planning.images.catalogue import ImageChoice, parse_version
from constructs_lib.planning.migration.beside import beside
from constructs_lib.planning.migration.clients import Difference, differences
from constructs_lib.planning.migration.options import (
    endpoint_outcomes,
    given_options,
    image_outcomes,
    merged,
    option_outcomes,
    own_steps,
    planned_options,
    refused,
    variable_outcomes,
)
from constructs_lib.planning.migration.outcome import Fate, Origin, Outcome
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointPlan, EndpointRequest
from constructs_lib.planning.sizing.candidates import candidates
from constructs_lib.planning.sizing.cheapest import cheapest
from constructs_lib.planning.summary import PlanSummary, planned_capacity, summary
from constructs_lib.planning.validation.problem import Problem

TARGETS = ("vllm", "sglang", "lmi")
"""The engines to which an endpoint can move, by their names in the registry."""


@dataclass(frozen=True, kw_only=True)
class Migration:
    """What becomes of an endpoint on TGI that moves to another engine.

    Args:
        source: What the endpoint on TGI is asked for.
        old: Its plan.
        target: What the new endpoint is asked for: on the same instance type if it fits there, else on the cheapest
            that it fits.
        new: Its plan.
        moved: Why it does not stay on its instance type; None if it does.
        outcomes: What becomes of each option, what the plan sets included; then what the new engine wants beside.
        differences: What clients may notice.
        before: The endpoint on TGI in short, with its price.
        after: The new endpoint in short; None if it cannot be deployed.
    """

    source: EndpointRequest
    old: EndpointPlan
    target: EndpointRequest
    new: EndpointPlan
    moved: Problem | None
    outcomes: tuple[Outcome, ...]
    differences: tuple[Difference, ...]
    before: PlanSummary
    after: PlanSummary | None

    @property
    def lost(self) -> tuple[Outcome, ...]:
        """The options that the new engine does not have."""
        return tuple(one for one in self.outcomes if one.becomes.fate is Fate.LOST)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why the new endpoint cannot be deployed; empty if it can."""
        return self.new.problems


def migrate(
    source: EndpointRequest, to: Engine, capacity: Capacity | None = None, *, asynchronous: bool = False
) -> Migration:
    """What becomes of an endpoint on TGI, and of its clients, on another engine.

    Nothing that the new engine refuses is proposed: an option whose counterpart its rules reject is lost, with what
    they say.

    Args:
        source: What the endpoint on TGI is asked for.
        to: The new engine, one of `TARGETS`, with its newest image.
        capacity: How many instances the endpoint runs. Default: as many as it is asked for, and nothing scales it.
        asynchronous: Whether it takes asynchronous requests alone. Default: False.

    Raises:
        ValueError: The endpoint is not on TGI, or there is no way to the engine.
    """
    if source.engine.name != "tgi" or to.name not in TARGETS:
        raise ValueError(f"there is no way from {source.engine.name} to {to.name}")
    old = plan(source)
    kind = list(endpoint_outcomes(source, to, asynchronous=asynchronous))
    outcomes, target, new = _on_newest_image(source, old, to)
    target, new, moved = _placed(target, new)
    range_of = capacity or planned_capacity(source)
    instances = target.pools or (new.instance,)
    return Migration(
        source=source,
        old=old,
        target=target,
        new=new,
        moved=moved,
        outcomes=(*kind, *outcomes),
        differences=tuple(differences(to, old, new, processed_logprobs=_gives_processed(target.options))),
        before=summary(source, old, replace(range_of, instances=source.pools or (old.instance,))),
        after=None if new.problems else summary(target, new, replace(range_of, instances=instances)),
    )


_Settled = tuple[list[Outcome], EndpointRequest, EndpointPlan]


def _on_newest_image(source: EndpointRequest, old: EndpointPlan, to: Engine) -> _Settled:
    """With the newest image that runs the model; the newest of all if none does."""
    newest, *older = reversed(to.images.versions)
    found = _on_image(source, old, to, newest)
    if not _cannot_run(found):
        return found
    others = (_on_image(source, old, to, version) for version in older)
    return next((other for other in others if not _cannot_run(other)), found)


def _cannot_run(settled: _Settled) -> bool:
    return any(one.keyword == "model" for one in settled[2].problems)


def _on_image(source: EndpointRequest, old: EndpointPlan, to: Engine, image: str) -> _Settled:
    outcomes, target, new = _settle(source, to, image, _outcomes(source, old, to, image))
    if not _has_no_memory(new):
        return outcomes, target, new
    smaller = [own_steps(outcome, to) for outcome in outcomes]
    retried = _settle(source, to, image, smaller)
    return (outcomes, target, new) if _has_no_memory(retried[2]) else retried


def _has_no_memory(new: EndpointPlan) -> bool:
    return any(one.keyword.startswith("instance_type") for one in new.problems)


def _outcomes(source: EndpointRequest, old: EndpointPlan, to: Engine, image: str) -> list[Outcome]:
    given = given_options(source)
    version = parse_version(image) or to.images.newest_version
    values = planned_options(source, old) | given
    origin = Origin(
        engine=to.display_name,
        version=version,
        values=values,
        facts=source.model.known_facts(),
        instance=old.instance,
        own_compression=source.engine.published_compression(given) if source.model.may_be_compressed else None,
    )
    before = parse_version(str(source.image_choice.version)) or source.images.newest_version
    return [
        *image_outcomes(to, image),
        *option_outcomes(to, origin, given),
        *variable_outcomes(to, origin, source.environment, before),
        *beside(to.name, version, values, source.model.hub_id),
    ]


def _settle(source: EndpointRequest, to: Engine, image: str, outcomes: list[Outcome]) -> _Settled:
    """Take out what the new engine refuses, until nothing is refused."""
    while True:
        target = _target(source, to, image, outcomes)
        new = plan(target)
        reasons = {one.keyword: one.message for one in new.problems}
        kept = [_judged(outcome, reasons) for outcome in outcomes]
        if kept == outcomes:
            return outcomes, target, new
        outcomes = kept


def _judged(outcome: Outcome, reasons: Mapping[str, str]) -> Outcome:
    for keyword, message in reasons.items():
        name = keyword.removeprefix("options.").partition("[")[0]
        if keyword.startswith("options.") and name in outcome.becomes.settings:
            return refused(outcome, f"`{name}={outcome.becomes.settings[name]!r}` {message}")
        variable = keyword.removeprefix("environment['").removesuffix("']")
        if keyword.startswith("environment[") and variable in outcome.becomes.variables:
            return refused(outcome, message)
    return outcome


def _target(source: EndpointRequest, to: Engine, image: str, outcomes: list[Outcome]) -> EndpointRequest:
    variables = {name: text for one in outcomes for name, text in one.becomes.variables.items()}
    return EndpointRequest(
        engine=to,
        model=replace(source.model, quantization=None),
        instance=source.instance,
        cheapest=source.cheapest,
        pools=source.pools,
        image=ImageChoice(version=image),
        options=to.options_type(**merged(outcomes)),
        environment=variables,
        region=source.region,
        instance_count=source.instance_count,
        volume_size_gib=source.volume_size_gib,
        has_volume_key=source.has_volume_key,
        network_isolation=source.network_isolation,
        network=source.network,
    )


def _placed(target: EndpointRequest, new: EndpointPlan) -> tuple[EndpointRequest, EndpointPlan, Problem | None]:
    """On another instance type, if the model does not fit where it is."""
    why = next((one for one in new.problems if one.keyword.startswith("instance_type")), None)
    facts = target.model.known_facts()
    if why is None or facts is None or len({one.keyword for one in new.problems}) > 1:
        return target, new, None
    ranked = candidates(
        facts,
        engine=target.engine,
        options=target.options,
        version=target.image_choice.version,
        region=target.region,
        is_archive=target.model.is_archive,
    )
    best = cheapest(ranked)
    if best is None:
        return target, new, why
    options = replace(target.options, **_shards(target, best.settings))
    elsewhere = replace(target, instance=best.instance, cheapest=None, pools=None, options=options)
    planned = plan(elsewhere)
    return (target, new, why) if planned.problems else (elsewhere, planned, why)


def _shards(target: EndpointRequest, settings: Mapping[str, object]) -> dict[str, Any]:
    """The number of GPUs, if the model cannot share all of them; the rest the plan sets by itself."""
    name = target.engine.memory_model.option_names.shards
    return {name: settings[name]} if name in settings else {}


def _gives_processed(options: Any) -> bool:
    extra = getattr(options, "extra_args", None) or {}
    mode = getattr(options, "logprobs_mode", None) or extra.get("logprobs_mode")
    return mode == "processed_logprobs"
