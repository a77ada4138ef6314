"""The headers that let pages of other origins read responses (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

import re
from collections.abc import Iterable

from front_door.http.request import Request
from front_door.http.response import JSON, Response

_DAY_SECONDS = "86400"
_EXPOSED_HEADERS = (
    "x-request-id, request-id, retry-after, x-should-retry, x-prompt-tokens, x-generated-tokens, x-tgi-difference,"
    " allow"
)
_NAMES = re.compile(r"[\w!#$%&'*+.^`|~, -]+", re.ASCII)


def add_headers(response: Response, request: Request, origins: tuple[str, ...]) -> None:
    """Add those for a page of an allowed origin; credentials (cookies) are never allowed, the key is a header."""
    if not origins:
        return
    headers, origin = response.headers, request.header("origin")
    allowed = "*" if "*" in origins else origin if origin in origins else None
    if allowed is not None:
        headers["Access-Control-Allow-Origin"] = allowed
        headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
    if allowed != "*":
        headers["Vary"] = f"{headers['Vary']}, Origin" if "Vary" in headers else "Origin"


def preflight(request: Request, methods: Iterable[str]) -> Response:
    """The response to a browser's preflight request; `add_headers` says whether its origin is allowed.

    It allows the method and the headers that the page asks for, on every path: so the page can read the 404 or 405, and
    each release of a client may send headers of its own. Nothing is decided by them that a key does not decide.

    Args:
        request: The request.
        methods: Those of its path, for a request that asks for none.
    """
    allowed = {
        "Access-Control-Allow-Methods": _requested(request, "method") or ", ".join(methods),
        "Access-Control-Allow-Headers": _requested(request, "headers"),
        "Access-Control-Max-Age": _DAY_SECONDS,
    }
    return Response(200, {**JSON, **{name: value for name, value in allowed.items() if value}}, [b"{}"])


def _requested(request: Request, what: str) -> str:
    names = ", ".join(request.headers.get(f"access-control-request-{what}", ()))
    return names if _NAMES.fullmatch(names) else ""
