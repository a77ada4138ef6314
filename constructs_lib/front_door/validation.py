"""Validates the arguments of FrontDoor before any resource is created."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from constructs_lib._arguments import VPC_ENDPOINT, is_whole_number, quantity_problems, type_name
from constructs_lib._tokens import hide_token
from constructs_lib._vpc_endpoints import service_of
from constructs_lib.front_door.access.base import AccessMethod
from constructs_lib.front_door.account_logging import log_role_problems
from constructs_lib.front_door.consumer_rules import limit_problems, scope_model_problems
from constructs_lib.front_door.cors import Cors, origin_problems
from constructs_lib.front_door.domain import Domain
from constructs_lib.front_door.endpoints import endpoint_problems
from constructs_lib.front_door.hardened import hardened_problems
from constructs_lib.front_door.mirror_arguments import mirror_problems
from constructs_lib.front_door.protection import protection_problems
from constructs_lib.front_door.routed_models import answering_endpoints, is_routed, target_name
from constructs_lib.front_door.waking import estimate_problems, waking_problems
from constructs_lib.front_door.web_acl import WebAcl
from constructs_lib.planning.cost import DEFAULT_MEMORY_MIB
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Boolean, Integer, problem
from constructs_lib.planning.validation.unknown import UNKNOWN, Unknown

if TYPE_CHECKING:
    from constructs_lib._stack_env import StackEnvironment
    from constructs_lib.front_door.arguments import FrontDoorArguments
    from constructs_lib.front_door.exposure import Exposure
    from constructs_lib.front_door.protection import protection_problems
from constructs_lib.front_door.routed_models import RoutedModel

_MEMORY_MIB = (128, 10240)


def validate(environment: StackEnvironment, arguments: FrontDoorArguments) -> list[Problem]:
    """All problems of the arguments, each by itself and together.

    Args:
        environment: The environment of the front door's stack.
        arguments: The arguments, whatever their types are.
    """
    problems = [
        *endpoint_problems(environment, arguments.models),
        *_flag_problems(arguments),
        *log_role_problems(environment, arguments.cloud_watch_role),
        *_timeout_problems(arguments),
        *_memory_problems(hide_token(arguments.memory_size)),
        *limit_problems(
            {"rate_limit": hide_token(arguments.rate_limit), "burst_limit": hide_token(arguments.burst_limit)}
        ),
        *quantity_problems(timeout=arguments.timeout),
        *_type_problems(arguments),
        *_exposure_problems(environment.region, arguments.exposure),
        *_store_problems(arguments.on_store_failure),
        *waking_problems(arguments),
        *mirror_problems(arguments),
        *protection_problems(arguments),
        *hardened_problems(arguments),
    ]
    if not any(found.keyword.startswith("models") for found in problems):
        problems += arguments.network.reach_problems(arguments, environment)
        problems += estimate_problems(arguments)
        problems += _default_tokens_problems(hide_token(arguments.default_max_tokens), arguments.models)
        problems += _scope_problems(arguments)
        problems += _naming_problems(arguments)
    return problems


def _flag_problems(arguments: FrontDoorArguments) -> Iterator[Problem]:
    for keyword in ("streaming", "cloud_watch_role", "playground", "hardened"):
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
        fix = f"Use {DEFAULT_MEMORY_MIB} unless your own measurements differ."
        yield Problem("memory_size", memory, f"must be {low} to {high} MiB", fix)


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


def _store_problems(on_store_failure: object) -> Iterator[Problem]:
    if on_store_failure not in ("open", "closed"):
        fix = 'Write "open" to answer without counting, or "closed" to answer 503.'
        yield Problem("on_store_failure", on_store_failure, "must be 'open' or 'closed'", fix)


def _scope_problems(arguments: FrontDoorArguments) -> Iterator[Problem]:
    """Problems of the models that the scopes of tokens name; what is no mapping is a problem of the access method."""
    scopes = getattr(arguments.access, "models_by_scope", None)
    if isinstance(scopes, Mapping):
        yield from scope_model_problems(scopes, tuple(arguments.models))


def _naming_problems(arguments: FrontDoorArguments) -> Iterator[Problem]:
    """Problems of the names that stand for models."""
    if arguments.model_aliases is not None or arguments.count_tokens is not None:
        # Imported here, as not every front door has any.
        from constructs_lib.front_door.naming_rules import naming_problems

        yield from naming_problems(arguments.model_aliases, arguments.count_tokens, arguments.models)


def _exposure_problems(region: str, exposure: Exposure) -> Iterator[Problem]:
    endpoints = exposure.vpc_endpoints
    yield from VPC_ENDPOINT.list_problems("vpc_endpoints", endpoints)
    for index, endpoint in enumerate(endpoints) if isinstance(endpoints, list | tuple) else ():
        yield from _service_problems(f"vpc_endpoints[{index}]", endpoint)
    if isinstance(endpoints, list | tuple) and not endpoints:
        fix = "Give VPC endpoints for execute-api, or remove it for a public API."
        yield Problem("vpc_endpoints", endpoints, "must have at least one endpoint", fix)
    if isinstance(exposure.domain, Domain):
        yield from exposure.domain.validate(region, private=endpoints is not None)
    if isinstance(exposure.web_acl, WebAcl):
        yield from exposure.web_acl.validate(region)


def _service_problems(keyword: str, endpoint: Any) -> Iterator[Problem]:
    """The problem of a VPC endpoint of another service; of an imported one, only its type is known."""
    if not VPC_ENDPOINT.matches(endpoint):
        return
    fix = "Give vpc.add_interface_endpoint(…, service=InterfaceVpcEndpointAwsService.APIGATEWAY)."
    # Interface endpoints have security groups, and so connections; gateway endpoints are only for S3 and DynamoDB.
    if not hasattr(endpoint, "connections"):
        message = "is a gateway endpoint, but a private API is reached through interface endpoints for execute-api"
        yield Problem(keyword, endpoint, message, fix)
    elif service_of(endpoint) not in (None, "execute-api"):
        message = "is an endpoint for another service, but a private API is reached through endpoints for execute-api"
        yield Problem(keyword, endpoint, message, fix)


def _default_tokens_problems(tokens: object, models: Mapping[str, RoutedModel]) -> Iterator[Problem]:
    keyword = "default_max_tokens"
    if tokens is None:
        return
    if isinstance(tokens, Unknown):
        message = "must be known at synth, to be compared with what the models take"
        yield Problem(keyword, tokens, message, "Write it as a number.")
        return
    if found := problem(keyword, tokens, Integer(1, unit="tokens")):
        yield found
    targets = [(name, model, endpoint) for name, model in models.items() for endpoint in answering_endpoints(model)]
    for name, model, endpoint in targets if isinstance(tokens, int) else ():
        facts = getattr(endpoint, "serving", None)
        limit = facts.max_total_tokens if facts else None
        if limit is not None and isinstance(tokens, int) and tokens >= limit:
            taker = f"models[{name!r}]" if not is_routed(model) else f"{target_name(endpoint)} in models[{name!r}]"
            yield Problem(
                keyword,
                tokens,
                f"must be less than the {limit} tokens that {taker} takes, prompt and answer together",
                "Lower it, or omit it: requests then get 1024, and less if the model takes less.",
            )
