"""Finds the cheapest instance for a request that leaves the choice to the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from constructs_lib.planning.hardware.instance_types import CheapestFor
from constructs_lib.planning.images.catalogue import Version, format_version
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.sizing.candidates import Candidate, candidates
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Integer, problem
from constructs_lib.planning.validation.unknown import Unknown

_KEYWORD = "instance_type"
_RULES = {"tokens": Integer(2), "concurrency": Integer(1)}


def cheapest(ranked: Iterable[Candidate]) -> Candidate | None:
    """The cheapest that serves what is requested on hardware that the engine was built and tested for.

    Args:
        ranked: Candidates in the order of `candidates`.
    """
    return next((one for one in ranked if one.fits and one.caution is None), None)


def choose_cheapest(request: EndpointRequest, version: Version) -> tuple[EndpointRequest, list[Problem]]:
    """The request with the cheapest instance and the options that follow from it.

    Args:
        request: What the caller asks for; one that names an instance is returned as it is.
        version: Version of the engine.

    Returns:
        The request, still undecided if no instance can be found, and why not.
    """
    load: object = request.cheapest
    if load is None:
        return request, []
    if not isinstance(load, CheapestFor):
        fix = "Write InstanceType.cheapest_for(tokens=…)."
        return request, [Problem(_KEYWORD, load, f"must be a CheapestFor, not {type(load).__name__}", fix)]
    found = [
        wrong for name, rule in _RULES.items() if (wrong := problem(f"{_KEYWORD}.{name}", getattr(load, name), rule))
    ]
    facts, deciding = request.model.known_facts(), request.engine.memory_model.options
    if deciding is None:
        return request, [*found, _unplanned(load, request.engine.display_name)]
    if facts is None:
        found.append(_unknown_model(load))
    values = request.engine.read_options(request.options, version).values
    unresolved = [name for name, value in values.items() if isinstance(value, Unknown)]
    undecided = [name for name in unresolved if name in deciding]
    if undecided:
        found.append(_undecided(load, undecided))
    if found or facts is None:
        return request, found
    known = {name: value for name, value in values.items() if name not in unresolved}
    return _choose(request, load, facts, request.engine.options_type(**known), version)


def _choose(
    request: EndpointRequest, load: CheapestFor, facts: ModelFacts, options: object, version: Version
) -> tuple[EndpointRequest, list[Problem]]:
    choice = request.image_choice
    has_catalogued_image = not (choice.uri_override or choice.mirrored)
    ranked = candidates(
        facts,
        engine=request.engine,
        tokens=load.tokens,
        concurrency=load.concurrency,
        options=options,
        version=format_version(version),
        region=request.region if has_catalogued_image and isinstance(request.region, str) else None,
        is_archive=request.model.is_archive,
    )
    chosen = cheapest(ranked)
    if chosen is None:
        return request, [_nothing(request, load, facts, ranked)]
    settings = {name: value for name, value in chosen.settings.items() if getattr(request.options, name) is None}
    decided = replace(request.options, **settings)
    return replace(request, instance=chosen.instance, options=decided), []


def _unknown_model(load: CheapestFor) -> Problem:
    return Problem(
        _KEYWORD,
        load,
        "the cheapest instance for a model can be found only if its shape is known",
        "Name a model of the same shape (like=…), describe the model with facts=ModelFacts(…), or choose an instance.",
    )


def _unplanned(load: CheapestFor, engine: str) -> Problem:
    message = f"the cheapest instance cannot be found for {engine}, whose need of memory is not known"
    return Problem(_KEYWORD, load, message, "Choose an instance.")


def _undecided(load: CheapestFor, undecided: list[str]) -> Problem:
    return Problem(
        _KEYWORD,
        load,
        f"the cheapest instance cannot be found while options.{undecided[0]} is not known at synth",
        "Give its value, or choose an instance.",
    )


def commonest_problem(found: Iterable[Candidate]) -> Problem | None:
    """What is wrong with the options or the image on most of the instances where that is why they do not serve."""
    problems = [one.problem for one in found if one.problem is not None]
    counts = Counter((one.keyword, one.message) for one in problems)
    return max(problems, key=lambda one: counts[one.keyword, one.message], default=None)


def _nothing(request: EndpointRequest, load: CheapestFor, facts: ModelFacts, ranked: list[Candidate]) -> Problem:
    able = [one for one in ranked if one.memory is not None and one.caution is None]
    best = max(able, key=lambda one: (one.concurrency, one.memory.max_tokens if one.memory else 0), default=None)
    if best is None:
        found = commonest_problem(ranked)
        reason = (
            f"{found.keyword}: {found.message}" if found else (ranked[0].reason or ranked[0].caution or "").rstrip(".")
        )
        message = f"no instance in the catalogue runs {facts.hub_id} like that: {reason}"
        return Problem(
            _KEYWORD, load, message, found.fix if found else "Choose an instance, or another image or Region."
        )
    compression = request.engine.memory_model.option_names.compression
    compress = f"set options.{compression}, " if compression else ""
    return Problem(
        _KEYWORD,
        load,
        f"no instance in the catalogue serves that load with {facts.hub_id}; the closest is {best.instance.name}:"
        f" {(best.reason or '').rstrip('.')}",
        f"Lower tokens or concurrency, {compress}or spread the load over more endpoints.",
    )
