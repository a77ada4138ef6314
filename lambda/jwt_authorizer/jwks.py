"""The public keys of an OpenID Connect issuer (OpenID Connect Discovery 1.0, RFC 7517)."""

import http.client
import json
import ssl
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jwt_authorizer import p256, rsa
from jwt_authorizer.p256 import EcKey
from jwt_authorizer.rsa import RsaKey
from jwt_authorizer.token import TokenError, decode_base64url

_MAX_FRESH_SECONDS = 900
"""How long keys are used without a refresh; a key that the issuer withdraws is accepted that long."""

_MAX_STALE_SECONDS = 24 * 3600
"""How long keys are used while the issuer cannot be reached."""

_MIN_REFRESH_INTERVAL_SECONDS = 60
"""The time between two refreshes, no matter how many tokens name an unknown key."""

_TIMEOUT_SECONDS = 3
_MAX_RESPONSE_BYTES = 1024 * 1024
_MODULUS_BITS = range(2048, 8193)
_EXPONENTS = range(3, 2**33, 2)

Key = RsaKey | EcKey


class IssuerError(Exception):
    """The issuer's keys could not be fetched."""


@dataclass(frozen=True, slots=True)
class _PublishedKey:
    """A key as the issuer publishes it: its id, and the algorithms it is for."""

    id: str | None
    algorithms: tuple[str, ...]
    key: Key


def fetch_json(url: str) -> dict[str, Any]:
    """Fetch the JSON object at a URL: over TLS with the system's certificate authorities, without redirects.

    Raises:
        IssuerError: The URL is not a valid https URL, or the response is not a JSON object with status 200.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise IssuerError("the issuer's configuration has an invalid URL") from None
    if parts.scheme != "https" or not host:
        raise IssuerError("the issuer's configuration has a URL that is not https")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context())
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise IssuerError(f"{host} responded with status {response.status}")
        body = json.loads(response.read(_MAX_RESPONSE_BYTES))
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        raise IssuerError(f"{host}: {type(error).__name__}") from error
    finally:
        connection.close()
    if not isinstance(body, dict):
        raise IssuerError(f"{host} did not respond with a JSON object")
    return body


class KeySet:
    """The keys of one issuer, fetched when they are first needed and refreshed from time to time.

    Args:
        issuer: The issuer, an https URL.
        fetch: Fetches the JSON object at a URL.
        clock: A monotonic clock in seconds.
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
        key = self._find(key_id, algorithm)
        is_due = key is None or now - self._fetched_at >= _MAX_FRESH_SECONDS
        if is_due and now - self._tried_at >= _MIN_REFRESH_INTERVAL_SECONDS:
            self._refresh(now)
            key = self._find(key_id, algorithm)
        if now - self._fetched_at >= _MAX_STALE_SECONDS:
            raise IssuerError("the issuer has been unreachable for a day, its keys are too old")
        if key is None:
            raise TokenError("unknown key")
        return key

    def _find(self, key_id: str | None, algorithm: str) -> Key | None:
        candidates = [each for each in self._keys or () if algorithm in each.algorithms]
        if key_id is None:
            return candidates[0].key if len(candidates) == 1 else None
        return next((each.key for each in candidates if each.id == key_id), None)

    def _refresh(self, now: float) -> None:
        self._tried_at = now
        try:
            self._keys = self._load()
        except IssuerError as error:
            if self._keys is None:
                raise
            line = {"level": "WARN", "message": "issuer's keys not refreshed", "cause": str(error)}
            sys.stdout.write(json.dumps(line) + "\n")
        else:
            self._fetched_at = now

    def _load(self) -> list[_PublishedKey]:
        configuration = self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if configuration.get("issuer") != self._issuer:
            raise IssuerError("the configuration is another issuer's")
        keys = self._fetch(str(configuration.get("jwks_uri"))).get("keys")
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
