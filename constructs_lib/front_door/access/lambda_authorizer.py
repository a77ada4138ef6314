"""A Lambda authorizer of the caller's as access method."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from aws_cdk import Duration

from constructs_lib._arguments import FUNCTION, quantity_problems
from constructs_lib._stack_env import environment_of
from constructs_lib.front_door.access.api_keys import API_KEY_SCHEME, KEY_RESPONSES
from constructs_lib.front_door.access.base import AccessBinding, AccessMethod
from constructs_lib.front_door.gateway_responses import GatewayResponse
from constructs_lib.front_door.lambda_functions import token_scheme
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Boolean, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from constructs_lib._protection import FunctionProtection

_DEFAULT_SECONDS = 300
_MAX_SECONDS = 3600

_RESPONSES = (
    GatewayResponse(
        "UNAUTHORIZED",
        401,
        "invalid_api_key",
        "The request carries no credentials that this API accepts. Send them in the header 'Authorization'.",
        {"WWW-Authenticate": "Bearer"},
        error_type="unauthorized",
    ),
)


class AuthorizerAccess(AccessMethod):
    """A function of the caller's decides."""

    display_name: ClassVar[str] = "Access.authorizer(…)"
    denies_unlisted_callers: ClassVar[bool] = True

    def __init__(self, function: lambda_.IFunction, *, ttl: Duration | None, usage_plans: bool) -> None:
        self._function = function
        self._ttl = ttl
        self._usage_plans = usage_plans

    @property
    def uses_api_keys(self) -> bool:
        """Whether the function returns API keys of consumers."""
        return self._usage_plans

    def validate(self) -> Iterator[Problem]:
        """Problems of function, ttl and usage_plans."""
        yield from FUNCTION.problems("access.function", self._function, required=True)
        if found := problem("access.usage_plans", self._usage_plans, Boolean()):
            yield found
        yield from (
            Problem(f"access.{found.keyword}", found.value, found.message, found.fix)
            for found in quantity_problems(ttl=self._ttl)
        )
        if isinstance(self._ttl, Duration) and not self._ttl.is_unresolved():
            seconds = self._ttl.to_seconds(integral=False)
            if seconds != int(seconds) or seconds > _MAX_SECONDS:
                message = f"must be a whole number of seconds from 0 to {_MAX_SECONDS}"
                yield Problem("access.ttl", f"{seconds:g} s", message, "Choose one in that range; 0 turns caching off.")

    def bind(
        self, scope: Construct, *, log_retention: logs.RetentionDays, protection: FunctionProtection
    ) -> AccessBinding:
        """Creates no resources."""
        ttl = _DEFAULT_SECONDS if self._ttl is None else self._ttl.to_seconds()
        authorizer_arn = self._function.function_arn
        own = token_scheme(environment_of(self._function), authorizer_arn, ttl_seconds=ttl)
        return AccessBinding(
            schemes={"Own": own} | ({"ApiKey": API_KEY_SCHEME} if self._usage_plans else {}),
            responses=(*_RESPONSES, *(KEY_RESPONSES if self._usage_plans else ())),
            authorizer_arn=authorizer_arn,
            key_source="AUTHORIZER" if self._usage_plans else None,
        )
