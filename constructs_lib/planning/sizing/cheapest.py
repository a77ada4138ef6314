"""Resolves the wish for the cheapest instance."""

from __future__ import annotations

from dataclasses import replace

from constructs_lib.planning.cheapest_for import CheapestFor
from constructs_lib.planning.engines.tgi.batch_limits import SIZING
from constructs_lib.planning.engines.tgi.environment import option_values
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.images.version import Version, dotted
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.sizing.candidates import Candidate, candidates
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Integer, problem

_KEYWORD = "instance_type"


def with_cheapest(request: EndpointRequest, version: Version) -> tuple[EndpointRequest, list[Problem]]:
    """The request with the instance and the options that follow.

    Args:
        request: What is asked for; without a wish it is answered as it is.
        version: Version of TGI.

    Returns:
        The request, still undecided where the wish cannot be granted, and why not.
    """
    wish: object = request.cheapest
    if wish is None:
        return request, []
    if not isinstance(wish, CheapestFor):
        fix = "Write InstanceType.cheapest_for(tokens=…)."
        return request, [Problem(_KEYWORD, wish, f"must be a CheapestFor, not {type(wish).__name__}", fix)]
    found = [
        validate
        for name in ("tokens", "concurrency")
        if (validate := problem(f"{_KEYWORD}.{name}", getattr(wish, name), Integer(1 if name == "concurrency" else 2)))
    ]
    facts = request.model.known_facts()
    if facts is None:
        found.append(_unknown_model(wish))
    values, _ = option_values(request, version)
    unresolved = [name for name, value in values.items() if request.is_token(value)]
    undecided = [name for name in unresolved if name in SIZING]
    if undecided:
        found.append(_undecided(wish, undecided))
    resolved = {name: value for name, value in values.items() if name not in unresolved}
    if found or facts is None:
        return request, found
    return _granted(request, wish, facts, TgiOptions(**resolved), version)  # type: ignore[arg-type]


def _granted(
    request: EndpointRequest, wish: CheapestFor, facts: ModelFacts, options: TgiOptions, version: Version
) -> tuple[EndpointRequest, list[Problem]]:
    region = None if request.region is None or request.is_token(request.region) else request.region
    ranked = candidates(
        facts,
        tokens=wish.tokens,
        concurrency=wish.concurrency,
        options=options,
        version=dotted(version),
        region=None if request.image.uri_override else region,
    )
    chosen = next((one for one in ranked if one.fits and one.caution is None), None)
    if chosen is None:
        return request, [_nothing(wish, facts, ranked)]
    settings = {name: value for name, value in chosen.settings.items() if getattr(request.options, name) is None}
    options = replace(request.options, **settings)  # type: ignore[arg-type]
    return replace(request, instance=chosen.instance, options=options), []


def _unknown_model(wish: CheapestFor) -> Problem:
    return Problem(
        _KEYWORD,
        wish,
        "the cheapest instance for a model can be found only if its shape is known",
        "Describe the model with facts=ModelFacts(…), or choose an instance.",
    )


def _undecided(wish: CheapestFor, undecided: list[str]) -> Problem:
    return Problem(
        _KEYWORD,
        wish,
        f"the cheapest instance cannot be found while options.{undecided[0]} is not known at synth",
        "Give its value, or choose an instance.",
    )


def _nothing(wish: CheapestFor, facts: ModelFacts, ranked: list[Candidate]) -> Problem:
    able = [one for one in ranked if one.memory is not None and one.caution is None]
    best = max(able, key=lambda one: (one.concurrency, one.memory.max_tokens if one.memory else 0), default=None)
    nearest = best or ranked[0]
    return Problem(
        _KEYWORD,
        wish,
        f"no instance of the catalogue serves that with {facts.hub_id}; the nearest is {nearest.instance.name}:"
        f" {(nearest.reason or '').rstrip('.')}",
        "Lower tokens or concurrency, set options.quantize, or spread the load over more endpoints.",
    )
