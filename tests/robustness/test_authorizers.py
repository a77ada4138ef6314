"""The authorizers reject everything but keys and tokens, log nothing of it, and do not leak memory."""

from __future__ import annotations

import base64
import gc
import hashlib
import json
import re
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import api_key_authorizer
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt_authorizer import handler as jwt_handler
from jwt_authorizer.jwks import KeySet

ISSUER, AUDIENCE = "https://issuer.example", "front-door"
ARN = "arn:aws:execute-api:eu-west-1:123456789012:abc/prod/POST/generate"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
GENERATED = settings(
    derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CALLS, MAX_GROWTH_BYTES = 5_000, 64 * 1024


def encode(data: bytes | object) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(header: object, claims: object) -> str:
    """A token with any contents, signed by the issuer."""
    message = f"{encode(header)}.{encode(claims)}"
    return f"{message}.{encode(KEY.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


HEADER = {"alg": "RS256", "kid": "k"}
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "someone", "exp": time.time() + 3600}
VALID = token(HEADER, CLAIMS)


@pytest.fixture(autouse=True)
def _issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = KEY.public_key().public_numbers()
    length = (numbers.n.bit_length() + 7) // 8
    jwk = {"kty": "RSA", "kid": "k", "n": encode(numbers.n.to_bytes(length, "big")), "e": "AQAB"}
    pages = {
        f"{ISSUER}/.well-known/openid-configuration": {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"},
        f"{ISSUER}/keys": {"keys": [jwk]},
    }
    monkeypatch.setenv("ISSUER", ISSUER)
    monkeypatch.setenv("AUDIENCE", json.dumps([AUDIENCE]))
    monkeypatch.setattr(jwt_handler, "key_sets", {ISSUER: KeySet(ISSUER, lambda url, _: pages[url])})


def principal(handler: Callable[..., dict[str, Any]], header: Any) -> str | None:
    """The principal that the authorizer allows; None if it denies access."""
    try:
        policy = handler({"type": "TOKEN", "authorizationToken": header, "methodArn": ARN}, None)
    except PermissionError as error:
        return None if str(error) == "Unauthorized" else f"error: {error}"
    return str(policy["principalId"])


HEADERS = [
    *("", "Bearer", "Bearer " + "." * 10_000, "Bearer " + "a" * 10_000, "Bearer " + "a" * 40, "Bearer " + "é" * 30),
    *("Bearer " + "a" * 40 + "\n", "Bearer " + "a" * 40 + " a", "Bearer \r\nX-Evil: 1", f"bearer {VALID}\0"),
    *("Basic " + encode(b"user:password"), f"Bearer {encode(b'[' * 5000)}.{encode(b'[' * 5000)}.AAAA"),
]
ANY_HEADER = st.text(max_size=200) | st.from_regex(r"[Bb]earer .{0,60}", fullmatch=True) | st.sampled_from(HEADERS)


@GENERATED
@given(header=ANY_HEADER)
def test_no_generated_header_is_a_valid_token(header: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert principal(jwt_handler.handler, header) is None
    check_written(header, capsys)


@GENERATED
@given(header=ANY_HEADER)
def test_only_what_has_the_form_of_a_key_is_passed_on_as_it_is(header: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        event = {"type": "TOKEN", "authorizationToken": header, "methodArn": ARN}
        key = api_key_authorizer.handler(event, None)["usageIdentifierKey"]
    except PermissionError:
        assert not re.fullmatch(r"[Bb]earer +[^ ].*", header)
    else:
        sent = header[len("bearer ") :].lstrip(" ")
        is_key = re.fullmatch(r"[-A-Za-z0-9._~+/]{20,128}=*", sent)
        assert key == (sent if is_key else hashlib.sha256(sent.encode(errors="surrogatepass")).hexdigest())
    check_written(header, capsys)


def check_written(header: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of a header is in the log."""
    written = capsys.readouterr()
    assert written.err == ""
    assert len(header) < 20 or header[7:] not in written.out


def test_a_token_with_one_changed_or_missing_character_is_rejected() -> None:
    assert principal(jwt_handler.handler, f"Bearer {VALID}") == "someone"
    for at in range(len(VALID)):
        other = "A" if VALID[at] != "A" else "B"
        assert principal(jwt_handler.handler, f"Bearer {VALID[:at]}{other}{VALID[at + 1 :]}") is None
        assert principal(jwt_handler.handler, f"Bearer {VALID[:at]}{VALID[at + 1 :]}") is None


WRONG_VALUES: list[Any] = [None, True, 0, -1, 1e308, "", "x", "\ud800", [], [None], [[]], {}, {"a": 1}, "🐤" * 100]


@pytest.mark.parametrize("name", [*CLAIMS, "nbf", "client_id", "sub"])
def test_a_signed_token_with_a_wrong_claim_is_rejected_or_equivalent(name: str) -> None:
    for wrong in WRONG_VALUES:
        allowed = principal(jwt_handler.handler, f"Bearer {token(HEADER, {**CLAIMS, name: wrong})}")
        assert allowed in (None, "someone", wrong)
        assert allowed is None or name not in ("iss", "aud")


@pytest.mark.parametrize("name", ["alg", "kid", "crit", "typ", "jku", "jwk", "b64", "x5c"])
def test_a_signed_token_with_a_wrong_header_is_rejected_or_equivalent(name: str) -> None:
    for wrong in [*WRONG_VALUES, "none", "HS256", "RS512", "ES256"]:
        allowed = principal(jwt_handler.handler, f"Bearer {token({**HEADER, name: wrong}, CLAIMS)}")
        assert allowed in (None, "someone")
        assert allowed is None or name != "alg"


def _headers() -> Iterator[str]:
    for at in range(CALLS):
        yield from (f"Bearer {VALID}", f"Bearer key-{at:030}", f"Bearer {VALID[:-9]}{at:09}", "x" * (at % 500))


@pytest.mark.parametrize("handler", [api_key_authorizer.handler, jwt_handler.handler], ids=["keys", "tokens"])
def test_memory_does_not_grow_over_five_thousand_calls(
    handler: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    headers = _headers()

    def call(count: int) -> int:
        for header, _ in zip(headers, range(count), strict=False):
            principal(handler, header)
        capsys.readouterr()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    before = call(CALLS // 10)
    after = call(CALLS)
    tracemalloc.stop()
    assert after - before < MAX_GROWTH_BYTES
