"""Tokens of an OpenID Connect provider as access, those of Amazon Cognito among them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from aws_cdk import Duration

from constructs_lib._arguments import USER_POOL, USER_POOL_CLIENT
from constructs_lib.front_door.access import Access, AccessBinding
from constructs_lib.front_door.gateway_responses import GatewayAnswer
from constructs_lib.front_door.lambda_functions import python_function, token_scheme
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from aws_cdk import aws_cognito as cognito
    from aws_cdk import aws_logs as logs
    from constructs import Construct

# Three parts of base64url; anything else never reaches the function.
BEARER_JWT = r"^[Bb]earer [-A-Za-z0-9_]+\.[-A-Za-z0-9_]+\.[-A-Za-z0-9_]+$"

# API Gateway keeps a decision beyond the token's end, so not for long. It spares a busy client most of the checks.
CACHE_SECONDS = 60

_ISSUER = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[-A-Za-z0-9._~/]*)?")

_ANSWERS = (
    GatewayAnswer(
        "UNAUTHORIZED",
        401,
        "invalid_token",
        "The request carries no token, or one that is not valid for this API or has expired. Send a token of this API's"
        " identity provider in the header 'Authorization: Bearer <token>'.",
        {"WWW-Authenticate": "Bearer"},
    ),
)


class _TokenAccess(Access):
    """Binds the function that checks tokens."""

    def _binding(
        self, scope: Construct, *, issuer: str, audience: Sequence[str], log_retention: logs.RetentionDays
    ) -> AccessBinding:
        function = python_function(
            scope,
            "Function",
            folder="jwt_authorizer",
            handler="jwt_authorizer.handler",
            description="Checks the tokens of an OpenID Connect provider",
            timeout=Duration.seconds(10),
            memory_size=512,
            log_retention=log_retention,
            environment={"ISSUER": issuer, "AUDIENCE": json.dumps(list(audience))},
        )
        token = token_scheme(function, ttl_seconds=CACHE_SECONDS, validation=BEARER_JWT)
        return AccessBinding(schemes={"BearerToken": token}, answers=_ANSWERS, authorizer=function)


class JwtAccess(_TokenAccess):
    """Tokens of any provider."""

    words: ClassVar[str] = "Access.jwt(…)"

    def __init__(self, *, issuer: str, audience: str | Sequence[str]) -> None:
        self._issuer = issuer
        self._audience = [audience] if isinstance(audience, str) else audience

    def problems(self, is_token: Callable[[object], bool]) -> Iterator[Problem]:
        """What is wrong with issuer or audience."""
        issuer, audience = self._issuer, self._audience
        if not is_token(issuer) and not (isinstance(issuer, str) and _ISSUER.fullmatch(issuer)):
            message = "must be an https URL without query, as it stands in the tokens' claim iss"
            fix = "Give the `issuer` of the provider's /.well-known/openid-configuration."
            yield Problem("access.issuer", issuer, message, fix)
        texts = isinstance(audience, Sequence) and all(isinstance(each, str) and each for each in audience)
        if not texts or not audience:
            message = "must be at least one audience: without one, tokens for any other application would be let in"
            yield Problem("access.audience", audience, message, "Give the API's identifier, or the client's id.")

    def bind(self, scope: Construct, *, log_retention: logs.RetentionDays) -> AccessBinding:
        """Make the function that checks tokens."""
        return self._binding(scope, issuer=self._issuer, audience=self._audience, log_retention=log_retention)


class CognitoAccess(_TokenAccess):
    """Tokens of a user pool, for some of its app clients."""

    words: ClassVar[str] = "Access.cognito(…)"

    def __init__(self, user_pool: cognito.IUserPool, clients: Sequence[cognito.IUserPoolClient]) -> None:
        self._user_pool = user_pool
        self._clients = clients

    def problems(self, is_token: Callable[[object], bool]) -> Iterator[Problem]:
        """What is wrong with user_pool or clients."""
        yield from USER_POOL.problems("access.user_pool", self._user_pool, required=True)
        if not self._clients:
            fix = "Give the app clients whose tokens may call."
            yield Problem("access.clients", self._clients, "must have at least one app client", fix)
        else:
            yield from USER_POOL_CLIENT.list_problems("access.clients", self._clients)

    def bind(self, scope: Construct, *, log_retention: logs.RetentionDays) -> AccessBinding:
        """Make the function that checks tokens."""
        return self._binding(
            scope,
            issuer=f"https://{self._user_pool.user_pool_provider_name}",
            audience=[client.user_pool_client_id for client in self._clients],
            log_retention=log_retention,
        )
