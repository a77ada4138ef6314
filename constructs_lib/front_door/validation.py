"""Validates the arguments of FrontDoor before any resource is created."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from constructs_lib._arguments import VPC_ENDPOINT, is_whole_number, quantity_problems, type_name
from constructs_lib._tokens import hide_token, is_token
from constructs_lib.front_door.access.base import AccessMethod
from constructs_lib.front_door.consumers import limit_problems
from constructs_lib.front_door.cors import Cors, origin_problems
from constructs_lib.front_door.domain import Domain
from constructs_lib.front_door.web_acl import WebAcl
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Boolean, Integer, problem
from constructs_lib.planning.validation.unknown import UNKNOWN, Unknown

if TYPE_CHECKING:
    from constructs_lib._stack_env import StackEnvironment
    from constructs_lib.endpoint.interface import IModelEndpoint
    from constructs_lib.front_door.arguments import FrontDoorArguments
    from constructs_lib.front_door.exposure import Exposure

# The name is in URLs, in JSON and in the `model` field of requests.
_MODEL_NAME = re.compile(r"[A-Za-z0-9._-]{1,63}")

# The members of IModelEndpoint that a front door uses, so that a mistake is reported here and not by jsii.
_ENDPOINT_ATTRIBUTES = ("endpoint_name", "endpoint_arn", "grant_invoke", "model_id", "max_body_bytes", "engine")

_MEMORY_MIB = (128, 10240)


def validate(environment: StackEnvironment, arguments: FrontDoorArguments) -> list[Problem]:
    """All problems of the arguments, each by itself and together.

    Args:
        environment: The environment of the front door's stack.
        arguments: The arguments, whatever their types are.
    """
    problems = [
        *_models_problems(arguments.models),
        *_flag_problems(arguments),
        *_timeout_problems(arguments),
        *_memory_problems(hide_token(arguments.memory_size)),
        *limit_problems(
            {"rate_limit": hide_token(arguments.rate_limit), "burst_limit": hide_token(arguments.burst_limit)}
        ),
        *_environment_problems(environment, arguments.models),
        *quantity_problems(timeout=arguments.timeout),
        *_type_problems(arguments),
        *_exposure_problems(environment.region, arguments.exposure),
    ]
    if not any(found.keyword.startswith("models") for found in problems):
        problems += _default_tokens_problems(hide_token(arguments.default_max_tokens), arguments.models)
    return problems


def _models_problems(models: object) -> Iterator[Problem]:
    if not isinstance(models, Mapping):
        yield Problem("models", models, "must be a mapping of name to endpoint", 'Write {"llama": endpoint}.')
        return
    if not models:
        yield Problem("models", models, "must have at least one endpoint", 'Write {"llama": endpoint}.')
    for name, endpoint in models.items():
        if not isinstance(name, str) or not _MODEL_NAME.fullmatch(name):
            yield Problem(
                "models",
                name,
                "a model's name must be 1 to 63 letters, digits, dots, underscores or hyphens",
                "Rename it; it appears in URLs and in the `model` field of requests.",
            )
        if fault := _endpoint_fault(endpoint):
            yield Problem(
                f"models[{name!r}]",
                endpoint,
                f"must be a model endpoint, but {fault}",
                "Give a TgiEndpoint, or TgiEndpoint.from_endpoint_name(…) for an existing endpoint.",
            )


def _endpoint_fault(endpoint: object) -> str | None:
    if isinstance(endpoint, type):
        return f"is the class {endpoint.__name__}"
    missing = [attribute for attribute in _ENDPOINT_ATTRIBUTES if not hasattr(endpoint, attribute)]
    if missing:
        return f"has no {', '.join(missing)}"
    given = {attribute: getattr(endpoint, attribute) for attribute in _ENDPOINT_ATTRIBUTES}
    wrong = [name for name in ("endpoint_name", "endpoint_arn", "engine") if not _is_nonempty_string(given[name])]
    wrong += [] if callable(given["grant_invoke"]) else ["grant_invoke"]
    wrong += [] if given["model_id"] is None or _is_nonempty_string(given["model_id"]) else ["model_id"]
    wrong += ["max_body_bytes"] if Integer(1).validate(given["max_body_bytes"]) else []
    return f"its {', '.join(wrong)} cannot be an endpoint's" if wrong else None


def _is_nonempty_string(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _flag_problems(arguments: FrontDoorArguments) -> Iterator[Problem]:
    for keyword in ("streaming", "cloud_watch_role", "playground"):
        if found := problem(keyword, getattr(arguments, keyword), Boolean()):
            yield found
    if arguments.playground is True and getattr(arguments.access, "uses_iam", False):
        yield Problem(
            "playground",
            True,
            "cannot be used with Access.iam(): a page has no AWS credentials to sign its requests with",
            "Remove playground, or use another access method.",
        )


def _timeout_problems(arguments: FrontDoorArguments) -> Iterator[Problem]:
    timeout = arguments.timeout
    if not isinstance(timeout, Duration):
        return
    if timeout.is_unresolved():
        message = "must be known at synth, as Lambda takes seconds and API Gateway milliseconds"
        yield Problem("timeout", UNKNOWN, message, "Write it as a number.")
        return
    seconds, longest = timeout.to_milliseconds() / 1000, arguments.max_timeout_seconds
    # Lambda's timeout is in whole seconds.
    if not 1 <= seconds <= longest or seconds != int(seconds):
        reason = "streams" if arguments.streaming else "does not stream"
        longer = "" if arguments.streaming else ", or use streaming=True for up to 15 minutes"
        yield Problem(
            "timeout",
            f"{seconds:g} s",
            f"must be a whole number of seconds from 1 to {longest}, as the API {reason}",
            f"Choose a timeout in that range{longer}.",
        )


def _memory_problems(memory: object) -> Iterator[Problem]:
    low, high = _MEMORY_MIB
    if not isinstance(memory, Unknown) and not (is_whole_number(memory) and low <= memory <= high):
        fix = "Use 512 unless your own measurements differ."
        yield Problem("memory_size", memory, f"must be {low} to {high} MiB", fix)


def _environment_problems(environment: StackEnvironment, models: object) -> Iterator[Problem]:
    """Endpoints that the function could not call, as SageMaker finds them by name in one account and Region."""
    for name, endpoint in models.items() if isinstance(models, Mapping) else ():
        known = [attribute for attribute in ("account", "region") if not is_token(getattr(environment, attribute))]
        env = getattr(endpoint, "env", None) if known else None
        for attribute in known:
            here, there = getattr(environment, attribute), getattr(env, attribute, None)
            if isinstance(there, str) and there != here and not is_token(there):
                noun = attribute.capitalize() if attribute == "region" else attribute
                yield Problem(
                    f"models[{name!r}]",
                    there,
                    f"is the {noun} of the endpoint, but a front door calls endpoints in its stack's {noun}: {here}",
                    f"Put the front door in a stack of that {noun}.",
                )


@dataclass(frozen=True, slots=True)
class _Typed:
    """An optional argument that must be an object of one class."""

    keyword: str
    value: object
    type: type
    description: str
    fix: str

    def problems(self) -> Iterator[Problem]:
        if self.value is not None and not isinstance(self.value, self.type):
            message = f"must be {self.description}, not {type_name(self.value)}"
            yield Problem(self.keyword, self.value, message, self.fix)


def _type_problems(arguments: FrontDoorArguments) -> Iterator[Problem]:
    access, cors, exposure = arguments.access, arguments.cors, arguments.exposure
    retention: object = arguments.log_retention
    typed = (
        _Typed(
            "access", access, AccessMethod, "an access method", "Write Access.api_keys(), .jwt(…), .iam() or another."
        ),
        _Typed("cors", cors, Cors, "a Cors", 'Write Cors(allowed_origins=["https://app.example.com"]).'),
        _Typed("domain", exposure.domain, Domain, "a Domain", 'Write Domain("llm.example.com", certificate).'),
        _Typed("web_acl", exposure.web_acl, WebAcl, "a WebAcl", "Write WebAcl.managed() or WebAcl.from_arn(…)."),
        _Typed(
            "resource_policy",
            exposure.resource_policy,
            iam.PolicyDocument,
            "a PolicyDocument of aws_iam",
            "Write aws_iam.PolicyDocument(statements=[…]).",
        ),
    )
    for argument in typed:
        yield from argument.problems()
    if not isinstance(retention, logs.RetentionDays):
        message = f"must be a RetentionDays of aws_logs, not {type_name(retention)}"
        yield Problem("log_retention", retention, message, "Write aws_logs.RetentionDays.ONE_WEEK.")
    if isinstance(access, AccessMethod):
        yield from access.validate()
    if isinstance(cors, Cors):
        origins = cors.allowed_origins
        is_list = isinstance(origins, Sequence) and not isinstance(origins, str)
        yield from origin_problems([hide_token(origin) for origin in origins] if is_list else origins)


def _exposure_problems(region: str, exposure: Exposure) -> Iterator[Problem]:
    endpoints = exposure.vpc_endpoints
    yield from VPC_ENDPOINT.list_problems("vpc_endpoints", endpoints)
    if isinstance(endpoints, list | tuple) and not endpoints:
        fix = "Give VPC endpoints for execute-api, or remove it for a public API."
        yield Problem("vpc_endpoints", endpoints, "must have at least one endpoint", fix)
    if isinstance(exposure.domain, Domain):
        yield from exposure.domain.validate(region, private=endpoints is not None)
    if isinstance(exposure.web_acl, WebAcl):
        yield from exposure.web_acl.validate(region)


def _default_tokens_problems(tokens: object, models: Mapping[str, IModelEndpoint]) -> Iterator[Problem]:
    keyword = "default_max_tokens"
    if tokens is None:
        return
    if isinstance(tokens, Unknown):
        message = "must be known at synth, to be compared with what the models take"
        yield Problem(keyword, tokens, message, "Write it as a number.")
        return
    if found := problem(keyword, tokens, Integer(1, unit="tokens")):
        yield found
    for name, endpoint in models.items() if isinstance(tokens, int) else ():
        facts = getattr(endpoint, "serving", None)
        limit = facts.max_total_tokens if facts else None
        if limit is not None and isinstance(tokens, int) and tokens >= limit:
            yield Problem(
                keyword,
                tokens,
                f"must be less than the {limit} tokens that models[{name!r}] takes, prompt and answer together",
                "Lower it, or omit it: requests then get 1024, and less if the model takes less.",
            )
