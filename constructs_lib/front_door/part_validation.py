"""What can be wrong with those arguments of FrontDoor that are objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from constructs_lib._arguments import VPC_ENDPOINT, type_name
from constructs_lib._stack_env import StackEnvironment
from constructs_lib._tokens import is_token
from constructs_lib.front_door.access import Access
from constructs_lib.front_door.cors import Cors
from constructs_lib.front_door.domain import Domain
from constructs_lib.front_door.exposure import Exposure
from constructs_lib.front_door.web_acl import WebAcl
from constructs_lib.planning.validation.problem import Problem


@dataclass(frozen=True, slots=True)
class _Part:
    """One argument: what it must be, and how to come by it."""

    keyword: str
    value: object
    kind: type
    description: str
    fix: str

    def is_right(self) -> bool:
        return isinstance(self.value, self.kind)

    def problems(self) -> Iterator[Problem]:
        if self.value is not None and not self.is_right():
            message = f"must be {self.description}, not {type_name(self.value)}"
            yield Problem(self.keyword, self.value, message, self.fix)


def part_problems(
    place: StackEnvironment, *, access: object, exposure: Exposure, cors: object, log_retention: object
) -> Iterator[Problem]:
    """Everything that is wrong with them, each with itself and with the others.

    Args:
        place: Where the front door goes.
        access: Who may call.
        exposure: From where.
        cors: Which pages of other origins.
        log_retention: How long logs are kept.
    """
    parts = (
        _Part("access", access, Access, "an Access", "Write Access.api_keys(), .jwt(…), .iam() or another one."),
        _Part("cors", cors, Cors, "Cors", 'Write Cors(allowed_origins=["https://app.example.com"]).'),
        _Part("domain", exposure.domain, Domain, "a Domain", 'Write Domain("llm.example.com", certificate).'),
        _Part("web_acl", exposure.web_acl, WebAcl, "a WebAcl", "Write WebAcl.managed() or WebAcl.from_arn(…)."),
        _Part(
            "resource_policy",
            exposure.resource_policy,
            iam.PolicyDocument,
            "a PolicyDocument of aws_iam",
            "Write aws_iam.PolicyDocument(statements=[…]).",
        ),
    )
    for part in parts:
        yield from part.problems()
    if isinstance(access, Access):
        yield from access.problems(is_token)
    if isinstance(cors, Cors):
        yield from cors.problems(is_token)
    yield from _perimeter_problems(place, exposure)
    if not isinstance(log_retention, logs.RetentionDays):
        yield Problem("log_retention", log_retention, "must be RetentionDays", "Write aws_logs.RetentionDays.ONE_WEEK.")


def _perimeter_problems(place: StackEnvironment, exposure: Exposure) -> Iterator[Problem]:
    endpoints, region = exposure.vpc_endpoints, place.region
    yield from VPC_ENDPOINT.list_problems("vpc_endpoints", endpoints)
    if isinstance(endpoints, list | tuple) and not endpoints:
        fix = "Give the endpoints of execute-api, or leave it out for an API on the internet."
        yield Problem("vpc_endpoints", endpoints, "must have at least one endpoint", fix)
    if isinstance(exposure.domain, Domain):
        yield from exposure.domain.problems(region, is_token, private=endpoints is not None)
    if isinstance(exposure.web_acl, WebAcl):
        yield from exposure.web_acl.problems(region, is_token)


def elsewhere_problems(place: StackEnvironment, models: object) -> Iterator[Problem]:
    """Endpoints that the function could not call, since SageMaker knows them by name in one account and Region."""
    for name, endpoint in models.items() if isinstance(models, Mapping) else ():
        known = [what for what in ("account", "region") if not is_token(getattr(place, what))]
        env = getattr(endpoint, "env", None) if known else None
        for what in known:
            here, there = getattr(place, what), getattr(env, what, None)
            if isinstance(there, str) and there != here and not is_token(there):
                word = what.capitalize() if what == "region" else what
                yield Problem(
                    f"models[{name!r}]",
                    there,
                    f"is the {word} of the endpoint, but a front door calls endpoints of its own stack's: {here}",
                    f"Put the front door into a stack of that {word}.",
                )
