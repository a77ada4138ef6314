"""The public keys of an OpenID Connect issuer (OpenID Connect Discovery 1.0, RFC 7517)."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jwt_authorizer import p256, rsa
from jwt_authorizer.https import IssuerError, fetch_json
from jwt_authorizer.p256 import EcKey
from jwt_authorizer.rsa import RsaKey
from jwt_authorizer.token import TokenError, decode_base64url

_MAX_FRESH_SECONDS = 900
"""How long keys are used without a refresh; a key that the issuer withdraws is accepted that long."""

_MAX_STALE_SECONDS = 24 * 3600
"""How long keys are used while the issuer cannot be reached."""

_MIN_REFRESH_INTERVAL_SECONDS = 60
"""The time between two refreshes, no matter how many tokens name an unknown key."""

FETCH_SECONDS = 5
"""How long the issuer's two documents may take together; the function's timeout is twice that."""

_MODULUS_BITS = range(2048, 8193)
_EXPONENTS = range(3, 2**33, 2)

Key = RsaKey | EcKey


@dataclass(frozen=True, slots=True)
class _PublishedKey:
    """A key as the issuer publishes it: its id, and the algorithms it is for."""

    id: str | None
    algorithms: tuple[str, ...]
    key: Key


class KeySet:
    """The keys of one issuer, fetched when they are first needed and refreshed from time to time.

    Args:
        issuer: The issuer, an https URL.
        fetch: Fetches the JSON object at a URL until a time of the clock.
        clock: A monotonic clock in seconds.
    """

    def __init__(
        self,
        issuer: str,
        fetch: Callable[[str, float], dict[str, Any]] = fetch_json,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._keys: list[_PublishedKey] | None = None
        self._fetched_at = self._tried_at = clock()

    def key(self, key_id: str | None, algorithm: str) -> Key:
        """Find the key that a token names or, if it names none, the only key for its algorithm.

        Raises:
            TokenError: The issuer has no such key.
            IssuerError: The keys could not be fetched.
        """
        now = self._clock()
        if self._keys is None:
            self._refresh(now)
        key = _find(self._keys or (), key_id, algorithm)
        is_due = key is None or now - self._fetched_at >= _MAX_FRESH_SECONDS
        if is_due and now - self._tried_at >= _MIN_REFRESH_INTERVAL_SECONDS:
            self._refresh(now)
            key = _find(self._keys or (), key_id, algorithm)
        if now - self._fetched_at >= _MAX_STALE_SECONDS:
            raise IssuerError("the issuer has been unreachable for a day, its keys are too old")
        if key is None:
            raise TokenError("unknown key")
        return key

    def _refresh(self, now: float) -> None:
        self._tried_at = now
        try:
            self._keys = self._load(now + FETCH_SECONDS)
        except IssuerError as error:
            if self._keys is None:
                raise
            line = {"level": "WARN", "message": "issuer's keys not refreshed", "cause": str(error)}
            sys.stdout.write(json.dumps(line) + "\n")
        else:
            self._fetched_at = now

    def _load(self, deadline: float) -> list[_PublishedKey]:
        configuration = self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration", deadline)
        if configuration.get("issuer") != self._issuer:
            raise IssuerError("the configuration is another issuer's")
        return _parse_key_set(self._fetch(str(configuration.get("jwks_uri")), deadline))


class StoredKeySet:
    """The keys of one issuer as they were at the deployment, from a file.

    Args:
        path: The file.

    Raises:
        IssuerError: It is no key set.
    """

    def __init__(self, path: str) -> None:
        self._keys = _parse_key_set(json.loads(Path(path).read_bytes()))

    def key(self, key_id: str | None, algorithm: str) -> Key:
        """Find a key as `KeySet.key` does.

        Raises:
            TokenError: The file has no such key.
        """
        key = _find(self._keys, key_id, algorithm)
        if key is None:
            raise TokenError("unknown key")
        return key


def _find(keys: Sequence[_PublishedKey], key_id: str | None, algorithm: str) -> Key | None:
    candidates = [each for each in keys if algorithm in each.algorithms]
    if key_id is None:
        return candidates[0].key if len(candidates) == 1 else None
    return next((each.key for each in candidates if each.id == key_id), None)


def _parse_key_set(document: dict[str, Any]) -> list[_PublishedKey]:
    keys = document.get("keys")
    if not isinstance(keys, list):
        raise IssuerError("the key set has no array of keys")
    return [key for entry in keys if isinstance(entry, dict) and (key := _parse_jwk(entry))]


def _parse_jwk(jwk: dict[str, Any]) -> _PublishedKey | None:
    """Parse a key of the set; None if it is for another use, of an unsupported type, or invalid."""
    operations = jwk.get("key_ops")
    if jwk.get("use", "sig") != "sig" or (isinstance(operations, list) and "verify" not in operations):
        return None
    try:
        key = _PARSERS[jwk["kty"]](jwk)
    except (KeyError, TypeError, TokenError):
        return None
    if key is None:
        return None
    algorithms = (p256.ALGORITHM,) if isinstance(key, EcKey) else rsa.ALGORITHMS
    declared = jwk.get("alg")
    allowed = algorithms if declared is None else tuple(each for each in algorithms if each == declared)
    return _PublishedKey(jwk.get("kid"), allowed, key)


def _parse_rsa(jwk: dict[str, Any]) -> RsaKey | None:
    key = RsaKey(_decode_integer(jwk["n"]), _decode_integer(jwk["e"]))
    return key if key.modulus.bit_length() in _MODULUS_BITS and key.exponent in _EXPONENTS else None


def _parse_ec(jwk: dict[str, Any]) -> EcKey | None:
    lengths = {len(decode_base64url(jwk[name])) for name in ("x", "y")}
    if jwk["crv"] != "P-256" or lengths != {p256.COORDINATE_BYTES}:
        return None
    key = EcKey(_decode_integer(jwk["x"]), _decode_integer(jwk["y"]))
    return key if p256.is_on_curve(key.x, key.y) else None


_PARSERS: dict[str, Callable[[dict[str, Any]], Key | None]] = {"RSA": _parse_rsa, "EC": _parse_ec}


def _decode_integer(text: str) -> int:
    return int.from_bytes(decode_base64url(text), "big")
