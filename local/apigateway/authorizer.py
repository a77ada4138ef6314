"""Lambda authorizers: calls the deployed function, caches its decisions and evaluates its policies."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.apigateway.responses import GatewayError
from local.lambda_service import FunctionError, FunctionThrottled, FunctionTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.apigateway.api import Authorizer
    from local.apigateway.integration import Function

FAILED = "Internal server error"
# Clients can send any number of different tokens, so the cache is limited.
MAX_DECISIONS = 10_000


@dataclass(frozen=True, slots=True)
class Decision:
    """The response of an authorizer function.

    Args:
        principal_id: The principal.
        usage_key: The API key to use (`usageIdentifierKey`), if any.
        context: Additional values for `$context.authorizer`.
        statements: The statements of the policy.
    """

    principal_id: str
    usage_key: str | None
    context: Mapping[str, Any]
    statements: list[Mapping[str, Any]]

    def variables(self) -> dict[str, Any]:
        """The values in `$context.authorizer` and `requestContext.authorizer`."""
        return {**self.context, "principalId": self.principal_id}


class Authorizers:
    """Calls authorizer functions and caches their decisions per identity.

    Args:
        functions: Finds a function by name.
        clock: A monotonic clock in seconds.
    """

    def __init__(self, functions: Callable[[str], Function], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._functions = functions
        self._clock = clock
        self._decisions: dict[tuple[str, tuple[str, ...]], tuple[float, Decision]] = {}

    async def authorize(
        self, authorizer: Authorizer, headers: Mapping[str, str], request_event: Mapping[str, Any]
    ) -> Decision:
        """Authorizes a request; returns the decision, which allows it.

        Args:
            authorizer: The authorizer.
            headers: The headers of the request by lower-case name.
            request_event: The event for an authorizer of the type REQUEST.

        Raises:
            GatewayError: UNAUTHORIZED without a header that the authorizer needs, or with a token in another format,
                ACCESS_DENIED if the policy does not allow the method, AUTHORIZER_FAILURE or
                AUTHORIZER_CONFIGURATION_ERROR if the function fails.
        """
        identity = tuple(headers.get(name, "") for name in authorizer.headers)
        expression = authorizer.validation
        if not all(identity) or (expression and not re.fullmatch(expression, identity[0])):
            raise GatewayError("UNAUTHORIZED", "Unauthorized")
        method_arn = request_event["methodArn"]
        token_event = {"type": "TOKEN", "methodArn": method_arn, "authorizationToken": "".join(identity)}
        decision = await self._decide(authorizer, identity, request_event if authorizer.is_request else token_event)
        effects = {statement["Effect"] for statement in decision.statements if _covers(statement, method_arn)}
        if "Deny" in effects:
            raise GatewayError("ACCESS_DENIED", "User is not authorized to access this resource with an explicit deny")
        if "Allow" not in effects:
            raise GatewayError("ACCESS_DENIED", "User is not authorized to access this resource")
        return decision

    async def _decide(self, authorizer: Authorizer, identity: tuple[str, ...], event: Mapping[str, Any]) -> Decision:
        cached = self._decisions.get((authorizer.id, identity))
        if cached is not None and cached[0] > self._clock():
            return cached[1]
        try:
            payload = await self._functions(authorizer.function_name).invoke(dict(event))
        except FunctionTimeout as error:
            raise GatewayError("AUTHORIZER_FAILURE", FAILED, reason="the authorizer timed out") from error
        except FunctionThrottled as error:
            raise GatewayError("AUTHORIZER_FAILURE", FAILED, reason=f"Lambda throttled: {error}") from error
        except FunctionError as error:
            if _error_message(error) == "Unauthorized":
                raise GatewayError("UNAUTHORIZED", "Unauthorized") from error
            raise GatewayError("AUTHORIZER_FAILURE", FAILED, reason=f"the authorizer failed: {error}") from error
        decision = parse_decision(payload)
        if authorizer.ttl_seconds > 0:
            if len(self._decisions) >= MAX_DECISIONS:
                del self._decisions[next(iter(self._decisions))]
            self._decisions[(authorizer.id, identity)] = (self._clock() + authorizer.ttl_seconds, decision)
        return decision


def parse_decision(payload: bytes) -> Decision:
    """Parses the response of an authorizer function.

    Raises:
        GatewayError: AUTHORIZER_CONFIGURATION_ERROR if it is malformed, for example without a policy.
    """
    try:
        body = json.loads(payload)
        statements = body["policyDocument"]["Statement"]
        decision = Decision(
            principal_id=str(body["principalId"]),
            usage_key=body.get("usageIdentifierKey"),
            context=dict(body.get("context") or {}),
            statements=statements if isinstance(statements, list) else [statements],
        )
        _require_flat(decision.context)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"malformed authorizer response: {type(error).__name__} {error}"
        raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", FAILED, reason=reason) from error
    return decision


def _require_flat(context: Mapping[str, Any]) -> None:
    for name, value in context.items():
        if not isinstance(value, str | int | float | bool):
            raise ValueError(f"context['{name}'] must be a string, number or boolean")


def _covers(statement: Mapping[str, Any], method_arn: str) -> bool:
    return _any_matches(statement["Action"], "execute-api:Invoke") and _any_matches(statement["Resource"], method_arn)


def _any_matches(patterns: str | list[str], text: str) -> bool:
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
        if re.fullmatch(expression, text, re.IGNORECASE if ":Invoke" in text else 0):
            return True
    return False


def _error_message(error: FunctionError) -> str | None:
    payload = error.args[0] if error.args else b""
    try:
        body = json.loads(payload) if isinstance(payload, str | bytes) else payload
    except ValueError:
        return None
    return body.get("errorMessage") if isinstance(body, dict) else None
