"""An OpenID Connect provider for tests."""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from local.listening import listen


def encode_integer(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


def encode_json(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class Issuer:
    """An OpenID Connect provider on the loopback interface, over TLS with its own certificate authority."""

    def __init__(self, folder: Path) -> None:
        self.authority = folder / "authority.pem"
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._listener = listen(0)
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"
        self._certify(folder)

    def token(self, **claims: Any) -> str:
        now = int(time.time())
        payload = {"iss": self.url, "aud": "llm", "sub": "user-1", "iat": now, "exp": now + 300, **claims}
        signed = f"{encode_json({'alg': 'RS256', 'kid': 'k1', 'typ': 'JWT'})}.{encode_json(payload)}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    def key_set(self) -> dict[str, Any]:
        """What it serves at its `jwks_uri`."""
        numbers = self._key.public_key().public_numbers()
        modulus, exponent = encode_integer(numbers.n), encode_integer(numbers.e)
        return {"keys": [{"kty": "RSA", "kid": "k1", "use": "sig", "alg": "RS256", "n": modulus, "e": exponent}]}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        documents = {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/keys"},
            "/keys": self.key_set(),
        }

        async def respond(request: web.Request) -> web.Response:
            return web.json_response(documents[request.path])

        app = web.Application()
        for path in documents:
            app.router.add_get(path, respond)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._chain)
        await web.SockSite(runner, self._listener, ssl_context=context).start()
        try:
            yield
        finally:
            await runner.cleanup()

    def _certify(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.authority.write_bytes(pem)
        self._chain = folder / "chain.pem"
        self._chain.write_bytes(private + pem)
