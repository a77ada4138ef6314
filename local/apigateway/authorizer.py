"""TOKEN authorizers: asking the deployed function, keeping its decisions, and reading its policies."""

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
# Decisions that are kept at most, as tokens are made up by whoever calls.
MAX_DECISIONS = 10_000


@dataclass(frozen=True, slots=True)
class Decision:
    """What an authorizer function returned.

    Args:
        principal_id: Whom it recognised.
        usage_key: The API key to count the request for, if it named one.
        context: Further values for `$context.authorizer`.
        statements: The statements of its policy.
    """

    principal_id: str
    usage_key: str | None
    context: Mapping[str, Any]
    statements: list[Mapping[str, Any]]

    def variables(self) -> dict[str, Any]:
        """The values below `$context.authorizer` and `requestContext.authorizer`."""
        return {**self.context, "principalId": self.principal_id}


class Authorizers:
    """Asks authorizer functions and remembers their decisions per token.

    Args:
        functions: The function of a name.
        clock: Seconds that only grow.
    """

    def __init__(self, functions: Callable[[str], Function], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._functions = functions
        self._clock = clock
        self._decisions: dict[tuple[str, str], tuple[float, Decision]] = {}

    async def authorize(self, authorizer: Authorizer, headers: Mapping[str, str], method_arn: str) -> Decision:
        """The decision for a request that may pass.

        Raises:
            GatewayError: UNAUTHORIZED without a token of the right form, ACCESS_DENIED if the policy does not allow the
                method, AUTHORIZER_FAILURE or AUTHORIZER_CONFIGURATION_ERROR if the function fails.
        """
        token = headers.get(authorizer.header, "")
        if not token or (authorizer.validation and not re.fullmatch(authorizer.validation, token)):
            raise GatewayError("UNAUTHORIZED", "Unauthorized")
        decision = await self._decide(authorizer, token, method_arn)
        effects = {statement["Effect"] for statement in decision.statements if _covers(statement, method_arn)}
        if "Deny" in effects:
            raise GatewayError("ACCESS_DENIED", "User is not authorized to access this resource with an explicit deny")
        if "Allow" not in effects:
            raise GatewayError("ACCESS_DENIED", "User is not authorized to access this resource")
        return decision

    async def _decide(self, authorizer: Authorizer, token: str, method_arn: str) -> Decision:
        kept = self._decisions.get((authorizer.id, token))
        if kept is not None and kept[0] > self._clock():
            return kept[1]
        event = {"type": "TOKEN", "methodArn": method_arn, "authorizationToken": token}
        try:
            payload = await self._functions(authorizer.function_name).invoke(event)
        except FunctionTimeout as error:
            raise GatewayError("AUTHORIZER_FAILURE", FAILED, reason="the authorizer timed out") from error
        except FunctionThrottled as error:
            raise GatewayError("AUTHORIZER_FAILURE", FAILED, reason=f"Lambda throttled: {error}") from error
        except FunctionError as error:
            if _error_message(error) == "Unauthorized":
                raise GatewayError("UNAUTHORIZED", "Unauthorized") from error
            raise GatewayError("AUTHORIZER_FAILURE", FAILED, reason=f"the authorizer failed: {error}") from error
        decision = read_decision(payload)
        if authorizer.ttl_seconds > 0:
            if len(self._decisions) >= MAX_DECISIONS:
                del self._decisions[next(iter(self._decisions))]
            self._decisions[(authorizer.id, token)] = (self._clock() + authorizer.ttl_seconds, decision)
        return decision


def read_decision(payload: bytes) -> Decision:
    """Reads the answer of an authorizer function.

    Raises:
        GatewayError: AUTHORIZER_CONFIGURATION_ERROR if it has no principal or no policy.
    """
    try:
        answer = json.loads(payload)
        statements = answer["policyDocument"]["Statement"]
        decision = Decision(
            principal_id=str(answer["principalId"]),
            usage_key=answer.get("usageIdentifierKey"),
            context=dict(answer.get("context") or {}),
            statements=statements if isinstance(statements, list) else [statements],
        )
        _require_flat(decision.context)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"the authorizer's answer is not one: {type(error).__name__} {error}"
        raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", FAILED, reason=reason) from error
    return decision


def _require_flat(context: Mapping[str, Any]) -> None:
    for name, value in context.items():
        if not isinstance(value, str | int | float | bool):
            raise ValueError(f"context['{name}'] is neither text, number nor boolean")


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
        told = json.loads(payload) if isinstance(payload, str | bytes) else payload
    except ValueError:
        return None
    return told.get("errorMessage") if isinstance(told, dict) else None
