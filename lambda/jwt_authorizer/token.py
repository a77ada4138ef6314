"""Takes a signed token (RFC 7515, compact form) apart. Nothing in it is to be believed yet."""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from jwt_authorizer.errors import TokenError

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256")
"""What a token may be signed with: never `none`, and no HMAC, for which a public key would be the secret."""

_LONGEST = 10_240  # what API Gateway takes of all headers together
_BEARER = re.compile(r"[Bb]earer ([-A-Za-z0-9_]+)\.([-A-Za-z0-9_]+)\.([-A-Za-z0-9_]+)")


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it was sent.

    Args:
        algorithm: How it says that it is signed; one of `ALGORITHMS`.
        key_id: The key that it names, if it names one.
        claims: What it claims.
        signed: The bytes that the signature is of.
        signature: The signature.
    """

    algorithm: str
    key_id: str | None
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def read_token(header: str) -> Token:
    """The token of an `Authorization` header.

    Raises:
        TokenError: It is none, or one of a kind that is not understood.
    """
    found = _BEARER.fullmatch(header) if len(header) <= _LONGEST else None
    if found is None:
        raise TokenError("no token")
    protected = _object(found[1])
    algorithm, key_id = protected.get("alg"), protected.get("kid")
    if algorithm not in ALGORITHMS:
        raise TokenError("algorithm")
    # Extensions that have to be understood, none of which are.
    if "crit" in protected or not (key_id is None or isinstance(key_id, str)):
        raise TokenError("header")
    return Token(
        algorithm=algorithm,
        key_id=key_id,
        claims=_object(found[2]),
        signed=f"{found[1]}.{found[2]}".encode("ascii"),
        signature=decoded(found[3]),
    )


def decoded(text: str) -> bytes:
    """The bytes of base64url without padding, written in the one way in which they can be.

    Raises:
        TokenError: It is something else.
    """
    if not isinstance(text, str) or len(text) % 4 == 1:
        raise TokenError("encoding")
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise TokenError("encoding") from None
    if base64.urlsafe_b64encode(found).rstrip(b"=").decode("ascii") != text:
        raise TokenError("encoding")
    return found


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(decoded(part).decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise TokenError("encoding") from None
    if not isinstance(found, dict):
        raise TokenError("encoding")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands there twice")
    return members
