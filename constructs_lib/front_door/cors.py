"""Cross-origin requests to a front door. Pure Python: no aws_cdk here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.unknown import Unknown

# An origin as browsers send it: scheme, host in lower case, and the port unless it is the scheme's default.
_ORIGIN = re.compile(r"https?://([a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?")
_EXPOSED_HEADERS = "x-request-id, request-id, Retry-After, x-should-retry, x-amzn-ErrorType"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """The origins whose pages may call a front door from a browser.

    The API uses no cookies; the key or token is in a header. Anybody who opens a page can read the
    keys in it: give each user their own token (`Access.jwt`, `Access.cognito`).

    Args:
        allowed_origins: Origins without a path, such as `https://app.example.com` or `http://localhost:3000`. `["*"]`
            allows every origin.
    """

    allowed_origins: Sequence[str]

    def gateway_headers(self) -> dict[str, str]:
        """Headers of the gateway responses, as API Gateway's parameter mappings take them.

        A gateway response cannot select one of several origins, so it allows the origin of the request: its body is a
        fixed text, and credentials are never allowed. The function, which sends all other responses, allows only the
        listed origins.
        """
        origin = self.allowed_origins[0] if len(self.allowed_origins) == 1 else "method.request.header.Origin"
        vary = {} if origin == "*" else {"Vary": "Origin"}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED_HEADERS, **vary}


def origin_problems(origins: object) -> Iterator[Problem]:
    """Problems of `Cors.allowed_origins`.

    Args:
        origins: The origins; an `Unknown` among them is not checked.
    """
    keyword = "cors.allowed_origins"
    if isinstance(origins, str) or not isinstance(origins, Sequence) or not origins:
        fix = 'Write ["https://app.example.com"], or remove cors.'
        yield Problem(keyword, origins, "must be a list of at least one origin", fix)
        return
    for origin in origins:
        if not isinstance(origin, Unknown) and origin != "*" and not _is_origin(origin):
            fix = "Write it as browsers send it, such as https://app.example.com: in lower case, without a path."
            yield Problem(keyword, origin, "must be an origin: https://<host> or http://<host>, with :<port>", fix)
    if "*" in origins and len(origins) > 1:
        yield Problem(keyword, list(origins), "allows every origin, which makes the others redundant", 'Write ["*"].')


def _is_origin(value: object) -> bool:
    return isinstance(value, str) and _ORIGIN.fullmatch(value) is not None
