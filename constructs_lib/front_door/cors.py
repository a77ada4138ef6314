"""Which pages of other origins may call a front door. Pure Python: no aws_cdk here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from constructs_lib.planning.validation.problem import Problem

# An origin as browsers send it: scheme, host in lower case, port where it is not the scheme's own.
_ORIGIN = re.compile(r"https?://([a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?")
_EXPOSED = "Retry-After, x-amzn-RequestId, x-amzn-ErrorType"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """The origins whose pages may call a front door from a browser.

    Browsers send no cookies to it and are never asked to; the key or token goes in the header `Authorization`. Keys in
    a page can be read by whoever opens it: give each user a token of their own (`Access.jwt`, `Access.cognito`).

    Args:
        allowed_origins: Such as `https://app.example.com` or `http://localhost:3000`, without a path. `["*"]` allows
            every page.
    """

    allowed_origins: Sequence[str]

    def problems(self, is_token: Callable[[object], bool]) -> Iterator[Problem]:
        """What is wrong with it.

        Args:
            is_token: Whether a value is known only at deployment; such values are not checked.
        """
        keyword, origins = "cors.allowed_origins", self.allowed_origins
        if isinstance(origins, str) or not isinstance(origins, Sequence) or not origins:
            fix = 'Write ["https://app.example.com"], or leave cors out.'
            yield Problem(keyword, origins, "must be a list of at least one origin", fix)
            return
        for origin in origins:
            if not is_token(origin) and origin != "*" and not (isinstance(origin, str) and _ORIGIN.fullmatch(origin)):
                fix = "Write it as browsers send it, such as https://app.example.com: lower case, without a path."
                yield Problem(keyword, origin, "must be an origin: https://<host> or http://<host>, with :<port>", fix)
        if "*" in origins and len(origins) > 1:
            yield Problem(keyword, list(origins), "allows every origin, so the others have no meaning", 'Write ["*"].')

    def gateway_headers(self) -> dict[str, str]:
        """The headers of what the gateway answers by itself.

        It cannot choose among several origins, so it names the one that asks: what it answers are fixed texts, and no
        credentials are ever allowed. The function, which answers everything else, names allowed origins only.
        """
        origin = self.allowed_origins[0] if len(self.allowed_origins) == 1 else "method.request.header.Origin"
        vary = {} if origin == "*" else {"Vary": "Origin"}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED, **vary}
