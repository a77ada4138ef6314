"""Parses a signed token (RFC 7515, compact serialization) and verifies its signature (RFC 7518).

No claim can be trusted before the signature is verified.
"""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from jwt_authorizer import p256, rsa
from jwt_authorizer.p256 import EcKey
from jwt_authorizer.rsa import RsaKey

ALGORITHMS = (*rsa.ALGORITHMS, p256.ALGORITHM)
"""The accepted signature algorithms: never `none`, and no HMAC, for which a public key would be the secret."""

_MAX_LENGTH = 10_240  # API Gateway's limit for all headers together
_BEARER = re.compile(r"[Bb]earer ([-A-Za-z0-9_]+)\.([-A-Za-z0-9_]+)\.([-A-Za-z0-9_]+)")


class TokenError(Exception):
    """The token is not valid.

    Args:
        reason: One of a few fixed texts; contains nothing of the token.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Token:
    """A parsed token, not yet verified.

    Args:
        algorithm: `alg` of the header; one of `ALGORITHMS`.
        key_id: `kid` of the header, if present.
        claims: The payload.
        signed: The signing input: the bytes that the signature covers.
        signature: The signature.
    """

    algorithm: str
    key_id: str | None
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def read_token(header: str) -> Token:
    """Parse the token in an `Authorization` header.

    Raises:
        TokenError: The header has no token, or one that is malformed or uses an unsupported feature.
    """
    match = _BEARER.fullmatch(header) if len(header) <= _MAX_LENGTH else None
    if match is None:
        raise TokenError("no token")
    jose_header = _decode_object(match[1])
    algorithm, key_id = jose_header.get("alg"), jose_header.get("kid")
    if algorithm not in ALGORITHMS:
        raise TokenError("algorithm")
    # `crit` lists extensions that a verifier must support; this one supports none.
    if "crit" in jose_header or not (key_id is None or isinstance(key_id, str)):
        raise TokenError("header")
    return Token(
        algorithm=algorithm,
        key_id=key_id,
        claims=_decode_object(match[2]),
        signed=f"{match[1]}.{match[2]}".encode("ascii"),
        signature=decode_base64url(match[3]),
    )


def verify_signature(token: Token, key: RsaKey | EcKey) -> None:
    """Verify that a token was signed with the private part of a key.

    Raises:
        TokenError: It was not, or the key is not for the token's algorithm.
    """
    if isinstance(key, RsaKey):
        is_valid = token.algorithm in rsa.ALGORITHMS and rsa.verify(key, token.algorithm, token.signed, token.signature)
    else:
        is_valid = token.algorithm == p256.ALGORITHM and p256.verify(key, token.signed, token.signature)
    if not is_valid:
        raise TokenError("signature")


def decode_base64url(text: str) -> bytes:
    """Decode base64url without padding, and accept only the canonical encoding.

    Raises:
        TokenError: The text is not a string or not canonical base64url.
    """
    if not isinstance(text, str) or len(text) % 4 == 1:
        raise TokenError("encoding")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise TokenError("encoding") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii") != text:
        raise TokenError("encoding")
    return data


def _decode_object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(decode_base64url(part).decode("utf-8"), object_pairs_hook=_unique_members)
    except (ValueError, RecursionError):
        raise TokenError("encoding") from None
    if not isinstance(value, dict):
        raise TokenError("encoding")
    return value


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members
