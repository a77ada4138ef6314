"""An OpenID Connect provider: its keys, the tokens that it signs, and an HTTPS server for its metadata and keys."""

from __future__ import annotations

import base64
import datetime
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509.oid import NameOID

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
AUDIENCE = "https://llm.example.com"


def encode(data: bytes | object) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _encode_integer(value: int, length: int | None = None) -> str:
    return encode(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


def rsa_jwk(key: rsa.RSAPrivateKey = RSA_KEY, **more: Any) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    return {
        "kty": "RSA",
        "kid": "rsa",
        "use": "sig",
        "n": _encode_integer(numbers.n),
        "e": _encode_integer(numbers.e),
    } | more


def ec_jwk(key: ec.EllipticCurvePrivateKey = EC_KEY, **more: Any) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    point = {"x": _encode_integer(numbers.x, 32), "y": _encode_integer(numbers.y, 32)}
    return {"kty": "EC", "kid": "ec", "crv": "P-256", "use": "sig"} | point | more


def sign(algorithm: str, message: bytes, key: Any) -> bytes:
    digest = HASHES[algorithm[2:]]
    if algorithm.startswith("RS"):
        signature: bytes = key.sign(message, padding.PKCS1v15(), digest)
        return signature
    r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(digest)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def claims(issuer: str, **changes: Any) -> dict[str, Any]:
    """Valid claims with changes: None removes a claim, a function gets the current time and returns the value."""
    now = int(time.time())
    values = {"iss": issuer, "aud": AUDIENCE, "sub": "user-1", "exp": now + 600} | changes
    return {name: value(now) if callable(value) else value for name, value in values.items() if value is not None}


def token(payload: dict[str, Any], algorithm: str = "RS256", key: Any = None, **header: Any) -> str:
    """A signed token with these claims; None removes a member of the header."""
    key = key or (EC_KEY if algorithm.startswith("ES") else RSA_KEY)
    members = {"alg": algorithm, "typ": "JWT", "kid": "ec" if algorithm.startswith("ES") else "rsa"} | header
    parts = [{name: value for name, value in members.items() if value is not None}, payload]
    message = ".".join(encode(part) for part in parts)
    return f"{message}.{encode(sign(algorithm, message.encode(), key))}"


class Provider:
    """The server's responses.

    Attributes:
        keys: The key set.
        pages: Status, headers and body by path, in place of the normal responses.
        requested: The requested paths.
    """

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [rsa_jwk(), ec_jwk()]
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.requested: list[str] = []
        self.issuer = ""

    def page(self, path: str) -> tuple[int, dict[str, str], bytes]:
        self.requested.append(path)
        if path in self.pages:
            return self.pages[path]
        metadata = {
            "/.well-known/openid-configuration": {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"},
            "/keys": {"keys": self.keys},
        }
        return (200, {}, json.dumps(metadata[path]).encode()) if path in metadata else (404, {}, b"{}")


@contextmanager
def serve_provider(folder: Path) -> Iterator[tuple[Provider, Path]]:
    """Serve a provider on https://localhost; the file has the authority that issued its certificate."""
    certificate, key = certify(folder)
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = provider.page(self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    provider.issuer = f"https://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider, certificate
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certify(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "localhost.pem", folder / "localhost.key"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private
