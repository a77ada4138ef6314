"""Who may call a front door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.front_door.access.api_keys import ApiKeyAccess
from constructs_lib.front_door.access.iam import IamAccess
from constructs_lib.front_door.access.jwt import CognitoAccess, JwtAccess
from constructs_lib.front_door.access.lambda_authorizer import AuthorizerAccess
from constructs_lib.front_door.access.public import PublicAccess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from aws_cdk import Duration
    from aws_cdk import aws_cognito as cognito
    from aws_cdk import aws_lambda as lambda_

    from constructs_lib.front_door.access.base import AccessMethod


class Access:
    """The access methods: who may call a front door, and how callers prove it.

    `api_keys` is the default; `public` must be requested explicitly. The front door's own rate, burst and body limits
    apply with every method.
    """

    @staticmethod
    def api_keys() -> AccessMethod:
        """API keys, sent as `Authorization: Bearer <key>` like the keys and tokens of OpenAI and Hugging Face clients.

        On the routes `/v1/messages` and below also as `x-api-key: <key>`, as Anthropic's clients send them.

        API Gateway creates and checks the keys: `FrontDoor.add_consumer` gives one to each consumer, with its own rate,
        burst and monthly quota. For applications without AWS credentials and without users.
        """
        return ApiKeyAccess()

    @staticmethod
    def iam() -> AccessMethod:
        """AWS credentials: each request is signed (Signature Version 4, service `execute-api`).

        `FrontDoor.grant_invoke` allows a role or a user to call. OpenAI and Hugging Face clients do not sign requests;
        give them an HTTP client that does.
        """
        return IamAccess()

    @staticmethod
    def jwt(
        *,
        issuer: str,
        audience: str | Sequence[str],
        jwks: str | Path | None = None,
        models_by_scope: Mapping[str, Sequence[str]] | None = None,
    ) -> AccessMethod:
        """Tokens of an OpenID Connect provider, sent as `Authorization: Bearer <token>`.

        A Lambda authorizer verifies the signature (RS256, RS384, RS512 or ES256) with the keys that the issuer
        publishes below `/.well-known/openid-configuration`, and that the token is for this API, already valid and not
        expired, with 60 seconds of leeway. Every valid token of the issuer for the audience may call. API Gateway
        caches a decision for a minute, so an expired token may be accepted for that long.

        Args:
            issuer: The issuer exactly as in the tokens' claim `iss`, such as `https://login.example.com`.
            audience: The accepted audiences. A token must have one of them in `aud` or, like Amazon Cognito's access
                tokens, in `client_id`.
            jwks: File with the issuer's public keys (a JSON Web Key Set), which is deployed with the front door: the
                authorizer then fetches nothing and works in subnets without internet access. When the issuer changes
                its keys, save them and deploy again. Default: fetched from the issuer, and again every 15 minutes.
            models_by_scope: The names of the models that each scope allows, in the claim `scope` or `scp`, such as
                `{"llm:llama": ["llama"]}`. A token may use the models of all its scopes, and no model without one of
                them; other models are not listed for it, and requests to them are answered with 403. Default: every
                token may use every model.
        """
        return JwtAccess(issuer=issuer, audience=audience, jwks=jwks, models_by_scope=models_by_scope)

    @staticmethod
    def cognito(
        user_pool: cognito.IUserPool,
        clients: Sequence[cognito.IUserPoolClient],
        *,
        models_by_scope: Mapping[str, Sequence[str]] | None = None,
    ) -> AccessMethod:
        """Access or ID tokens of an Amazon Cognito user pool, verified like those of `jwt`.

        Args:
            user_pool: The user pool.
            clients: The app clients whose tokens may call.
            models_by_scope: As for `jwt`. Access tokens have scopes, such as `<resource server>/llama`; ID tokens have
                none. Default: every token may use every model.
        """
        return CognitoAccess(user_pool, clients, models_by_scope=models_by_scope)

    @staticmethod
    def authorizer(
        function: lambda_.IFunction, *, ttl: Duration | None = None, usage_plans: bool = False
    ) -> AccessMethod:
        """Your own Lambda authorizer, of API Gateway's type TOKEN: it receives the header `Authorization`.

        Args:
            function: Returns a policy and a `principalId`, which the log shows as consumer. A cached policy applies to
                all routes of the API, so it must cover all of them.
            ttl: How long API Gateway caches a decision for the same header, up to an hour. Default: 5 minutes.
            usage_plans: Whether the function returns an API key in `usageIdentifierKey`, so that the rate, burst and
                quota of that key apply (see `FrontDoor.add_consumer`); a request without a key is rejected. Default:
                False.
        """
        return AuthorizerAccess(function, ttl=ttl, usage_plans=usage_plans)

    @staticmethod
    def public() -> AccessMethod:
        """No access control: anybody who knows the URL may call.

        Causes a warning at synth, as every request costs GPU time that you pay for.
        """
        return PublicAccess()
