"""What becomes of every option of an endpoint on TGI, those that the plan sets included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from constructs_lib.planning.engine import Engine
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.launcher_options import OPTIONS
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.migration import to_lmi, to_sglang, to_vllm
from constructs_lib.planning.migration.outcome import (
    Becomes,
    Fate,
    OptionRule,
    Origin,
    Outcome,
    by_hand,
    by_itself,
    falls_away,
    lost,
)
from constructs_lib.planning.request import EndpointPlan, EndpointRequest
from constructs_lib.planning.validation.rules import Boolean, Integer, ListOf, Number
from constructs_lib.planning.validation.unknown import Unknown

RULES: Mapping[str, Mapping[str, OptionRule]] = {
    "vllm": to_vllm.RULES,
    "sglang": to_sglang.RULES,
    "lmi": to_lmi.RULES,
}
"""What becomes of each option of `TgiOptions`, by the name of the engine."""

_WORKED_OUT = ("quantize", "attention", "max_total_tokens", "max_batch_prefill_tokens", "max_batch_total_tokens")
"""Options that TGI's plan works out of model and GPU, and that the plan of another engine works out for itself."""

_VARIABLES = {option.keyword: option for option in OPTIONS}


def given_options(request: EndpointRequest) -> dict[str, Any]:
    """The options of TGI that the owner has set, by name."""
    options = {} if request.options is None else vars(request.options)
    return {name: value for name, value in options.items() if value is not None}


def planned_options(request: EndpointRequest, plan: EndpointPlan) -> dict[str, Any]:
    """The options of TGI that the plan has set by itself, by name."""
    given, found = given_options(request), {}
    for variable, text in plan.environment.items():
        keyword = (TGI.owner(variable) or "").removeprefix("options.")
        if keyword in _VARIABLES and keyword not in given and variable not in request.environment:
            found[keyword] = _read(keyword, text)
    return found


def option_outcomes(engine: Engine, origin: Origin, given: Mapping[str, Any]) -> Iterator[Outcome]:
    """What becomes of each option.

    Args:
        engine: The new engine.
        origin: The endpoint on TGI.
        given: The options that the owner has set.
    """
    rules = RULES[engine.name]
    for name in (option.keyword for option in OPTIONS):
        if name not in origin.values:
            continue
        value, is_given = origin.values[name], name in given
        if isinstance(value, Unknown):
            becomes = by_hand("Only the deployment knows its value, so that nothing can be worked out of it here.")
        elif not is_given and name in _WORKED_OUT:
            becomes = by_itself(f"TGI's plan had worked it out; that of {engine.display_name} does so anew.")
        else:
            becomes = rules[name](value, origin)
        yield Outcome(option=name, value=value, given=is_given, becomes=becomes)


def variable_outcomes(
    engine: Engine, origin: Origin, environment: Mapping[str, Any], before: Version
) -> Iterator[Outcome]:
    """What becomes of each further variable of the container.

    Args:
        engine: The new engine.
        origin: The endpoint on TGI.
        environment: The variables that the owner has set.
        before: Version of TGI.
    """
    for name, value in environment.items():
        why = TGI.unread(name, before)
        becomes = falls_away(why) if why else _variable(engine, origin, name, value)
        yield Outcome(option=f"environment[{name!r}]", value=value, given=True, becomes=becomes)


def _variable(engine: Engine, origin: Origin, name: str, value: Any) -> Becomes:
    if why := engine.refusal(name):
        return lost(f"{engine.display_name} must not have it: it {why}.")
    if owner := engine.owner(name):
        return by_hand(f"`{owner}` sets it on {engine.display_name}.")
    if isinstance(value, Unknown):
        return by_hand("Only the deployment knows its value: give it to the new endpoint as well.")
    if why := engine.unread(name, origin.version):
        return falls_away(why)
    if name in TGI.variables:
        return falls_away(f"{engine.display_name} does not read it; TGI does.")
    return Becomes(fate=Fate.SET, reason="As it was.", variables={name: str(value)})


def endpoint_outcomes(request: EndpointRequest, engine: Engine, *, asynchronous: bool) -> Iterator[Outcome]:
    """What becomes of the endpoint's kind, its image and its weights."""
    if asynchronous:
        reason = f"Asynchronous endpoints are TGI's alone; {engine.display_name} answers callers that wait."
        yield Outcome(option="AsyncTgiEndpoint", value=None, given=True, becomes=lost(reason))
    if request.image_choice.uri_override:
        reason = f"The new endpoint runs AWS's image of {engine.display_name}; what yours adds to TGI is not in it."
        yield Outcome(option="image", value=request.image_choice.version, given=True, becomes=by_hand(reason))
    model = request.model
    if model.revision is not None:
        reason = "The plan writes it under the name that the new image reads; the tokenizer has the same."
        yield Outcome(option="model.revision", value=model.revision, given=True, becomes=by_itself(reason))
    elif model.source == "hub":
        reason = "None is given, so that two endpoints may load different commits: give both the same `revision`."
        yield Outcome(option="model.revision", value=None, given=False, becomes=by_hand(reason))
    if model.has_token:
        names = " and ".join(engine.token_variables)
        yield Outcome(
            option="model.token", value=None, given=True, becomes=by_itself(f"{names} takes its value, as on TGI.")
        )


def image_outcomes(engine: Engine, image: str) -> Iterator[Outcome]:
    """That the newest image does not run the model, if it does not."""
    if image != engine.images.newest:
        reason = f"{engine.display_name} {engine.images.newest} does not run this model, {image} is the last that does."
        becomes = Becomes(fate=Fate.SET, reason=reason)
        yield Outcome(option="image", value=None, given=False, becomes=becomes)


def own_steps(outcome: Outcome, engine: Engine) -> Outcome:
    """The row with steps of the new engine's own size, if TGI's were set."""
    becomes = outcome.becomes
    if outcome.option != "max_batch_prefill_tokens" or becomes.fate is not Fate.SET:
        return outcome
    reason = f"Steps of so many tokens would not leave the model its memory; {engine.display_name} splits prompts."
    return replace(outcome, becomes=by_itself(reason))


def merged(outcomes: list[Outcome]) -> dict[str, Any]:
    """The options of the new engine that all rows set together."""
    settings: dict[str, Any] = {}
    for outcome in outcomes:
        for name, value in outcome.becomes.settings.items():
            extra = settings.get(name)
            settings[name] = extra | value if isinstance(extra, dict) and isinstance(value, dict) else value
    return settings


def refused(outcome: Outcome, why: str) -> Outcome:
    """A row whose setting the new engine refuses."""
    return replace(outcome, becomes=lost(f"{why[0].upper()}{why[1:]}{'' if why.endswith('.') else '.'}"))


def _read(keyword: str, text: str) -> Any:
    """The value of a variable that the plan has written."""
    rule = _VARIABLES[keyword].rule
    if isinstance(rule, Boolean):
        return text.lower() == "true"
    if isinstance(rule, Integer):
        return int(text)
    if isinstance(rule, Number):
        return float(text)
    if isinstance(rule, ListOf):
        return text.split(",")
    return text
