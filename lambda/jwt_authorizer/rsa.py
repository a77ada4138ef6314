"""Signatures of tokens (RFC 7518), with no more than Python's integers: what is checked here is public.

RS256, RS384 and RS512 are RSASSA-PKCS1-v1_5 (RFC 8017, 8.2.2): the expected message is built and compared as a whole,
so nothing is parsed. ES256 is ECDSA on the curve P-256.
"""

import hashlib
import hmac

from jwt_authorizer.errors import TokenError
from jwt_authorizer.jwks import EcKey, Key, RsaKey
from jwt_authorizer.p256 import is_signed
from jwt_authorizer.token import Token

# The DER of DigestInfo before the digest (RFC 8017, 9.2, note 1).
_DIGESTS = {
    "RS256": ("sha256", bytes.fromhex("3031300d060960864801650304020105000420")),
    "RS384": ("sha384", bytes.fromhex("3041300d060960864801650304020205000430")),
    "RS512": ("sha512", bytes.fromhex("3051300d060960864801650304020305000440")),
}
_P256_BYTES = 32


def verify(key: Key, token: Token) -> None:
    """Whether the token was signed with the private part of a key.

    Raises:
        TokenError: It was not.
    """
    right = False
    if isinstance(key, RsaKey) and token.algorithm in _DIGESTS:
        right = _rsa(key, token)
    elif isinstance(key, EcKey) and token.algorithm == "ES256":
        right = _ecdsa(key, token)
    if not right:
        raise TokenError("signature")


def _rsa(key: RsaKey, token: Token) -> bool:
    name, prefix = _DIGESTS[token.algorithm]
    length = (key.modulus.bit_length() + 7) // 8
    number = int.from_bytes(token.signature, "big")
    if len(token.signature) != length or number >= key.modulus:
        return False
    ending = b"\x00" + prefix + hashlib.new(name, token.signed).digest()
    expected = b"\x00\x01" + b"\xff" * (length - 2 - len(ending)) + ending
    return hmac.compare_digest(pow(number, key.exponent, key.modulus).to_bytes(length, "big"), expected)


def _ecdsa(key: EcKey, token: Token) -> bool:
    if len(token.signature) != 2 * _P256_BYTES:
        return False
    r = int.from_bytes(token.signature[:_P256_BYTES], "big")
    s = int.from_bytes(token.signature[_P256_BYTES:], "big")
    digest = int.from_bytes(hashlib.sha256(token.signed).digest(), "big")
    return is_signed((key.x, key.y), digest, r, s)
