"""Verifies RSASSA-PKCS1-v1_5 signatures (RFC 8017, 8.2.2) with Python's integers; everything checked here is public.

The expected message is built and compared in full, so nothing is parsed.
"""

import hashlib
import hmac
from dataclasses import dataclass

# The hash function, and the DER of DigestInfo up to the digest (RFC 8017, 9.2, note 1).
_DIGESTS = {
    "RS256": ("sha256", bytes.fromhex("3031300d060960864801650304020105000420")),
    "RS384": ("sha384", bytes.fromhex("3041300d060960864801650304020205000430")),
    "RS512": ("sha512", bytes.fromhex("3051300d060960864801650304020305000440")),
}

ALGORITHMS = tuple(_DIGESTS)
"""The supported algorithms by their names in JOSE (RFC 7518, 3.3)."""


@dataclass(frozen=True, slots=True)
class RsaKey:
    """An RSA public key."""

    modulus: int
    exponent: int


def verify(key: RsaKey, algorithm: str, message: bytes, signature: bytes) -> bool:
    """Whether the signature of a message is valid.

    Args:
        key: The public key.
        algorithm: One of `ALGORITHMS`.
        message: The bytes that were signed.
        signature: As long as the modulus.
    """
    name, prefix = _DIGESTS[algorithm]
    length = (key.modulus.bit_length() + 7) // 8
    number = int.from_bytes(signature, "big")
    if len(signature) != length or number >= key.modulus:
        return False
    ending = b"\x00" + prefix + hashlib.new(name, message).digest()
    expected = b"\x00\x01" + b"\xff" * (length - 2 - len(ending)) + ending
    return hmac.compare_digest(pow(number, key.exponent, key.modulus).to_bytes(length, "big"), expected)
