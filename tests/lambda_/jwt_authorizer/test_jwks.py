"""The provider's keys: which are taken, how long they are kept, and the arithmetic of their signatures."""

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt_authorizer.errors import IssuerError, TokenError
from jwt_authorizer.jwks import EcKey, KeySet, RsaKey
from jwt_authorizer.p256 import is_on_curve, is_signed
from jwt_authorizer.rsa import verify
from jwt_authorizer.token import Token

from tests.lambda_.jwt_authorizer.identity_provider import EC_KEY, ec_jwk, encoded, rsa_jwk, signature

ISSUER = "https://login.example.com/tenant/"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Pages:
    """Stands in for the network and for the clock."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)
        self.asked: list[str] = []
        self.now = 0.0
        self.is_down = False

    def fetch(self, url: str) -> dict[str, Any]:
        self.asked.append(url)
        if self.is_down:
            raise IssuerError("login.example.com: TimeoutError")
        if url == "https://login.example.com/tenant/.well-known/openid-configuration":
            return {"issuer": ISSUER, "jwks_uri": "https://keys.example.com/"}
        return {"keys": self.keys}

    def key_set(self) -> KeySet:
        return KeySet(ISSUER, self.fetch, lambda: self.now)


def reason(key_set: KeySet, key_id: str | None, algorithm: str = "RS256") -> str:
    with pytest.raises(TokenError) as error:
        key_set.key(key_id, algorithm)
    return error.value.reason


def test_a_key_that_appears_is_found_but_no_more_than_one_fetch_a_minute_looks_for_it() -> None:
    pages = Pages(rsa_jwk())
    key_set = pages.key_set()
    key_set.key("rsa", "RS256")
    pages.now = 59.9
    for number in range(100):
        assert reason(key_set, f"made-up-{number}") == "unknown key"
    assert len(pages.asked) == 2
    pages.keys.append(rsa_jwk(kid="new"))
    pages.now = 60
    assert key_set.key("new", "RS256") == key_set.key("rsa", "RS256")
    assert len(pages.asked) == 4
    for number in range(100):
        assert reason(key_set, f"made-up-{number}") == "unknown key"
    assert len(pages.asked) == 4


def test_a_key_that_is_withdrawn_is_good_for_a_quarter_of_an_hour() -> None:
    pages = Pages(rsa_jwk(), rsa_jwk(kid="old"))
    key_set = pages.key_set()
    assert key_set.key("old", "RS256")
    pages.keys.pop()
    pages.now = 899
    assert key_set.key("old", "RS256")
    pages.now = 900
    assert reason(key_set, "old") == "unknown key"


def test_known_keys_outlive_an_outage_of_the_provider_for_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    pages = Pages(rsa_jwk())
    key_set = pages.key_set()
    assert key_set.key("rsa", "RS256")
    pages.is_down = True
    pages.now = 3600
    assert key_set.key("rsa", "RS256")
    assert json.loads(capsys.readouterr().out) == {
        "level": "WARN",
        "message": "keys of the issuer not refreshed",
        "cause": "login.example.com: TimeoutError",
    }
    pages.now = 3630
    assert key_set.key("rsa", "RS256")
    assert capsys.readouterr().out == ""
    for pages.now in (24 * 3600, 24 * 3600 + 1):
        with pytest.raises(IssuerError, match="has not answered for a day"):
            key_set.key("rsa", "RS256")
    pages.is_down = False
    pages.now += 60
    assert key_set.key("rsa", "RS256")


def test_a_provider_that_was_never_reached_is_asked_again_by_the_next_request() -> None:
    pages = Pages(rsa_jwk())
    pages.is_down = True
    key_set = pages.key_set()
    for _ in range(2):
        with pytest.raises(IssuerError):
            key_set.key("rsa", "RS256")
    pages.is_down = False
    assert key_set.key("rsa", "RS256")


def test_a_token_without_the_name_of_a_key_needs_a_set_with_one_for_its_algorithm() -> None:
    assert isinstance(Pages(rsa_jwk(), ec_jwk()).key_set().key(None, "RS256"), RsaKey)
    assert isinstance(Pages(rsa_jwk(), ec_jwk()).key_set().key(None, "ES256"), EcKey)
    assert reason(Pages(rsa_jwk(), rsa_jwk(kid="second")).key_set(), None) == "unknown key"


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
        rsa_jwk(e=encoded(b"\x01")),
        rsa_jwk(e=encoded(b"\x01\x00\x00")),
        rsa_jwk(n="not base64url!"),
        rsa_jwk(n=None),
        rsa_jwk(kty="oct"),
        rsa_jwk(kty=["RSA"]),
        {"kid": "rsa"},
        {"kty": "oct", "kid": "rsa", "k": "c2VjcmV0"},
    ],
)
def test_a_key_for_something_else_or_too_weak_is_not_taken(entry: dict[str, Any]) -> None:
    assert reason(Pages(entry, ec_jwk()).key_set(), "rsa") == "unknown key"


@pytest.mark.parametrize(
    "entry",
    [
        ec_jwk(x=encoded(b"\x01" * 32)),
        ec_jwk(x=encoded(b"\x01" * 31)),
        ec_jwk(crv="P-384", x=encoded(OTHER_CURVE.x.to_bytes(48, "big")), y=encoded(OTHER_CURVE.y.to_bytes(48, "big"))),
        ec_jwk(alg="ES384"),
        ec_jwk(y=None),
    ],
)
def test_a_point_that_is_not_on_the_curve_is_no_key(entry: dict[str, Any]) -> None:
    assert reason(Pages(entry, rsa_jwk()).key_set(), "ec", "ES256") == "unknown key"


def test_entries_that_are_no_keys_do_not_spoil_the_others() -> None:
    pages = Pages(rsa_jwk())
    pages.keys = [None, "key", *pages.keys]  # type: ignore[list-item]
    assert pages.key_set().key("rsa", "RS256")


def numbers(key: ec.EllipticCurvePrivateKey) -> tuple[int, int]:
    public = key.public_key().public_numbers()
    return public.x, public.y


@settings(max_examples=40, deadline=None)
@given(message=st.binary(max_size=200), secret=st.integers(1, ORDER - 1))
def test_what_another_library_signs_on_p256_is_signed_and_any_change_is_not(message: bytes, secret: int) -> None:
    key = ec.derive_private_key(secret, ec.SECP256R1())
    public = EcKey(*numbers(key))
    assert is_on_curve(public.x, public.y)
    made = signature("ES256", message, key)
    verify(public, Token("ES256", None, {}, message, made))
    for wrong in (
        Token("ES256", None, {}, message + b".", made),
        Token("ES256", None, {}, message, bytes([made[0] ^ 1]) + made[1:]),
        Token("ES256", None, {}, message, made[:-1] + bytes([made[-1] ^ 1])),
        Token("ES256", None, {}, message, made + b"\x00"),
        Token("RS256", None, {}, message, made),
    ):
        with pytest.raises(TokenError):
            verify(public, wrong)


@pytest.mark.parametrize(
    ("r", "s"), [(0, 1), (1, 0), (ORDER, 1), (1, ORDER), (ORDER + 1, ORDER + 1), (-1, 1), (2**256 - 1, 1), (0, 0)]
)
def test_numbers_out_of_range_are_no_signature_whatever_the_digest(r: int, s: int) -> None:
    assert not is_signed(numbers(EC_KEY), 0, r, s)
    assert not is_signed(numbers(EC_KEY), 1, r, s)


def test_a_signature_has_one_form_only_though_others_mean_the_same_number() -> None:
    # For the nonce k, s = (digest + r·d) / k: so a digest can be found for any s.
    secret, nonce, s = 7, 11, 5
    r = numbers(ec.derive_private_key(nonce, ec.SECP256R1()))[0] % ORDER
    digest = (s * nonce - r * secret) % ORDER
    public = numbers(ec.derive_private_key(secret, ec.SECP256R1()))
    assert is_signed(public, digest, r, s)
    assert not is_signed(public, digest, r, s + ORDER)


def test_sums_that_end_at_infinity_are_no_signature() -> None:
    # With digest = -r·d both multiples cancel each other, so no x is left to compare.
    secret, r = 7, 12345
    public = numbers(ec.derive_private_key(secret, ec.SECP256R1()))
    assert not is_signed(public, -r * secret % ORDER, r, 1)


def test_keys_next_to_the_base_point_are_added_right() -> None:
    # p + p and p - p are the cases that the general formula of addition does not cover.
    for secret in (1, 2, ORDER - 1, ORDER - 2):
        key = ec.derive_private_key(secret, ec.SECP256R1())
        verify(EcKey(*numbers(key)), Token("ES256", None, {}, b"message", signature("ES256", b"message", key)))


@settings(max_examples=20, deadline=None)
@given(message=st.binary(max_size=200), algorithm=st.sampled_from(["RS256", "RS384", "RS512"]))
def test_what_another_library_signs_with_rsa_is_signed_and_any_change_is_not(message: bytes, algorithm: str) -> None:
    public = RSA_3072.public_key().public_numbers()
    key = RsaKey(public.n, public.e)
    made = signature(algorithm, message, RSA_3072)
    verify(key, Token(algorithm, None, {}, message, made))
    for wrong in (
        Token("RS384" if algorithm == "RS256" else "RS256", None, {}, message, made),
        Token(algorithm, None, {}, message + b".", made),
        Token(algorithm, None, {}, message, made[:-1] + bytes([made[-1] ^ 1])),
        Token(algorithm, None, {}, message, b"\x00" + made),
        Token(algorithm, None, {}, message, made[1:]),
        Token("ES256", None, {}, message, made),
    ):
        with pytest.raises(TokenError):
            verify(key, wrong)


RSA_3072 = rsa.generate_private_key(public_exponent=3, key_size=3072)


def test_a_number_beyond_the_modulus_is_no_signature_though_it_means_the_same() -> None:
    odd_sized = rsa.generate_private_key(public_exponent=65537, key_size=2052)  # so both fit into its 257 bytes
    public = odd_sized.public_key().public_numbers()
    made = signature("RS256", b"message", odd_sized)
    verify(RsaKey(public.n, public.e), Token("RS256", None, {}, b"message", made))
    larger = (int.from_bytes(made, "big") + public.n).to_bytes(len(made), "big")
    with pytest.raises(TokenError):
        verify(RsaKey(public.n, public.e), Token("RS256", None, {}, b"message", larger))


def test_a_padding_that_only_begins_right_is_refused() -> None:
    # With exponent 3, a cube root forges what a check that stops at the digest would take (Bleichenbacher, 2006).
    public = RSA_3072.public_key().public_numbers()
    length = (public.n.bit_length() + 7) // 8
    prefix = bytes.fromhex("3031300d060960864801650304020105000420")
    start = b"\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\x00" + prefix + hashlib.sha256(b"admin").digest()
    target = int.from_bytes(start + b"\xff" * (length - len(start)), "big")
    root = _cube_root(target)
    assert (root**3).to_bytes(length, "big").startswith(start)
    with pytest.raises(TokenError):
        verify(RsaKey(public.n, 3), Token("RS256", None, {}, b"admin", root.to_bytes(length, "big")))


def _cube_root(number: int) -> int:
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= number else (low, middle - 1)
    return low
