"""ES256 signatures that are almost right, and right ones that look wrong: judged as cryptography and PyJWT do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from tests.lambda_.jwt_authorizer.identity_provider import ec_jwk, encode, sign
from tests.lambda_.jwt_authorizer.judges import ACCEPTED, REJECTED, judge

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KEY = ec.generate_private_key(ec.SECP256R1())
MESSAGE = b"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9"


def raw(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def numbers_of(signature: bytes) -> tuple[int, int]:
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")


SIGNATURE = sign("ES256", MESSAGE, KEY)
R, S = numbers_of(SIGNATURE)


def forgeries() -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "DER", utils.encode_dss_signature(R, S)
    yield "DER cut to 64 bytes", utils.encode_dss_signature(R, S)[:64]
    yield "a zero before", b"\x00" + SIGNATURE
    yield "a zero after", SIGNATURE + b"\x00"
    yield "a zero before each", b"\x00" + SIGNATURE[:32] + b"\x00" + SIGNATURE[32:]
    yield "a byte short", SIGNATURE[:-1]
    yield "r alone", SIGNATURE[:32]
    yield "96 bytes, as of P-384", R.to_bytes(48, "big") + S.to_bytes(48, "big")
    yield "s before r", raw(S, R)
    yield "-r", raw(ORDER - R, S)
    for name, number in {"0": 0, "1": 1, "n - 1": ORDER - 1, "n": ORDER, "n + 1": ORDER + 1}.items():
        yield f"r = {name}", raw(number, S)
        yield f"s = {name}", raw(R, number)
        yield f"r = s = {name}", raw(number, number)
    yield "r = p", raw(P, S)
    yield "the largest numbers", b"\xff" * 64
    for bit in (0, 1, 255, 256, 511):
        yield f"bit {bit}", (int.from_bytes(SIGNATURE, "big") ^ 1 << bit).to_bytes(64, "big")
    for digest in (hashes.SHA384(), hashes.SHA512(), hashes.SHA224()):
        signed = KEY.sign(MESSAGE, ec.ECDSA(digest))
        yield f"hashed with {digest.name}", raw(*utils.decode_dss_signature(signed))
    yield "of another message", sign("ES256", b"other", KEY)
    yield "of another key", sign("ES256", MESSAGE, ec.generate_private_key(ec.SECP256R1()))


def test_a_signature_that_differs_anywhere_is_rejected() -> None:
    assert judge(ec_jwk(KEY), "ES256", MESSAGE, SIGNATURE) == ACCEPTED
    for name, forged in forgeries():
        assert judge(ec_jwk(KEY), "ES256", MESSAGE, forged) == REJECTED, name


def test_the_other_s_of_a_signature_is_accepted_as_ecdsa_defines_it() -> None:
    assert judge(ec_jwk(KEY), "ES256", MESSAGE, raw(R, ORDER - S)) == ACCEPTED


@pytest.mark.parametrize("part", [0, 1], ids=["r", "s"])
def test_a_number_that_starts_with_zero_keeps_its_zero(part: int) -> None:
    signatures = (sign("ES256", MESSAGE, KEY) for _ in range(10_000))
    signature = next(each for each in signatures if each[32 * part] == 0)
    r, s = signature[:32], signature[32:]
    assert judge(ec_jwk(KEY), "ES256", MESSAGE, signature) == ACCEPTED
    for stripped in (r.lstrip(b"\x00") + s.lstrip(b"\x00"), r[1:] + s[1:]):
        assert judge(ec_jwk(KEY), "ES256", MESSAGE, stripped) == REJECTED


def key_for(x: int, s: int, message: bytes) -> dict[str, Any] | None:
    """The key for which the point with this x, and s, sign the message: r⁻¹ (s R - z G). None if x is on no point."""
    square = (pow(x, 3, P) - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    z = int.from_bytes(hashlib.sha256(message).digest(), "big")
    first = multiply((x, y), s)
    second = multiply(base_multiple(1), -z % ORDER)
    point = multiply(add(first, second), pow(x % ORDER, -1, ORDER))
    return {"kty": "EC", "crv": "P-256"} | {
        name: encode(value.to_bytes(32, "big")) for name, value in zip("xy", point, strict=True)
    }


def base_multiple(number: int) -> tuple[int, int]:
    public = ec.derive_private_key(number, ec.SECP256R1()).public_key().public_numbers()
    return public.x, public.y


def add(p: tuple[int, int], q: tuple[int, int]) -> tuple[int, int]:
    """The sum of two points with different x, or twice one."""
    (x1, y1), (x2, y2) = p, q
    slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P) if p == q else (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def multiply(point: tuple[int, int], number: int) -> tuple[int, int]:
    total = point
    for bit in bin(number)[3:]:
        total = add(total, total)
        total = add(total, point) if bit == "1" else total
    return total


def test_an_x_above_the_order_is_reduced_before_it_is_compared() -> None:
    x, key = next((x, key) for x in range(ORDER + 1, P) if (key := key_for(x, S, MESSAGE)))
    assert judge(key, "ES256", MESSAGE, raw(x - ORDER, S)) == ACCEPTED
    assert judge(key, "ES256", MESSAGE, raw(x, S)) == REJECTED


def test_an_r_plus_the_order_is_rejected() -> None:
    x, key = next((x, key) for x in range(1, 100) if (key := key_for(x, S, MESSAGE)))
    assert judge(key, "ES256", MESSAGE, raw(x, S)) == ACCEPTED
    assert judge(key, "ES256", MESSAGE, raw(x + ORDER, S)) == REJECTED


@pytest.mark.parametrize("secret", [1, 2, 3, ORDER - 1, ORDER - 2], ids=["1", "2", "3", "n-1", "n-2"])
def test_keys_next_to_the_base_point_verify_as_any_other(secret: int) -> None:
    key = ec.derive_private_key(secret, ec.SECP256R1())
    signature = sign("ES256", MESSAGE, key)
    assert judge(ec_jwk(key), "ES256", MESSAGE, signature) == ACCEPTED
    assert judge(ec_jwk(key), "ES256", b"other", signature) == REJECTED


def test_a_signature_whose_halves_are_one_point_is_added_by_doubling() -> None:
    """With the secret d, r·d = z makes both multiples equal."""
    z = int.from_bytes(hashlib.sha256(MESSAGE).digest(), "big") % ORDER
    nonce = 12345
    r = base_multiple(nonce)[0] % ORDER
    secret = z * pow(r, -1, ORDER) % ORDER
    s = 2 * z * pow(nonce, -1, ORDER) % ORDER
    key = ec.derive_private_key(secret, ec.SECP256R1())
    assert judge(ec_jwk(key), "ES256", MESSAGE, raw(r, s)) == ACCEPTED
    assert judge(ec_jwk(key), "ES256", MESSAGE, raw(r, s - 1)) == REJECTED


def test_a_sum_at_infinity_is_rejected() -> None:
    """With the secret d, r·d = -z makes the multiples cancel each other."""
    z, r = int.from_bytes(hashlib.sha256(MESSAGE).digest(), "big") % ORDER, 12345
    key = ec.derive_private_key(-z * pow(r, -1, ORDER) % ORDER, ec.SECP256R1())
    for s in (1, r, S):
        assert judge(ec_jwk(key), "ES256", MESSAGE, raw(r, s)) == REJECTED


def _coordinate(number: int, length: int = 32) -> str:
    return encode(number.to_bytes(length, "big"))


def test_a_key_that_is_not_on_p256_is_rejected() -> None:
    public = KEY.public_key().public_numbers()
    p384 = ec.generate_private_key(ec.SECP384R1())
    k256 = ec.generate_private_key(ec.SECP256K1())
    far, near = p384.public_key().public_numbers(), k256.public_key().public_numbers()
    changed: dict[str, dict[str, Any]] = {
        "another y": {"y": _coordinate(public.y ^ 1)},
        "x and y exchanged": {"x": _coordinate(public.y), "y": _coordinate(public.x)},
        "zero": {"x": _coordinate(0), "y": _coordinate(0)},
        "x = p": {"x": _coordinate(P)},
        "a zero before x": {"x": _coordinate(public.x, 33)},
        "31 bytes": {"x": encode(public.x.to_bytes(32, "big")[1:])},
        "no y": {"y": ""},
        "P-384": {"crv": "P-384", "x": _coordinate(far.x, 48), "y": _coordinate(far.y, 48)},
        "secp256k1": {"crv": "secp256k1", "x": _coordinate(near.x), "y": _coordinate(near.y)},
        "secp256k1 as P-256": {"x": _coordinate(near.x), "y": _coordinate(near.y)},
        "P-256 as P-384": {"crv": "P-384"},
        "P-256 as secp256k1": {"crv": "secp256k1"},
        "RSA": {"kty": "RSA"},
    }
    signed = raw(*utils.decode_dss_signature(k256.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))))
    for name, change in changed.items():
        for signature in (SIGNATURE, signed):
            verdicts = judge(ec_jwk(KEY) | change, "ES256", MESSAGE, signature)
            assert verdicts == REJECTED, name
