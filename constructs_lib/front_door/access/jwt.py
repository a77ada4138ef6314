"""Tokens of an OpenID Connect provider as access method, including those of Amazon Cognito."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from constructs_lib._arguments import USER_POOL, USER_POOL_CLIENT
from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import is_token
from constructs_lib.front_door.access.base import AccessBinding, AccessMethod
from constructs_lib.front_door.access.key_file import KEYS_PATH, key_file_problems, key_file_text
from constructs_lib.front_door.consumer_rules import scope_problems
from constructs_lib.front_door.gateway_responses import GatewayResponse
from constructs_lib.front_door.lambda_functions import authorizer_function, token_scheme
from constructs_lib.front_door.layers import file_layer
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from aws_cdk import aws_cognito as cognito
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from constructs_lib._protection import FunctionProtection

# Three parts of base64url; nothing else reaches the function.
_BEARER_JWT = r"^[Bb]earer [-A-Za-z0-9_]+\.[-A-Za-z0-9_]+\.[-A-Za-z0-9_]+$"

# Short, as API Gateway keeps a decision beyond the token's expiry; still a busy client causes few invocations.
_CACHE_SECONDS = 60

_ISSUER = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[-A-Za-z0-9._~/]*)?")

_RESPONSES = (
    GatewayResponse(
        "UNAUTHORIZED",
        401,
        "invalid_api_key",
        "The request carries no token, or one that is not valid for this API or has expired. Send a token of this API's"
        " identity provider in the header 'Authorization: Bearer <token>'.",
        {"WWW-Authenticate": "Bearer"},
        error_type="invalid_token",
    ),
)


def _keys_layer(scope: Construct, jwks: str | Path) -> lambda_.CfnLayerVersion:
    text = key_file_text(jwks)
    return file_layer(scope, "Keys", files={KEYS_PATH: lambda: text}, description="The public keys of an issuer")


class _TokenAccess(AccessMethod):
    """Creates the function that verifies tokens.

    Args:
        models_by_scope: The models that each scope of a token allows. None: every token allows every model.
    """

    def __init__(self, models_by_scope: Mapping[str, Sequence[str]] | None) -> None:
        self._models_by_scope = models_by_scope

    @property
    def models_by_scope(self) -> Mapping[str, Sequence[str]] | None:
        """The models that each scope of a token allows."""
        return self._models_by_scope

    def validate(self) -> Iterator[Problem]:
        """Problems of models_by_scope."""
        if self._models_by_scope is not None:
            yield from scope_problems(self._models_by_scope)

    def _binding(
        self,
        scope: Construct,
        *,
        issuer: str,
        audience: Sequence[str],
        jwks: str | Path | None,
        log_retention: logs.RetentionDays,
        protection: FunctionProtection,
    ) -> AccessBinding:
        keys = {} if jwks is None else {"JWKS_FILE": f"/opt/{KEYS_PATH}"}
        authorizer_arn = authorizer_function(
            scope,
            # Not the id of the function of another access method: CloudFormation would change its code before the API,
            # which would then ask the new function by the rules of the old one. Of API keys it admits every token.
            "TokenFunction",
            folder="jwt_authorizer",
            handler="jwt_authorizer.handler.handler",
            description="Verifies tokens of an OpenID Connect provider",
            timeout_seconds=10,
            memory_size=512,
            log_retention=log_retention,
            environment={"ISSUER": issuer, "AUDIENCE": json.dumps(list(audience)), **keys},
            protection=protection,
            layers=() if jwks is None else (_keys_layer(scope, jwks),),
        )
        token = token_scheme(environment_of(scope), authorizer_arn, ttl_seconds=_CACHE_SECONDS, validation=_BEARER_JWT)
        return AccessBinding(schemes={"BearerToken": token}, responses=_RESPONSES, authorizer_arn=authorizer_arn)


class JwtAccess(_TokenAccess):
    """Tokens of any provider."""

    display_name: ClassVar[str] = "Access.jwt(…)"

    def __init__(
        self,
        *,
        issuer: str,
        audience: str | Sequence[str],
        jwks: str | Path | None,
        models_by_scope: Mapping[str, Sequence[str]] | None,
    ) -> None:
        super().__init__(models_by_scope)
        self._issuer = issuer
        self._jwks = jwks
        self._audience = [audience] if isinstance(audience, str) else audience

    @property
    def fetches_keys(self) -> bool:
        """Whether they are not in a file."""
        return self._jwks is None

    def validate(self) -> Iterator[Problem]:
        """Problems of issuer, audience, jwks and models_by_scope."""
        issuer, audience = self._issuer, self._audience
        if not is_token(issuer) and not (isinstance(issuer, str) and _ISSUER.fullmatch(issuer)):
            message = "must be an https URL without a query, as in the tokens' claim iss"
            fix = "Use the `issuer` in the provider's /.well-known/openid-configuration."
            yield Problem("access.issuer", issuer, message, fix)
        strings = isinstance(audience, Sequence) and all(isinstance(each, str) and each for each in audience)
        if not strings or not audience:
            message = "must be at least one audience: without one, tokens for any other application would be accepted"
            yield Problem("access.audience", audience, message, "Give the API's identifier, or the client's id.")
        yield from super().validate()
        if self._jwks is not None:
            yield from key_file_problems(self._jwks)

    def bind(
        self, scope: Construct, *, log_retention: logs.RetentionDays, protection: FunctionProtection
    ) -> AccessBinding:
        """Create the function that verifies tokens."""
        return self._binding(
            scope,
            issuer=self._issuer,
            audience=self._audience,
            jwks=self._jwks,
            log_retention=log_retention,
            protection=protection,
        )


class CognitoAccess(_TokenAccess):
    """Tokens of a user pool, for some of its app clients."""

    display_name: ClassVar[str] = "Access.cognito(…)"

    def __init__(
        self,
        user_pool: cognito.IUserPool,
        clients: Sequence[cognito.IUserPoolClient],
        *,
        models_by_scope: Mapping[str, Sequence[str]] | None,
    ) -> None:
        super().__init__(models_by_scope)
        self._user_pool = user_pool
        self._clients = clients

    @property
    def fetches_keys(self) -> bool:
        """Always: the pool publishes them."""
        return True

    def validate(self) -> Iterator[Problem]:
        """Problems of user_pool, clients and models_by_scope."""
        yield from USER_POOL.problems("access.user_pool", self._user_pool, required=True)
        if not self._clients:
            fix = "Give the app clients whose tokens may call."
            yield Problem("access.clients", self._clients, "must have at least one app client", fix)
        else:
            yield from USER_POOL_CLIENT.list_problems("access.clients", self._clients)
        yield from super().validate()

    def bind(
        self, scope: Construct, *, log_retention: logs.RetentionDays, protection: FunctionProtection
    ) -> AccessBinding:
        """Create the function that verifies tokens."""
        return self._binding(
            scope,
            issuer=f"https://{self._user_pool.user_pool_provider_name}",
            audience=[client.user_pool_client_id for client in self._clients],
            jwks=None,
            log_retention=log_retention,
            protection=protection,
        )
