"""Checks the claims of a token whose signature is valid (RFC 7519, RFC 9068)."""

import math
import re
from typing import Any

from jwt_authorizer.token import TokenError

LEEWAY_SECONDS = 60
"""How far the issuer's clock may differ from ours."""

MAX_SCOPES_LENGTH = 4096
"""Of the scopes together, which API Gateway passes on with each request."""

# https://www.rfc-editor.org/rfc/rfc6749#section-3.3
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
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


def scopes_of(claims: dict[str, Any]) -> str:
    """The token's scopes with a space between them: as many as fit into `MAX_SCOPES_LENGTH`.

    Providers name the claim `scope` (RFC 8693; Auth0, Amazon Cognito, Keycloak) or `scp` (Microsoft Entra ID, Okta),
    and write it as one string or as an array. What is no scope is left out.
    """
    values = [part for name in ("scope", "scp") for part in _strings(claims.get(name))]
    found, length = [], -1
    for scope in dict.fromkeys(scope for value in values for scope in value.split(" ")):
        if _SCOPE.fullmatch(scope) and length + 1 + len(scope) <= MAX_SCOPES_LENGTH:
            found.append(scope)
            length += 1 + len(scope)
    return " ".join(found)


def _strings(claim: object) -> list[str]:
    return [value for value in (claim if isinstance(claim, list) else [claim]) if isinstance(value, str)]


def _audiences(claims: dict[str, Any]) -> set[str]:
    aud = claims.get("aud")
    values = aud if isinstance(aud, list) else [aud]
    return {value for value in (*values, claims.get("client_id")) if isinstance(value, str)}


def _timestamp(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TokenError(name)
    return value
