"""The file with an issuer's public keys, for an authorizer that does not fetch them. Pure Python: no aws_cdk here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from constructs_lib._arguments import type_name
from constructs_lib.planning.validation.problem import HIDDEN, Problem

KEYS_PATH = "jwt_authorizer/jwks.json"
"""Path of the keys in their layer."""

_KEYWORD = "access.jwks"
_FIX = "Save what the issuer serves at the `jwks_uri` in its /.well-known/openid-configuration."
# RFC 7518, 6.2.2, 6.3.2 and 6.4.1: of these, the owner of the keys tells nobody.
_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def key_file_problems(jwks: object) -> Iterator[Problem]:
    """What is wrong with the file of a key set.

    Args:
        jwks: Its path, whatever its type is.
    """
    if not isinstance(jwks, str | Path):
        yield Problem(_KEYWORD, jwks, f"must be the path of a file, not {type_name(jwks)}", _FIX)
        return
    try:
        keys = json.loads(Path(jwks).read_bytes())["keys"]
    except OSError as error:
        yield Problem(_KEYWORD, str(jwks), f"cannot be read: {error.strerror}", _FIX)
        return
    except (ValueError, KeyError, TypeError):
        yield Problem(_KEYWORD, str(jwks), 'must be a JSON Web Key Set: {"keys": […]} (RFC 7517)', _FIX)
        return
    if not isinstance(keys, list) or not any(_verifies(key) for key in keys):
        message = "has no key that verifies tokens: an RSA key of at least 2048 bits, or an EC key on P-256"
        yield Problem(_KEYWORD, str(jwks), message, _FIX)
    elif any(_SECRET_MEMBERS & key.keys() for key in keys if isinstance(key, Mapping)):
        message = "has a secret key, which would be in a layer that many may read"
        yield Problem(_KEYWORD, HIDDEN, message, f"Remove it from the file, and replace it at the issuer. {_FIX}")


def key_file_text(jwks: str | Path) -> str:
    """The keys as the authorizer reads them.

    Args:
        jwks: The path of the file, which has no problem.
    """
    document: dict[str, Any] = json.loads(Path(jwks).read_bytes())
    return json.dumps({"keys": document["keys"]}, separators=(",", ":"))


def _verifies(key: object) -> bool:
    """Whether the authorizer may have a use for a key; whether it is valid the authorizer finds out."""
    if not isinstance(key, Mapping) or key.get("use", "sig") != "sig":
        return False
    if key.get("kty") == "EC":
        return key.get("crv") == "P-256"
    modulus = key.get("n")
    # In base64url, 6 bits a character.
    return key.get("kty") == "RSA" and isinstance(modulus, str) and len(modulus) * 6 >= 2048
