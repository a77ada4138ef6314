"""NIST's verification vectors for FIPS 186 (package cryptography-vectors): PKCS#1 v1.5 and ECDSA on P-256."""

from __future__ import annotations

import importlib.metadata
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import cryptography_vectors
import pytest
from jwt_authorizer.p256 import is_on_curve

from tests.lambda_.jwt_authorizer.identity_provider import encode
from tests.lambda_.jwt_authorizer.judges import ACCEPTED, REJECTED, Verdicts, judge

ALGORITHMS = {"SHA256": "RS256", "SHA384": "RS384", "SHA512": "RS512"}
WEAK_KEY = Verdicts(authorizer=False, cryptography=True, pyjwt=True)
"""Deliberate: RFC 7518, 3.3 requires 2048 bits or more; cryptography leaves that to its caller, PyJWT warns."""


class Vector(NamedTuple):
    section: str
    fields: dict[str, str]

    @property
    def is_valid(self) -> bool:
        return self.fields.get("Result", "P")[0] == "P"


def read(path: str) -> Iterator[Vector]:
    """The vectors of a file. A field holds until it appears again; the signature, or its verdict, ends a vector."""
    with cryptography_vectors.open_vector_file(f"asymmetric/{path}", "r") as file:
        lines = [line.strip() for line in file]
    last = "Result" if any(line.startswith("Result") for line in lines) else "S"
    section, fields = "", {}
    for line in lines:
        if line.startswith("["):
            section, fields = line.strip("[]"), {}
        elif "=" in line and not line.startswith("#"):
            name, _, value = (part.strip() for part in line.partition("="))
            fields[name] = value
            if name == last:
                yield Vector(section, dict(fields))


def unsigned(number: str) -> bytes:
    value = int(number, 16)
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def rsa_key(vector: Vector) -> dict[str, Any]:
    return {"kty": "RSA", "n": encode(unsigned(vector.fields["n"])), "e": encode(unsigned(vector.fields["e"]))}


def ec_key(vector: Vector) -> dict[str, Any]:
    x, y = (int(vector.fields[name], 16) for name in ("Qx", "Qy"))
    if max(x, y) >> 256:
        return {}
    return {"kty": "EC", "crv": "P-256", "x": encode(x.to_bytes(32, "big")), "y": encode(y.to_bytes(32, "big"))}


def test_the_vectors_are_those_of_the_installed_cryptography() -> None:
    versions = {importlib.metadata.version(name) for name in ("cryptography", "cryptography-vectors")}
    assert len(versions) == 1, "requirements-dev.in pins cryptography-vectors to the version of cryptography"


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("RSA/FIPS_186-2/SigGen15_186-2.rsp", {(ACCEPTED, True): 90, (WEAK_KEY, True): 60}),
        ("RSA/FIPS_186-2/SigGen15_186-3.rsp", {(ACCEPTED, True): 90, (WEAK_KEY, True): 60}),
        (
            "RSA/FIPS_186-2/SigVer15_186-3.rsp",
            {(ACCEPTED, True): 27, (WEAK_KEY, True): 18, (REJECTED, False): 225},
        ),
        ("RSA/SigVer15EMTest.txt", {(REJECTED, False): 90}),
    ],
)
def test_every_rsa_vector_is_judged_as_nist_says(path: str, counts: dict[tuple[Verdicts, bool], int]) -> None:
    judged: Counter[tuple[Verdicts, bool]] = Counter()
    for vector in read(path):
        if algorithm := ALGORITHMS.get(vector.fields["SHAAlg"]):
            signature = bytes.fromhex(vector.fields["S"])
            verdicts = judge(rsa_key(vector), algorithm, bytes.fromhex(vector.fields["Msg"]), signature)
            judged[verdicts, vector.is_valid] += 1
            is_weak = vector.section in ("mod = 1024", "mod = 1536")
            assert verdicts == ((WEAK_KEY if is_weak else ACCEPTED) if vector.is_valid else REJECTED), vector
    assert judged == counts


def test_an_rsa_signature_with_another_hash_is_rejected() -> None:
    for vector in read("RSA/FIPS_186-2/SigGen15_186-3.rsp"):
        if vector.section == "mod = 2048":
            signature, message = bytes.fromhex(vector.fields["S"]), bytes.fromhex(vector.fields["Msg"])
            for digest, algorithm in ALGORITHMS.items():
                if digest != vector.fields["SHAAlg"]:
                    assert judge(rsa_key(vector), algorithm, message, signature) == REJECTED


@pytest.mark.parametrize(
    ("path", "valid", "invalid"), [("SigVer.rsp", 3, 12), ("SigGen.rsp", 15, 0)], ids=["SigVer", "SigGen"]
)
def test_every_p256_vector_is_judged_as_nist_says(path: str, valid: int, invalid: int) -> None:
    judged: Counter[Verdicts] = Counter()
    for vector in read(f"ECDSA/FIPS_186-3/{path}"):
        if vector.section.startswith("P-256,"):
            signature = b"".join(int(vector.fields[name], 16).to_bytes(32, "big") for name in "RS")
            verdicts = judge(ec_key(vector), "ES256", bytes.fromhex(vector.fields["Msg"]), signature)
            is_valid = vector.is_valid and vector.section == "P-256,SHA-256"
            assert verdicts == (ACCEPTED if is_valid else REJECTED), vector
            if vector.section == "P-256,SHA-256":
                judged[verdicts] += 1
    assert judged == Counter({ACCEPTED: valid, REJECTED: invalid})


def test_every_public_key_of_p256_is_judged_as_nist_says() -> None:
    judged: Counter[bool] = Counter()
    for path in ("ECDSA/FIPS_186-2/PKV.rsp", "ECDSA/FIPS_186-3/PKV.rsp"):
        for vector in read(path):
            if vector.section == "P-256":
                x, y = (int(vector.fields[name], 16) for name in ("Qx", "Qy"))
                assert is_on_curve(x, y) == vector.is_valid, vector
                judged[vector.is_valid] += 1
    assert judged == Counter({True: 8, False: 16})
