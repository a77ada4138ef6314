"""Verifies ECDSA signatures on the curve P-256 (FIPS 186-5, 6.4.2). No secrets are involved: it needs no constant time.

Points have Jacobian coordinates (X, Y, Z) for (X/Z², Y/Z³), which avoids divisions; Z is 0 at infinity.
"""

import hashlib
from dataclasses import dataclass

ALGORITHM = "ES256"
"""The algorithm's name in JOSE (RFC 7518, 3.4)."""

COORDINATE_BYTES = 32
"""The length of x and y in a JWK, and of r and s in a signature."""

_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    1,
)

_Point = tuple[int, int, int]
_INFINITY: _Point = (1, 1, 0)


@dataclass(frozen=True, slots=True)
class EcKey:
    """A public key: a point on the curve."""

    x: int
    y: int


def verify(key: EcKey, message: bytes, signature: bytes) -> bool:
    """Whether the signature of a message is valid.

    Args:
        key: The public key.
        message: The bytes that were signed.
        signature: r and s, 32 bytes each.
    """
    if len(signature) != 2 * COORDINATE_BYTES:
        return False
    r = int.from_bytes(signature[:COORDINATE_BYTES], "big")
    s = int.from_bytes(signature[COORDINATE_BYTES:], "big")
    return is_signed((key.x, key.y), int.from_bytes(hashlib.sha256(message).digest(), "big"), r, s)


def is_on_curve(x: int, y: int) -> bool:
    """Whether the point satisfies the curve's equation, y² = x³ - 3x + b."""
    return 0 <= x < _P and 0 <= y < _P and (y * y - (x * x * x - 3 * x + _B)) % _P == 0


def is_signed(public: tuple[int, int], digest: int, r: int, s: int) -> bool:
    """Whether (r, s) is a valid signature of a digest.

    Args:
        public: The key, a point on the curve.
        digest: The SHA-256 of the message.
        r: The first number of the signature.
        s: The second number of the signature.
    """
    if not (0 < r < _ORDER and 0 < s < _ORDER):
        return False
    inverse = pow(s, -1, _ORDER)
    x, _, z = _sum_of_multiples(digest * inverse % _ORDER, _BASE, r * inverse % _ORDER, (*public, 1))
    return z != 0 and x * pow(z * z, -1, _P) % _P % _ORDER == r


def _sum_of_multiples(first: int, p: _Point, second: int, q: _Point) -> _Point:
    """`first` times p plus `second` times q, both bit by bit in one pass (Shamir's trick)."""
    steps = (None, p, q, _add(p, q))
    total = _INFINITY
    for bit in range(max(first, second).bit_length() - 1, -1, -1):
        total = _double(total)
        step = steps[(first >> bit & 1) + 2 * (second >> bit & 1)]
        if step is not None:
            total = _add(total, step)
    return total


def _double(point: _Point) -> _Point:
    x, y, z = point
    if not z or not y:
        return _INFINITY
    delta, gamma = z * z % _P, y * y % _P
    beta = x * gamma % _P
    alpha = 3 * (x - delta) * (x + delta) % _P
    doubled = (alpha * alpha - 8 * beta) % _P
    return doubled, (alpha * (4 * beta - doubled) - 8 * gamma * gamma) % _P, 2 * y * z % _P


def _add(p: _Point, q: _Point) -> _Point:
    (x1, y1, z1), (x2, y2, z2) = p, q
    if not z1 or not z2:
        return p if z1 else q
    z1z1, z2z2 = z1 * z1 % _P, z2 * z2 % _P
    u1, s1 = x1 * z2z2 % _P, y1 * z2 * z2z2 % _P
    h, r = (x2 * z1z1 - u1) % _P, (y2 * z1 * z1z1 - s1) % _P
    if not h:
        return _INFINITY if r else _double(p)
    hh = h * h % _P
    hhh, v = h * hh % _P, u1 * hh % _P
    x = (r * r - hhh - 2 * v) % _P
    return x, (r * (v - x) - s1 * hhh) % _P, z1 * z2 * h % _P
