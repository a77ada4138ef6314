"""API keys as access: what OpenAI's and Hugging Face's clients send as Bearer token is API Gateway's API key."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from aws_cdk import Duration

from constructs_lib.front_door.access import Access, AccessBinding
from constructs_lib.front_door.gateway_responses import GatewayAnswer
from constructs_lib.front_door.lambda_functions import python_function, token_scheme

if TYPE_CHECKING:
    from aws_cdk import aws_logs as logs
    from constructs import Construct

# A key of API Gateway is 40 characters; own values have 20 to 128. What cannot be a key never reaches the authorizer.
BEARER_KEY = r"^[Bb]earer [-A-Za-z0-9._~+/]{20,128}=*$"

# The authorizer only reads the key off the header, so its answer for a header never changes. Whether the key exists
# and has quota left, API Gateway checks itself on every request, also while the answer is cached.
_CACHE_SECONDS = 3600

_HINT = "Send your API key in the header 'Authorization: Bearer <key>'."

# The scheme that makes a method ask for a key of a usage plan; where the key comes from, the API's key source says.
API_KEY_SCHEME = {"type": "apiKey", "name": "x-api-key", "in": "header"}

KEY_ANSWERS = (
    GatewayAnswer(
        "INVALID_API_KEY",
        401,
        "invalid_api_key",
        f"The API key is unknown, disabled, or not in a usage plan of this API. {_HINT}",
        {"WWW-Authenticate": "Bearer"},
    ),
    GatewayAnswer(
        "THROTTLED",
        429,
        "rate_limit_exceeded",
        "Too many requests per second for this API key. Try again in a second.",
        {"Retry-After": "1"},
    ),
    GatewayAnswer(
        "QUOTA_EXCEEDED",
        429,
        "insufficient_quota",
        "The API key has used up its quota of requests for this period.",
        # OpenAI's clients retry every 429 unless they are told not to.
        {"x-should-retry": "false"},
    ),
)


class ApiKeyAccess(Access):
    """Makes the bearer token of a request its API key, so that OpenAI's and Hugging Face's clients work unchanged.

    The authorizer holds no secret and compares nothing: it hands the token to API Gateway as usage identifier (the
    API's key source is AUTHORIZER), and API Gateway looks the key up.
    """

    words: ClassVar[str] = "Access.api_keys()"

    @property
    def uses_api_keys(self) -> bool:
        """Each consumer has a key."""
        return True

    def bind(self, scope: Construct, *, log_retention: logs.RetentionDays) -> AccessBinding:
        """Make the function that reads the key off the header."""
        function = python_function(
            scope,
            "Function",
            folder="api_key_authorizer",
            handler="api_key_authorizer.handler",
            description="Reads the API key off the Authorization header",
            timeout=Duration.seconds(5),
            memory_size=256,
            log_retention=log_retention,
        )
        reader = token_scheme(function, ttl_seconds=_CACHE_SECONDS, validation=BEARER_KEY)
        missing = GatewayAnswer(
            "UNAUTHORIZED",
            401,
            "missing_api_key",
            f"The request carries no API key, or one of the wrong form. {_HINT}",
            {"WWW-Authenticate": "Bearer"},
        )
        return AccessBinding(
            schemes={"BearerKey": reader, "ApiKey": API_KEY_SCHEME},
            answers=(missing, *KEY_ANSWERS),
            authorizer=function,
            key_source="AUTHORIZER",
        )
