"""A certificate for the fake SageMaker Runtime, so that the function's TLS is part of what is measured."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Files of one certificate.

    Args:
        certificate: The certificate of 127.0.0.1, followed by its private key.
        bundle: The system's authorities and the certificate: what a client that trusts all of them loads.
    """

    certificate: Path
    bundle: Path


def create_certificate(folder: Path) -> Certificate:
    """Write a certificate that signs itself, valid for a day.

    Args:
        folder: Where to write it.

    Raises:
        RuntimeError: Python knows of no file with the system's authorities.
    """
    system = ssl.get_default_verify_paths().cafile
    if system is None:
        raise RuntimeError("Python finds no file with the system's certificate authorities")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public = signed.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files = Certificate(certificate=folder / "certificate.pem", bundle=folder / "bundle.pem")
    files.certificate.write_bytes(public + private)
    files.bundle.write_bytes(Path(system).read_bytes() + public)
    return files
