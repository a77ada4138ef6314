"""Who may call a front door."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aws_cdk import Duration
    from aws_cdk import aws_cognito as cognito
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from constructs_lib.front_door.gateway_responses import GatewayAnswer
    from constructs_lib.planning.validation.problem import PlanWarning, Problem


@dataclass(frozen=True, kw_only=True)
class AccessBinding:
    """What one API is told of an access.

    Args:
        schemes: The security schemes by name, as `components.securitySchemes` of the Body takes them; a request has
            to satisfy all of them. None of them: anybody may call.
        answers: What the gateway answers to those who may not call.
        authorizer: The function that API Gateway asks, if it asks one.
        key_source: Where API keys come from, where they are asked for.
    """

    schemes: Mapping[str, Mapping[str, Any]]
    answers: tuple[GatewayAnswer, ...] = ()
    authorizer: lambda_.IFunction | None = None
    key_source: str | None = None


class Access(ABC):
    """Who may call a front door, and how they prove it.

    One of `api_keys` (the default), `jwt`, `cognito`, `iam`, `authorizer` and, which has to be asked for by name,
    `public`. Behind every one of them the door's own rate, burst and body limits hold.
    """

    words: ClassVar[str]
    """The access as a caller writes it."""

    uses_iam: ClassVar[bool] = False
    """Whether IAM decides, so that `FrontDoor.grant_invoke` has a meaning."""

    denies_unlisted_callers: ClassVar[bool] = False
    """Whether who is named by no policy is kept out; an Allow for everybody in the resource policy would undo that."""

    @property
    def uses_api_keys(self) -> bool:
        """Whether API keys are asked for, so that `FrontDoor.add_consumer` has a meaning."""
        return False

    @property
    def warning(self) -> PlanWarning | None:
        """What is legal but risky about it."""
        return None

    def problems(self, is_token: Callable[[object], bool]) -> Iterator[Problem]:
        """What is wrong with it.

        Args:
            is_token: Whether a value is known only at deployment; such values are not checked.
        """
        yield from ()

    @abstractmethod
    def bind(self, scope: Construct, *, log_retention: logs.RetentionDays) -> AccessBinding:
        """Make what it needs, and say what the API is told.

        Args:
            scope: Where it is made.
            log_retention: How long logs keep an event.
        """

    @staticmethod
    def api_keys() -> Access:
        """API keys, sent as `Authorization: Bearer <key>`, which is how OpenAI's and Hugging Face's clients send one.

        API Gateway makes the keys and checks them: `FrontDoor.add_consumer` gives one to each consumer, with a rate, a
        burst and a monthly quota of its own. For applications without AWS credentials and without users.
        """
        from constructs_lib.front_door.access.api_keys import ApiKeyAccess

        return ApiKeyAccess()

    @staticmethod
    def iam() -> Access:
        """AWS credentials: each request is signed (Signature Version 4, service `execute-api`).

        `FrontDoor.grant_invoke` allows a role or a user to call. OpenAI's and Hugging Face's clients do not sign; their
        HTTP client has to.
        """
        from constructs_lib.front_door.access.iam import IamAccess

        return IamAccess()

    @staticmethod
    def jwt(*, issuer: str, audience: str | Sequence[str]) -> Access:
        """Tokens of an OpenID Connect provider, sent as `Authorization: Bearer <token>`.

        A function of ours checks the signature (RS256, RS384, RS512 or ES256) with the keys that the issuer publishes
        below `/.well-known/openid-configuration`, and that the token is for this API, valid already and not expired,
        with 60 seconds of leeway. Every one of the issuer's valid tokens for the audience may call. A decision is kept
        for a minute, so an expired token may be let in until then.

        Args:
            issuer: The issuer as it stands in the tokens (`iss`), such as `https://login.example.com`.
            audience: The audiences of which the token has to have one, in `aud` or, as in Amazon Cognito's access
                tokens, in `client_id`.
        """
        from constructs_lib.front_door.access.jwt import JwtAccess

        return JwtAccess(issuer=issuer, audience=audience)

    @staticmethod
    def cognito(user_pool: cognito.IUserPool, clients: Sequence[cognito.IUserPoolClient]) -> Access:
        """Access or ID tokens of an Amazon Cognito user pool, checked as those of `jwt`.

        Args:
            user_pool: The user pool.
            clients: The app clients whose tokens may call.
        """
        from constructs_lib.front_door.access.jwt import CognitoAccess

        return CognitoAccess(user_pool, clients)

    @staticmethod
    def authorizer(function: lambda_.IFunction, *, ttl: Duration | None = None, usage_plans: bool = False) -> Access:
        """A Lambda authorizer of your own, of API Gateway's type TOKEN: it gets the header `Authorization`.

        Args:
            function: Answers with a policy and a `principalId`, which the log names as consumer. It is asked once for
                the whole API where decisions are kept, so its policy has to cover all routes.
            ttl: How long API Gateway keeps a decision for the same header, up to an hour. Default: 5 minutes.
            usage_plans: Whether it names an API key in `usageIdentifierKey`, so that each key's rate, burst and quota
                hold (see `FrontDoor.add_consumer`); a request for which it names none is refused. Default: False.
        """
        from constructs_lib.front_door.access.lambda_authorizer import AuthorizerAccess

        return AuthorizerAccess(function, ttl=ttl, usage_plans=usage_plans)

    @staticmethod
    def public() -> Access:
        """Anybody who knows the URL, which is a warning at synth: every request costs GPU time that you pay for."""
        from constructs_lib.front_door.access.public import PublicAccess

        return PublicAccess()
