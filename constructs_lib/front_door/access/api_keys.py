"""API keys as access method: the bearer token of OpenAI and Hugging Face clients is API Gateway's API key.

On the routes of Anthropic's clients it may be in `x-api-key` too, where those send it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from constructs_lib._stack_env import environment_of
from constructs_lib.front_door.access.base import AccessBinding, AccessMethod
from constructs_lib.front_door.gateway_responses import DO_NOT_RETRY, GatewayResponse, throttled
from constructs_lib.front_door.lambda_functions import authorizer_function, request_scheme, token_scheme

if TYPE_CHECKING:
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from constructs_lib._protection import FunctionProtection

# Whatever is sent as a key reaches the authorizer, also what cannot be one: API Gateway answers a header that does not
# match as if there were none, and a caller with a mistyped key would read that it sends no key.
BEARER = r"^[Bb]earer +[^ ].*$"

# The authorizer only extracts the key from the header, so its result for a header never changes. API Gateway checks on
# every request, also while the result is cached, that the key exists and has quota left.
_CACHE_SECONDS = 3600

_HINT = "Send your API key in the header 'Authorization: Bearer <key>'."

# The scheme that makes a method require a key of a usage plan; the API's key source decides where the key comes from.
API_KEY_SCHEME = {"type": "apiKey", "name": "x-api-key", "in": "header"}

KEY_RESPONSES = (
    GatewayResponse(
        "INVALID_API_KEY",
        401,
        "invalid_api_key",
        f"The API key is unknown, disabled, or not in a usage plan of this API. {_HINT}",
        {"WWW-Authenticate": "Bearer"},
    ),
    throttled("Too many requests per second for this API key. Try again in a second."),
    GatewayResponse(
        "QUOTA_EXCEEDED",
        429,
        "insufficient_quota",
        "The API key has used up its quota of requests for this period.",
        # A quota is of a day, a week or a month: an hour is often enough to ask again.
        {"Retry-After": "3600", **DO_NOT_RETRY},
        type="insufficient_quota",
    ),
)


class ApiKeyAccess(AccessMethod):
    """Uses the bearer token of a request as its API key, so that OpenAI and Hugging Face clients work unchanged.

    The authorizer has no secret and compares nothing: it returns the token to API Gateway as usage identifier key (the
    API's key source is AUTHORIZER), and API Gateway looks the key up.
    """

    display_name: ClassVar[str] = "Access.api_keys()"

    @property
    def uses_api_keys(self) -> bool:
        """Each consumer has a key."""
        return True

    def bind(
        self, scope: Construct, *, log_retention: logs.RetentionDays, protection: FunctionProtection
    ) -> AccessBinding:
        """Create the function that extracts the key from the header."""
        authorizer_arn = authorizer_function(
            scope,
            "Function",
            folder="api_key_authorizer",
            handler="api_key_authorizer.handler",
            description="Extracts the API key from the headers of a request",
            timeout_seconds=5,
            memory_size=256,
            log_retention=log_retention,
            protection=protection,
        )
        environment = environment_of(scope)
        bearer_key = token_scheme(environment, authorizer_arn, ttl_seconds=_CACHE_SECONDS, validation=BEARER)
        missing = GatewayResponse(
            "UNAUTHORIZED",
            401,
            "invalid_api_key",
            f"The request carries no API key. {_HINT} Anthropic's clients may send it in 'x-api-key' to /v1/messages.",
            {"WWW-Authenticate": "Bearer"},
        )
        return AccessBinding(
            schemes={"BearerKey": bearer_key, "ApiKey": API_KEY_SCHEME},
            responses=(missing, *KEY_RESPONSES),
            authorizer_arn=authorizer_arn,
            key_source="AUTHORIZER",
            anthropic_schemes={"EitherKey": request_scheme(environment, authorizer_arn), "ApiKey": API_KEY_SCHEME},
        )
