"""The headers that let pages of other origins read responses (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from collections.abc import Iterable

from front_door.http.request import Request
from front_door.http.response import JSON, Response

_DAY_SECONDS = "86400"
# What OpenAI's and Hugging Face's clients send from a browser, beside what every page may send.
_ALLOWED_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, X-Request-Id, OpenAI-Beta, OpenAI-Organization, OpenAI-Project,"
    " X-Stainless-Arch, X-Stainless-Lang, X-Stainless-OS, X-Stainless-Package-Version, X-Stainless-Retry-Count,"
    " X-Stainless-Runtime, X-Stainless-Runtime-Version, X-Stainless-Timeout"
)
_EXPOSED_HEADERS = "x-request-id, retry-after, x-prompt-tokens, x-generated-tokens"


def headers(request: Request, origins: tuple[str, ...]) -> dict[str, str]:
    """The headers for a page of an allowed origin; credentials (cookies) are never allowed, the key is a header."""
    if not origins:
        return {}
    origin = request.header("origin")
    if "*" in origins:
        return {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": _EXPOSED_HEADERS}
    if origin is None or origin not in origins:
        return {"Vary": "Origin"}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": _EXPOSED_HEADERS,
        "Vary": "Origin",
    }


def preflight(methods: Iterable[str]) -> Response:
    """The response to a browser's preflight request; `headers` says whether its origin is allowed."""
    allowed = {
        **JSON,
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
        "Access-Control-Max-Age": _DAY_SECONDS,
    }
    return Response(200, allowed, [b"{}"])
