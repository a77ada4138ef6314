"""PKCS#1 v1.5 signatures that are almost right, made with the private key: judged as cryptography and PyJWT do."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.lambda_.jwt_authorizer.identity_provider import encode, rsa_jwk, sign
from tests.lambda_.jwt_authorizer.judges import ACCEPTED, REJECTED, Verdicts, judge

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CUBIC = rsa.generate_private_key(public_exponent=3, key_size=2048)
ODD_SIZED = rsa.generate_private_key(public_exponent=65537, key_size=2052)  # a signature plus n fits in its 257 bytes
MESSAGE = b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9"
HASHED = {"RS256": hashlib.sha256, "RS384": hashlib.sha384, "RS512": hashlib.sha512}
OBJECT_IDS = {"RS256": "608648016503040201", "RS384": "608648016503040202", "RS512": "608648016503040203"}
SHA1_ID = "2b0e03021a"
ONLY_OURS_REJECTS = Verdicts(authorizer=False, cryptography=True, pyjwt=True)


def der(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    assert len(content) < 128
    return bytes([tag, len(content)]) + content


def object_id(hexadecimal: str) -> bytes:
    return der(6, bytes.fromhex(hexadecimal))


NULL = der(5)


def pad(ending: bytes, length: int = 256, *, block_type: int = 1, filler: bytes = b"\xff") -> bytes:
    return bytes([0, block_type]) + filler * (length - 3 - len(ending)) + b"\x00" + ending


def sign_encoded(encoded: bytes, key: rsa.RSAPrivateKey = KEY) -> bytes:
    """The signature of which the encoded message, whatever it is, comes out; by the remainders for p and q."""
    numbers = key.private_numbers()
    number = int.from_bytes(encoded, "big")
    for_p, for_q = pow(number, numbers.dmp1, numbers.p), pow(number, numbers.dmq1, numbers.q)
    signature = for_q + numbers.q * ((for_p - for_q) * numbers.iqmp % numbers.p)
    return signature.to_bytes((key.key_size + 7) // 8, "big")


def encoded_messages(algorithm: str) -> Iterator[tuple[str, bytes]]:
    """Encoded messages that differ from the right one in one place."""
    digest = HASHED[algorithm](MESSAGE).digest()
    oid = object_id(OBJECT_IDS[algorithm])
    info = der(0x30, der(0x30, oid, NULL), der(4, digest))
    right = pad(info)
    for at in (0, 1, 2, 9, 100, right.index(info) - 2, right.index(info) - 1, right.index(info), len(right) - 1):
        yield f"byte {at} differs", right[:at] + bytes([right[at] ^ 1]) + right[at + 1 :]
    yield "block type 0", pad(info, block_type=0)
    yield "block type 2", pad(info, block_type=2)
    yield "block type 1 with zeros", pad(info, filler=b"\x00")
    yield "no separator", b"\x00\x01" + b"\xff" * (254 - len(info)) + info
    garbage = 256 - 11 - len(info)
    yield "garbage after the digest", b"\x00\x01" + b"\xff" * 8 + b"\x00" + info + b"\xa5" * garbage
    yield "zeros after the digest", b"\x00\x01" + b"\xff" * 8 + b"\x00" + info + bytes(garbage)
    yield "one byte after the digest", pad(info + b"\x00")
    yield "garbage before DigestInfo", b"\x00\x01" + b"\xff" * 8 + b"\x00" + b"\xa5" * garbage + info
    yield "padding of seven bytes", b"\x00\x01" + b"\xff" * 7 + b"\x00" + info + b"\xa5" * (garbage + 1)
    yield "two separators", pad(b"\x00" + info)
    yield "without parameters", pad(der(0x30, der(0x30, oid), der(4, digest)))
    yield "parameters that are no NULL", pad(der(0x30, der(0x30, oid, der(4, b"\x00")), der(4, digest)))
    yield "garbage in NULL", pad(der(0x30, der(0x30, oid, der(5, b"\xa5" * 9)), der(4, digest)))
    yield "garbage in the algorithm", pad(der(0x30, der(0x30, oid, NULL, b"\xa5" * 9), der(4, digest)))
    yield "garbage in DigestInfo", pad(der(0x30, der(0x30, oid, NULL), der(4, digest), b"\xa5" * 9))
    yield "garbage in the digest", pad(der(0x30, der(0x30, oid, NULL), der(4, digest + b"\xa5")))
    yield "a short digest", pad(der(0x30, der(0x30, oid, NULL), der(4, digest[:-1])))
    yield "no digest", pad(der(0x30, der(0x30, oid, NULL), der(4)))
    yield "a digest without DigestInfo", pad(digest)
    yield "a bit string", pad(der(0x30, der(0x30, oid, NULL), der(3, digest)))
    yield "a long form of the length", pad(b"\x30\x81" + info[1:])
    yield (
        "a long form of the digest's length",
        pad(b"\x30" + bytes([info[1] + 1]) + der(0x30, oid, NULL) + b"\x04\x81" + bytes([len(digest)]) + digest),
    )
    yield "an indefinite length", pad(b"\x30\x80" + info[2:] + b"\x00\x00")
    for name, other in OBJECT_IDS.items():
        if name != algorithm:
            yield f"named as {name}", pad(der(0x30, der(0x30, object_id(other), NULL), der(4, digest)))
            second = HASHED[name](MESSAGE).digest()
            yield f"hashed as {name}", pad(der(0x30, der(0x30, object_id(other), NULL), der(4, second)))
    sha1 = hashlib.sha1(MESSAGE, usedforsecurity=False).digest()
    yield "hashed with SHA-1", pad(der(0x30, der(0x30, object_id(SHA1_ID), NULL), der(4, sha1)))
    yield "of another message", pad(der(0x30, der(0x30, oid, NULL), der(4, HASHED[algorithm](b"other").digest())))
    yield "zero", bytes(256)
    yield "one", bytes(255) + b"\x01"


@pytest.mark.parametrize("algorithm", sorted(HASHED))
def test_an_encoded_message_that_differs_anywhere_is_rejected(algorithm: str) -> None:
    jwk = rsa_jwk(KEY)
    digest = HASHED[algorithm](MESSAGE).digest()
    right = pad(der(0x30, der(0x30, object_id(OBJECT_IDS[algorithm]), NULL), der(4, digest)))
    assert sign_encoded(right) == sign(algorithm, MESSAGE, KEY), "the encoding here is that of cryptography"
    assert judge(jwk, algorithm, MESSAGE, sign_encoded(right)) == ACCEPTED
    forged = dict(encoded_messages(algorithm))
    assert len(forged) == 40
    assert {name: judge(jwk, algorithm, MESSAGE, sign_encoded(each)) for name, each in forged.items()} == dict.fromkeys(
        forged, REJECTED
    )


def changed_signatures(signature: bytes, modulus: int) -> Iterator[tuple[str, bytes]]:
    length, number = len(signature), int.from_bytes(signature, "big")
    for at in (0, 7, 8 * length // 2, 8 * length - 1):
        yield f"bit {at}", (number ^ 1 << at).to_bytes(length + 1, "big")[-length:]
    yield "empty", b""
    yield "a zero before", b"\x00" + signature
    yield "a zero after", signature + b"\x00"
    yield "one byte short", signature[1:]
    yield "cut", signature[:-1]
    yield "twice", signature * 2
    yield "negative", (modulus - number).to_bytes(length, "big")
    yield "0", bytes(length)
    yield "1", bytes(length - 1) + b"\x01"
    yield "n - 1", (modulus - 1).to_bytes(length, "big")
    yield "n", modulus.to_bytes(length, "big")
    yield "n + 1", (modulus + 1).to_bytes(length, "big")
    yield "the largest number", b"\xff" * length
    yield "plus n, a byte longer", (number + modulus).to_bytes(length + 1, "big")


@pytest.mark.parametrize("key", [KEY, CUBIC, ODD_SIZED], ids=["65537", "3", "2052 bits"])
def test_a_changed_signature_is_rejected(key: rsa.RSAPrivateKey) -> None:
    jwk, modulus = rsa_jwk(key), key.public_key().public_numbers().n
    signature = sign("RS256", MESSAGE, key)
    assert judge(jwk, "RS256", MESSAGE, signature) == ACCEPTED
    for name, changed in changed_signatures(signature, modulus):
        assert judge(jwk, "RS256", MESSAGE, changed) == REJECTED, name
    if key is ODD_SIZED:
        plus_n = (int.from_bytes(signature, "big") + modulus).to_bytes(len(signature), "big")
        assert judge(jwk, "RS256", MESSAGE, plus_n) == REJECTED


def test_a_signature_that_starts_with_zero_keeps_its_zero() -> None:
    messages = (b"message %d" % number for number in range(10_000))
    message, signature = next((m, s) for m in messages if (s := sign("RS256", m, KEY))[0] == 0)
    assert judge(rsa_jwk(KEY), "RS256", message, signature) == ACCEPTED
    assert judge(rsa_jwk(KEY), "RS256", message, signature[1:]) == REJECTED


def test_a_cube_root_is_not_a_signature() -> None:
    """What exponent 3 lets anybody forge where bytes after the digest are ignored (Bleichenbacher, 2006)."""
    digest = hashlib.sha256(MESSAGE).digest()
    info = der(0x30, der(0x30, object_id(OBJECT_IDS["RS256"]), NULL), der(4, digest))
    start = b"\x00\x01" + b"\xff" * 8 + b"\x00" + info
    root = cube_root(int.from_bytes(start.ljust(256, b"\xff"), "big"))
    assert (root**3).to_bytes(256, "big").startswith(start)
    assert judge(rsa_jwk(CUBIC), "RS256", MESSAGE, root.to_bytes(256, "big")) == REJECTED


def cube_root(number: int) -> int:
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= number else (low, middle - 1)
    return low


def test_pss_is_not_pkcs1() -> None:
    salted = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
    assert judge(rsa_jwk(KEY), "RS256", MESSAGE, KEY.sign(MESSAGE, salted, hashes.SHA256())) == REJECTED


def _number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def test_a_key_other_than_the_signers_is_rejected() -> None:
    signature, n = sign("RS256", MESSAGE, KEY), KEY.public_key().public_numbers().n
    changed: list[dict[str, Any]] = [
        {"e": "Aw"},
        {"e": "AQ"},
        {"e": "AA"},
        {"e": "AQAA"},
        {"n": _number(n + 2)},
        {"n": _number(n - 1)},
        {"n": _number(n // 3 | 1)},
        {"n": ""},
        {"n": _number(CUBIC.public_key().public_numbers().n)},
        {"kty": "EC"},
        {"kty": "oct", "k": _number(n)},
    ]
    for change in changed:
        assert judge(rsa_jwk(KEY) | change, "RS256", MESSAGE, signature) == REJECTED, change


@pytest.mark.parametrize(("least", "verdicts"), [(5, ACCEPTED), (2**32 + 1, ACCEPTED), (2**33 + 1, ONLY_OURS_REJECTS)])
def test_exponents_are_of_at_most_33_bits(least: int, verdicts: Verdicts) -> None:
    """Deliberate: the exponent is the verifier's work. OpenSSL limits it to 64 bits, and only for long keys."""
    numbers = KEY.private_numbers()
    n, phi = numbers.public_numbers.n, (numbers.p - 1) * (numbers.q - 1)
    exponent = next(each for each in range(least, least + 1000, 2) if math.gcd(each, phi) == 1)
    info = der(0x30, der(0x30, object_id(OBJECT_IDS["RS256"]), NULL), der(4, hashlib.sha256(MESSAGE).digest()))
    signature = pow(int.from_bytes(pad(info), "big"), pow(exponent, -1, phi), n).to_bytes(256, "big")
    assert judge(rsa_jwk(KEY, e=_number(exponent)), "RS256", MESSAGE, signature) == verdicts
    assert judge(rsa_jwk(KEY, e=_number(exponent)), "RS256", b"other", signature) == REJECTED


@pytest.mark.parametrize(
    ("bits", "verdicts"),
    [(1024, ONLY_OURS_REJECTS), (2046, ONLY_OURS_REJECTS), (2048, ACCEPTED), (3072, ACCEPTED)],
)
def test_keys_have_at_least_2048_bits(bits: int, verdicts: Verdicts) -> None:
    """Deliberate: RFC 7518, 3.3 requires it; cryptography leaves it to its caller, PyJWT warns."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    assert judge(rsa_jwk(key), "RS512", MESSAGE, sign("RS512", MESSAGE, key)) == verdicts


def test_an_algorithm_is_that_of_the_token_whatever_else_the_key_could_do() -> None:
    for signed in HASHED:
        for claimed in HASHED:
            verdicts = judge(rsa_jwk(KEY), claimed, MESSAGE, sign(signed, MESSAGE, KEY))
            assert verdicts == (ACCEPTED if signed == claimed else REJECTED)
