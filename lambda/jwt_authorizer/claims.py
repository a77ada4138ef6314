"""Checks the claims of a token whose signature is valid (RFC 7519, RFC 9068)."""

import math
import re
from typing import Any

from jwt_authorizer.token import TokenError

LEEWAY_SECONDS = 60
"""How far the issuer's clock may differ from ours."""

_PRINCIPAL = re.compile(r"[\x20-\x7e]{1,255}")


def check_claims(claims: dict[str, Any], *, issuer: str, audience: frozenset[str], now: float) -> None:
    """Check that a token was issued by this issuer, for this API, and is valid now.

    Args:
        claims: The token's claims.
        issuer: The required `iss`.
        audience: The accepted audiences. One of them must be in `aud` or, as in Amazon Cognito's access tokens, in
            `client_id`.
        now: Seconds since 1970.

    Raises:
        TokenError: A claim is missing or wrong.
    """
    if claims.get("iss") != issuer:
        raise TokenError("issuer")
    if not audience & _audiences(claims):
        raise TokenError("audience")
    if _timestamp(claims, "exp") + LEEWAY_SECONDS <= now:
        raise TokenError("expired")
    if "nbf" in claims and _timestamp(claims, "nbf") - LEEWAY_SECONDS > now:
        raise TokenError("not valid yet")


def principal_of(claims: dict[str, Any]) -> str:
    """Return `sub` or, if the token was issued to a client that acts for itself, `client_id`.

    Raises:
        TokenError: Neither is a string of 1 to 255 printable ASCII characters.
    """
    principal = claims.get("sub") or claims.get("client_id")
    if not isinstance(principal, str) or not _PRINCIPAL.fullmatch(principal):
        raise TokenError("subject")
    return principal


def _audiences(claims: dict[str, Any]) -> set[str]:
    aud = claims.get("aud")
    values = aud if isinstance(aud, list) else [aud]
    return {value for value in (*values, claims.get("client_id")) if isinstance(value, str)}


def _timestamp(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TokenError(name)
    return value
