"""Three judges of a signature: the authorizer, cryptography and PyJWT, which get the same JWK."""

from __future__ import annotations

import base64
import warnings
from typing import Any, NamedTuple

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from jwt_authorizer.jwks import KeySet
from jwt_authorizer.token import Token, TokenError, verify_signature

from tests.lambda_.jwt_authorizer.identity_provider import HASHES

ISSUER = "https://issuer.example.com"


class Verdicts(NamedTuple):
    """Whether each judge accepts the key and the signature."""

    authorizer: bool
    cryptography: bool
    pyjwt: bool


ACCEPTED, REJECTED = Verdicts(True, True, True), Verdicts(False, False, False)


def judge(jwk: dict[str, Any], algorithm: str, message: bytes, signature: bytes) -> Verdicts:
    """The verdicts of all three."""
    case = (jwk, algorithm, message, signature)
    return Verdicts(_authorizer(*case), _cryptography(*case), _pyjwt(*case))


def _authorizer(jwk: dict[str, Any], algorithm: str, message: bytes, signature: bytes) -> bool:
    def fetch(url: str, _: float) -> dict[str, Any]:
        return {"keys": [jwk]} if url.endswith("/keys") else {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}

    try:
        key = KeySet(ISSUER, fetch).key(None, algorithm)
        verify_signature(Token(algorithm, None, {}, message, signature), key)
    except TokenError:
        return False
    return True


def _cryptography(jwk: dict[str, Any], algorithm: str, message: bytes, signature: bytes) -> bool:
    """The verdict of cryptography, which knows no JOSE: types of keys, curves and lengths are checked here."""
    digest = HASHES[algorithm[2:]]
    try:
        if algorithm.startswith("RS"):
            if jwk["kty"] != "RSA":
                return False
            numbers = rsa.RSAPublicNumbers(_integer(jwk["e"]), _integer(jwk["n"]))
            numbers.public_key().verify(signature, message, padding.PKCS1v15(), digest)
        else:
            lengths = {len(signature) // 2, len(_bytes(jwk["x"])), len(_bytes(jwk["y"]))}
            if (jwk["kty"], jwk["crv"], lengths, len(signature)) != ("EC", "P-256", {32}, 64):
                return False
            point = ec.EllipticCurvePublicNumbers(_integer(jwk["x"]), _integer(jwk["y"]), ec.SECP256R1())
            r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            point.public_key().verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(digest))
    except (InvalidSignature, ValueError, KeyError):
        return False
    return True


def _pyjwt(jwk: dict[str, Any], algorithm: str, message: bytes, signature: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyJWT warns of short keys
        try:
            key = jwt.PyJWK(jwk, algorithm)
            prepared = key.Algorithm.prepare_key(key.key)
        except (jwt.PyJWTError, ValueError):
            return False
        return bool(key.Algorithm.verify(message, prepared, signature))


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


def _integer(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")
