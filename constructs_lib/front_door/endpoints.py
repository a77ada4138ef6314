"""Validates the endpoints that a front door is given: what they are, and whether its function can call them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from constructs_lib._arguments import model_name_problems
from constructs_lib._references import name_problems
from constructs_lib._tokens import is_token
from constructs_lib.front_door.assets import known_engines
from constructs_lib.front_door.routed_models import is_routed
from constructs_lib.planning.scaling.wake import WakeFacts
from constructs_lib.planning.validation.problem import Described, Problem
from constructs_lib.planning.validation.rules import Integer

if TYPE_CHECKING:
    from constructs_lib._stack_env import StackEnvironment
    from constructs_lib.endpoint.interface import IModelEndpoint

# Each endpoint takes two statements of the function's role. They are in its inline policy (10,240 characters) and, by
# the CDK, in managed policies (6,144 each), of which a role may have ten.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_MAX_ENDPOINTS = 100
# A statement names the endpoint and each component, in about 150 characters, and is not divided among policies.
_MAX_ADAPTER_COMPONENTS = 30

# The members of IModelEndpoint that a front door uses, so that a mistake is reported here and not by jsii.
_ENDPOINT_ATTRIBUTES = ("endpoint_name", "endpoint_arn", "grant_invoke", "model_id", "max_body_bytes", "engine")


def endpoint_problems(environment: StackEnvironment, models: object) -> Iterator[Problem]:
    """The problems of the endpoints and of the names that clients use for their models.

    Args:
        environment: The environment of the front door's stack.
        models: The endpoints, or what chooses among several, by name, whatever their types are.
    """
    if not isinstance(models, Mapping):
        yield Problem("models", models, "must be a mapping of name to endpoint", 'Write {"llama": endpoint}.')
        return
    if not models:
        yield Problem("models", models, "must have at least one endpoint", 'Write {"llama": endpoint}.')
    for name, model in models.items():
        keyword = f"models[{name!r}]"
        yield from model_name_problems(name)
        if is_routed(model):
            # Imported here, as few front doors choose among endpoints.
            from constructs_lib.front_door.routing_rules import routing_problems

            yield from routing_problems(environment, keyword, model)
        else:
            yield from one_endpoint_problems(keyword, model)
            yield from callable_problems(environment, keyword, model)
    yield from _count_problems(models)


def one_endpoint_problems(keyword: str, endpoint: Any) -> Iterator[Problem]:
    """The problems of an endpoint by itself, wherever it is.

    Args:
        keyword: The argument.
        endpoint: The endpoint, whatever its type is.
    """
    if hasattr(endpoint, "grant_invoke_async"):
        yield Problem(
            keyword,
            endpoint,
            "is an asynchronous endpoint, which writes its answers to S3: a front door has none to pass on",
            "Give a TgiEndpoint; clients of this one call InvokeEndpointAsync (grant_invoke_async).",
        )
    elif fault := _fault(endpoint):
        yield Problem(
            keyword,
            endpoint,
            f"must be a model endpoint, but {fault}",
            "Give a TgiEndpoint, or TgiEndpoint.from_endpoint_name(…) for an existing endpoint.",
        )
    else:
        yield from _engine_problems(keyword, endpoint)
        yield from _adapter_problems(keyword, endpoint)


def served_by(endpoint: Any) -> tuple[str | None, str | None]:
    """What a call of a model names: its endpoint, and its inference component if it is one."""
    return getattr(endpoint, "endpoint_arn", None), getattr(endpoint, "inference_component_name", None)


def _count_problems(models: Mapping[str, Any]) -> Iterator[Problem]:
    endpoints = {served_by(endpoint) for model in models.values() for endpoint in _targets(model)}
    if len(endpoints) > _MAX_ENDPOINTS:
        yield Problem(
            "models",
            Described(f"{len(models)} models"),
            f"are on {len(endpoints)} endpoints or inference components, of which the policies of one function's role"
            f" have room for {_MAX_ENDPOINTS}",
            "Distribute them over several front doors.",
        )


def _targets(model: object) -> list[object]:
    if not is_routed(model):
        return [model]
    from constructs_lib.front_door.routing_rules import targets_in

    return targets_in(model)


def _fault(endpoint: object) -> str | None:
    if isinstance(endpoint, type):
        return f"is the class {endpoint.__name__}"
    missing = [attribute for attribute in _ENDPOINT_ATTRIBUTES if not hasattr(endpoint, attribute)]
    if missing:
        return f"has no {', '.join(missing)}"
    given = {attribute: getattr(endpoint, attribute) for attribute in _ENDPOINT_ATTRIBUTES}
    wrong = [name for name in ("endpoint_name", "endpoint_arn", "engine") if not _is_nonempty_string(given[name])]
    wrong += [] if callable(given["grant_invoke"]) else ["grant_invoke"]
    wrong += [] if given["model_id"] is None or _is_nonempty_string(given["model_id"]) else ["model_id"]
    component = getattr(endpoint, "inference_component_name", None)
    wrong += [] if component is None or _is_nonempty_string(component) else ["inference_component_name"]
    wake = getattr(endpoint, "wake", None)
    wrong += [] if wake is None or isinstance(wake, WakeFacts) else ["wake"]
    wrong += ["max_body_bytes"] if Integer(1).validate(given["max_body_bytes"]) else []
    return f"its {', '.join(wrong)} cannot be an endpoint's" if wrong else None


def _is_nonempty_string(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _engine_problems(keyword: str, endpoint: IModelEndpoint) -> Iterator[Problem]:
    """The engine that the function would refuse when it starts."""
    known = known_engines()
    if endpoint.engine not in known:
        yield Problem(
            f"{keyword}.engine",
            endpoint.engine,
            f"is no engine whose protocol the front door speaks: {', '.join(known)}",
            "Give an endpoint of such an engine.",
        )


def _adapter_problems(keyword: str, endpoint: Any) -> Iterator[Problem]:
    components = getattr(endpoint, "adapter_components", {})
    if len(components) > _MAX_ADAPTER_COMPONENTS:
        yield Problem(
            f"{keyword}.adapter_components",
            Described(f"{len(components)} adapters"),
            "have inference components of their own, of which one statement in the policies of the function's role has"
            f" room for {_MAX_ADAPTER_COMPONENTS}",
            "Distribute them over several endpoints.",
        )


def callable_problems(
    environment: StackEnvironment,
    keyword: str,
    endpoint: Any,
    attributes: Sequence[str] = ("account", "region"),
) -> Iterator[Problem]:
    """The problems of an endpoint that the function could not call: SageMaker finds it by name in account and Region.

    Args:
        environment: The environment of the front door's stack.
        keyword: The argument.
        endpoint: The endpoint, whatever its type is.
        attributes: What has to be the stack's own. Default: account and Region.
    """
    problems = list(_place_problems(environment, keyword, endpoint, attributes))
    if not problems and is_token(getattr(endpoint, "endpoint_name", None)):
        problems = list(name_problems(keyword, endpoint, environment, noun="endpoint", name="endpoint_name"))
    yield from problems


def _place_problems(
    environment: StackEnvironment, keyword: str, endpoint: object, attributes: Sequence[str]
) -> Iterator[Problem]:
    known = [attribute for attribute in attributes if not is_token(getattr(environment, attribute))]
    env = getattr(endpoint, "env", None) if known else None
    for attribute in known:
        here, there = getattr(environment, attribute), getattr(env, attribute, None)
        if isinstance(there, str) and there != here and not is_token(there):
            noun = attribute.capitalize() if attribute == "region" else attribute
            beside = ", or give the endpoint in a Fallback, Split or Mirror" if attribute == "region" else ""
            yield Problem(
                keyword,
                there,
                f"is the {noun} of the endpoint, but a front door calls endpoints in its stack's {noun}: {here}",
                f"Put the front door in a stack of that {noun}{beside}.",
            )
