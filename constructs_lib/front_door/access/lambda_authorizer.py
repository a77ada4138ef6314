"""A caller's own Lambda authorizer as access."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from aws_cdk import Duration

from constructs_lib._arguments import FUNCTION
from constructs_lib._quantities import quantity_problems
from constructs_lib.front_door.access import Access, AccessBinding
from constructs_lib.front_door.access.api_keys import API_KEY_SCHEME, KEY_ANSWERS
from constructs_lib.front_door.gateway_responses import GatewayAnswer
from constructs_lib.front_door.lambda_functions import token_scheme
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Boolean, problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from constructs import Construct

_DEFAULT_SECONDS = 300
_LONGEST_SECONDS = 3600

_ANSWERS = (
    GatewayAnswer(
        "UNAUTHORIZED",
        401,
        "unauthorized",
        "The request carries no credentials that this API accepts. Send them in the header 'Authorization'.",
        {"WWW-Authenticate": "Bearer"},
    ),
)


class AuthorizerAccess(Access):
    """A function of the caller's decides."""

    words: ClassVar[str] = "Access.authorizer(…)"
    denies_unlisted_callers: ClassVar[bool] = True

    def __init__(self, function: lambda_.IFunction, *, ttl: Duration | None, usage_plans: bool) -> None:
        self._function = function
        self._ttl = ttl
        self._usage_plans = usage_plans

    @property
    def uses_api_keys(self) -> bool:
        """Where the function names a key, it has to be a consumer's."""
        return self._usage_plans

    def problems(self, is_token: Callable[[object], bool]) -> Iterator[Problem]:
        """What is wrong with function, ttl or usage_plans."""
        yield from FUNCTION.problems("access.function", self._function, required=True)
        if found := problem("access.usage_plans", self._usage_plans, Boolean()):
            yield found
        yield from (
            Problem(f"access.{found.keyword}", found.value, found.message, found.fix)
            for found in quantity_problems(ttl=self._ttl)
        )
        if isinstance(self._ttl, Duration) and not self._ttl.is_unresolved():
            seconds = self._ttl.to_seconds(integral=False)
            if seconds != int(seconds) or seconds > _LONGEST_SECONDS:
                message = f"must be a whole number of seconds from 0 to {_LONGEST_SECONDS}"
                yield Problem("access.ttl", f"{seconds:g} s", message, "Choose one in that range; 0 keeps no decision.")

    def bind(self, scope: Construct, *, log_retention: logs.RetentionDays) -> AccessBinding:
        """It needs nothing but the permission that the API gets."""
        ttl = _DEFAULT_SECONDS if self._ttl is None else self._ttl.to_seconds()
        own = token_scheme(self._function, ttl_seconds=ttl)
        return AccessBinding(
            schemes={"Own": own} | ({"ApiKey": API_KEY_SCHEME} if self._usage_plans else {}),
            answers=(*_ANSWERS, *(KEY_ANSWERS if self._usage_plans else ())),
            authorizer=self._function,
            key_source="AUTHORIZER" if self._usage_plans else None,
        )
