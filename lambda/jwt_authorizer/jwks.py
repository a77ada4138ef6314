"""The keys with which an OpenID Connect issuer signs (OpenID Connect Discovery 1.0, RFC 7517)."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jwt_authorizer.errors import IssuerError, TokenError
from jwt_authorizer.https import fetch_json
from jwt_authorizer.p256 import is_on_curve
from jwt_authorizer.token import decoded

_FRESH_SECONDS = 900
"""How long the keys are taken as they are; a key that the issuer withdraws is good for that long."""

_STALE_SECONDS = 24 * 3600
"""How long they are good for while the issuer cannot be reached."""

_PATIENCE_SECONDS = 60
"""The time between two attempts to fetch them, however many tokens name keys that are not there."""

_MODULUS_BITS = range(2048, 8193)
_EXPONENTS = range(3, 2**33, 2)
_P256_BYTES = 32


@dataclass(frozen=True, slots=True)
class RsaKey:
    """A public key of RSA."""

    modulus: int
    exponent: int


@dataclass(frozen=True, slots=True)
class EcKey:
    """A public key on the curve P-256."""

    x: int
    y: int


Key = RsaKey | EcKey


@dataclass(frozen=True, slots=True)
class _Published:
    """A key as the issuer publishes it: under which id, and for which algorithms."""

    id: str | None
    algorithms: tuple[str, ...]
    key: Key


class KeySet:
    """The keys of one issuer, fetched when they are first needed and now and then after that.

    Args:
        issuer: The issuer, an https URL.
        fetch: Gets the JSON object of a URL.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        issuer: str,
        fetch: Callable[[str], dict[str, Any]] = fetch_json,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._published: list[_Published] | None = None
        self._fetched = self._tried = clock()

    def key(self, key_id: str | None, algorithm: str) -> Key:
        """The key that a token names; the only one for its algorithm, if it names none.

        Raises:
            TokenError: The issuer has no such key.
            IssuerError: The keys could not be fetched.
        """
        now = self._clock()
        if self._published is None:
            self._refresh(now)
        found = self._find(key_id, algorithm)
        due = found is None or now - self._fetched >= _FRESH_SECONDS
        if due and now - self._tried >= _PATIENCE_SECONDS:
            self._refresh(now)
            found = self._find(key_id, algorithm)
        if now - self._fetched >= _STALE_SECONDS:
            raise IssuerError("the issuer has not answered for a day, its keys are too old")
        if found is None:
            raise TokenError("unknown key")
        return found

    def _find(self, key_id: str | None, algorithm: str) -> Key | None:
        fitting = [each for each in self._published or () if algorithm in each.algorithms]
        if key_id is None:
            return fitting[0].key if len(fitting) == 1 else None
        return next((each.key for each in fitting if each.id == key_id), None)

    def _refresh(self, now: float) -> None:
        self._tried = now
        try:
            self._published = self._load()
        except IssuerError as error:
            if self._published is None:
                raise
            line = {"level": "WARN", "message": "keys of the issuer not refreshed", "cause": str(error)}
            sys.stdout.write(json.dumps(line) + "\n")
        else:
            self._fetched = now

    def _load(self) -> list[_Published]:
        configuration = self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if configuration.get("issuer") != self._issuer:
            raise IssuerError("the configuration is of another issuer")
        keys = self._fetch(str(configuration.get("jwks_uri"))).get("keys")
        if not isinstance(keys, list):
            raise IssuerError("the key set has no keys")
        return [found for entry in keys if isinstance(entry, dict) and (found := _published(entry))]


def _published(entry: dict[str, Any]) -> _Published | None:
    """A key of the set; None for those that are for other uses or of kinds that are not understood."""
    operations = entry.get("key_ops")
    if entry.get("use", "sig") != "sig" or (isinstance(operations, list) and "verify" not in operations):
        return None
    try:
        key = _KINDS[entry["kty"]](entry)
    except (KeyError, TypeError, TokenError):
        return None
    if key is None:
        return None
    algorithms = ("ES256",) if isinstance(key, EcKey) else ("RS256", "RS384", "RS512")
    stated = entry.get("alg")
    fitting = algorithms if stated is None else tuple(each for each in algorithms if each == stated)
    return _Published(entry.get("kid"), fitting, key)


def _rsa(entry: dict[str, Any]) -> RsaKey | None:
    key = RsaKey(_number(entry["n"]), _number(entry["e"]))
    return key if key.modulus.bit_length() in _MODULUS_BITS and key.exponent in _EXPONENTS else None


def _ec(entry: dict[str, Any]) -> EcKey | None:
    if entry["crv"] != "P-256" or len(decoded(entry["x"])) != _P256_BYTES or len(decoded(entry["y"])) != _P256_BYTES:
        return None
    key = EcKey(_number(entry["x"]), _number(entry["y"]))
    return key if is_on_curve(key.x, key.y) else None


_KINDS: dict[str, Callable[[dict[str, Any]], Key | None]] = {"RSA": _rsa, "EC": _ec}


def _number(text: str) -> int:
    return int.from_bytes(decoded(text), "big")
