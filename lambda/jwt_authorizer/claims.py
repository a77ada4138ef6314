"""Whether the claims of a token, whose signature is right, let its bearer in (RFC 7519, RFC 9068)."""

import math
import re
from typing import Any

from jwt_authorizer.errors import TokenError

LEEWAY_SECONDS = 60
"""By how much the issuer's clock may differ from ours."""

_SUBJECT = re.compile(r"[\x20-\x7e]{1,255}")


def check_claims(claims: dict[str, Any], *, issuer: str, audience: frozenset[str], now: float) -> None:
    """Whether the token is the issuer's, for this API, and valid now.

    Args:
        claims: What it claims.
        issuer: Who must have issued it.
        audience: For whom: one of these, in `aud` or, as Amazon Cognito's access tokens have it, in `client_id`.
        now: Seconds since 1970.

    Raises:
        TokenError: It is not.
    """
    if claims.get("iss") != issuer:
        raise TokenError("issuer")
    if not audience & _audience(claims):
        raise TokenError("audience")
    if _time(claims, "exp") + LEEWAY_SECONDS <= now:
        raise TokenError("expired")
    if "nbf" in claims and _time(claims, "nbf") - LEEWAY_SECONDS > now:
        raise TokenError("not valid yet")


def subject(claims: dict[str, Any]) -> str:
    """Who bears the token: its subject, or the client that it was issued to for itself.

    Raises:
        TokenError: It names nobody.
    """
    found = claims.get("sub") or claims.get("client_id")
    if not isinstance(found, str) or not _SUBJECT.fullmatch(found):
        raise TokenError("subject")
    return found


def _audience(claims: dict[str, Any]) -> set[str]:
    stated = claims.get("aud")
    audiences = stated if isinstance(stated, list) else [stated]
    return {each for each in (*audiences, claims.get("client_id")) if isinstance(each, str)}


def _time(claims: dict[str, Any], name: str) -> float:
    stated = claims.get(name)
    if isinstance(stated, bool) or not isinstance(stated, int | float) or not math.isfinite(stated):
        raise TokenError(name)
    return stated
