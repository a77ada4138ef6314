"""The provider's keys: which are accepted, how long they are kept, and how signatures are verified with them."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt_authorizer.https import IssuerError
from jwt_authorizer.jwks import KeySet
from jwt_authorizer.p256 import EcKey, is_on_curve, is_signed
from jwt_authorizer.rsa import RsaKey
from jwt_authorizer.token import Token, TokenError, verify_signature

from tests.lambda_.jwt_authorizer.identity_provider import EC_KEY, ec_jwk, encode, rsa_jwk, sign

ISSUER = "https://login.example.com/tenant/"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class FakeIssuer:
    """Replaces the network and the clock."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)
        self.requested: list[str] = []
        self.now = 0.0
        self.is_down = False

    def fetch(self, url: str, deadline: float) -> dict[str, Any]:
        assert deadline == self.now + 5
        self.requested.append(url)
        if self.is_down:
            raise IssuerError("login.example.com: TimeoutError")
        if url == "https://login.example.com/tenant/.well-known/openid-configuration":
            return {"issuer": ISSUER, "jwks_uri": "https://keys.example.com/"}
        return {"keys": self.keys}

    def key_set(self) -> KeySet:
        return KeySet(ISSUER, self.fetch, lambda: self.now)


def rejection_reason(key_set: KeySet, key_id: str | None, algorithm: str = "RS256") -> str:
    with pytest.raises(TokenError) as error:
        key_set.key(key_id, algorithm)
    return error.value.reason


def test_a_new_key_is_found_with_at_most_one_refresh_a_minute() -> None:
    issuer = FakeIssuer(rsa_jwk())
    key_set = issuer.key_set()
    key_set.key("rsa", "RS256")
    issuer.now = 59.9
    for number in range(100):
        assert rejection_reason(key_set, f"unknown-{number}") == "unknown key"
    assert len(issuer.requested) == 2
    issuer.keys.append(rsa_jwk(kid="new"))
    issuer.now = 60
    assert key_set.key("new", "RS256") == key_set.key("rsa", "RS256")
    assert len(issuer.requested) == 4
    for number in range(100):
        assert rejection_reason(key_set, f"unknown-{number}") == "unknown key"
    assert len(issuer.requested) == 4


def test_a_withdrawn_key_is_accepted_for_15_minutes() -> None:
    issuer = FakeIssuer(rsa_jwk(), rsa_jwk(kid="old"))
    key_set = issuer.key_set()
    assert key_set.key("old", "RS256")
    issuer.keys.pop()
    issuer.now = 899
    assert key_set.key("old", "RS256")
    issuer.now = 900
    assert rejection_reason(key_set, "old") == "unknown key"


def test_known_keys_are_used_for_a_day_while_the_issuer_is_unreachable(capsys: pytest.CaptureFixture[str]) -> None:
    issuer = FakeIssuer(rsa_jwk())
    key_set = issuer.key_set()
    assert key_set.key("rsa", "RS256")
    issuer.is_down = True
    issuer.now = 3600
    assert key_set.key("rsa", "RS256")
    assert json.loads(capsys.readouterr().out) == {
        "level": "WARN",
        "message": "issuer's keys not refreshed",
        "cause": "login.example.com: TimeoutError",
    }
    issuer.now = 3630
    assert key_set.key("rsa", "RS256")
    assert capsys.readouterr().out == ""
    for issuer.now in (24 * 3600, 24 * 3600 + 1):
        with pytest.raises(IssuerError, match=r"^the issuer has been unreachable for a day, its keys are too old$"):
            key_set.key("rsa", "RS256")
    issuer.is_down = False
    issuer.now += 60
    assert key_set.key("rsa", "RS256")


def test_an_issuer_that_was_never_reached_is_tried_again_by_the_next_request() -> None:
    issuer = FakeIssuer(rsa_jwk())
    issuer.is_down = True
    key_set = issuer.key_set()
    for _ in range(2):
        with pytest.raises(IssuerError):
            key_set.key("rsa", "RS256")
    issuer.is_down = False
    assert key_set.key("rsa", "RS256")


def test_a_token_without_kid_requires_a_single_key_for_its_algorithm() -> None:
    assert isinstance(FakeIssuer(rsa_jwk(), ec_jwk()).key_set().key(None, "RS256"), RsaKey)
    assert isinstance(FakeIssuer(rsa_jwk(), ec_jwk()).key_set().key(None, "ES256"), EcKey)
    assert rejection_reason(FakeIssuer(rsa_jwk(), rsa_jwk(kid="second")).key_set(), None) == "unknown key"


SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024)
OTHER_CURVE = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()


@pytest.mark.parametrize(
    "entry",
    [
        rsa_jwk(use="enc"),
        rsa_jwk(key_ops=["encrypt"]),
        rsa_jwk(alg="PS256"),
        rsa_jwk(alg="RS512"),
        rsa_jwk(SMALL),
        rsa_jwk(e=encode(b"\x01")),
        rsa_jwk(e=encode(b"\x01\x00\x00")),
        rsa_jwk(n="not base64url!"),
        rsa_jwk(n=None),
        rsa_jwk(kty="oct"),
        rsa_jwk(kty=["RSA"]),
        {"kid": "rsa"},
        {"kty": "oct", "kid": "rsa", "k": "c2VjcmV0"},
    ],
)
def test_a_key_that_is_weak_or_for_another_use_is_ignored(entry: dict[str, Any]) -> None:
    assert rejection_reason(FakeIssuer(entry, ec_jwk()).key_set(), "rsa") == "unknown key"


@pytest.mark.parametrize(
    "entry",
    [
        ec_jwk(x=encode(b"\x01" * 32)),
        ec_jwk(x=encode(b"\x01" * 31)),
        ec_jwk(crv="P-384", x=encode(OTHER_CURVE.x.to_bytes(48, "big")), y=encode(OTHER_CURVE.y.to_bytes(48, "big"))),
        ec_jwk(alg="ES384"),
        ec_jwk(y=None),
    ],
)
def test_an_ec_key_that_is_not_a_point_on_p256_is_ignored(entry: dict[str, Any]) -> None:
    assert rejection_reason(FakeIssuer(entry, rsa_jwk()).key_set(), "ec", "ES256") == "unknown key"


def test_entries_that_are_not_keys_are_ignored() -> None:
    issuer = FakeIssuer(rsa_jwk())
    issuer.keys = [None, "key", *issuer.keys]  # type: ignore[list-item]
    assert issuer.key_set().key("rsa", "RS256")


def numbers(key: ec.EllipticCurvePrivateKey) -> tuple[int, int]:
    public = key.public_key().public_numbers()
    return public.x, public.y


@settings(max_examples=40, deadline=None)
@given(message=st.binary(max_size=200), secret=st.integers(1, ORDER - 1))
def test_p256_signatures_of_another_library_are_valid_until_anything_changes(message: bytes, secret: int) -> None:
    key = ec.derive_private_key(secret, ec.SECP256R1())
    public = EcKey(*numbers(key))
    assert is_on_curve(public.x, public.y)
    signed = sign("ES256", message, key)
    verify_signature(Token("ES256", None, {}, message, signed), public)
    for wrong in (
        Token("ES256", None, {}, message + b".", signed),
        Token("ES256", None, {}, message, bytes([signed[0] ^ 1]) + signed[1:]),
        Token("ES256", None, {}, message, signed[:-1] + bytes([signed[-1] ^ 1])),
        Token("ES256", None, {}, message, signed + b"\x00"),
        Token("RS256", None, {}, message, signed),
    ):
        with pytest.raises(TokenError):
            verify_signature(wrong, public)


@pytest.mark.parametrize(
    ("r", "s"), [(0, 1), (1, 0), (ORDER, 1), (1, ORDER), (ORDER + 1, ORDER + 1), (-1, 1), (2**256 - 1, 1), (0, 0)]
)
def test_numbers_out_of_range_are_not_a_signature_of_any_digest(r: int, s: int) -> None:
    assert not is_signed(numbers(EC_KEY), 0, r, s)
    assert not is_signed(numbers(EC_KEY), 1, r, s)


def test_s_is_not_reduced_modulo_the_order() -> None:
    # With the nonce k, s = (digest + r·d) / k: there is a digest for any s.
    secret, nonce, s = 7, 11, 5
    r = numbers(ec.derive_private_key(nonce, ec.SECP256R1()))[0] % ORDER
    digest = (s * nonce - r * secret) % ORDER
    public = numbers(ec.derive_private_key(secret, ec.SECP256R1()))
    assert is_signed(public, digest, r, s)
    assert not is_signed(public, digest, r, s + ORDER)


@settings(max_examples=20, deadline=None)
@given(message=st.binary(max_size=200), algorithm=st.sampled_from(["RS256", "RS384", "RS512"]))
def test_rsa_signatures_of_another_library_are_valid_until_anything_changes(message: bytes, algorithm: str) -> None:
    public = RSA_3072.public_key().public_numbers()
    key = RsaKey(public.n, public.e)
    signed = sign(algorithm, message, RSA_3072)
    verify_signature(Token(algorithm, None, {}, message, signed), key)
    for wrong in (
        Token("RS384" if algorithm == "RS256" else "RS256", None, {}, message, signed),
        Token(algorithm, None, {}, message + b".", signed),
        Token(algorithm, None, {}, message, signed[:-1] + bytes([signed[-1] ^ 1])),
        Token(algorithm, None, {}, message, b"\x00" + signed),
        Token(algorithm, None, {}, message, signed[1:]),
        Token("ES256", None, {}, message, signed),
    ):
        with pytest.raises(TokenError):
            verify_signature(wrong, key)


RSA_3072 = rsa.generate_private_key(public_exponent=3, key_size=3072)
