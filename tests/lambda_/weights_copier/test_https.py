"""The hub speaks HTTPS: its certificate is verified, with the authorities of the system or those of SSL_CERT_FILE."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.lambda_.weights_copier.conftest import Copier


def write_certificate(path: Path, host: str) -> None:
    """A certificate that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a hub")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))


class Nothing(BaseHTTPRequestHandler):
    """A hub without repositories."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "hub.pem"
    write_certificate(path, "127.0.0.1")
    return path


@pytest.fixture
def https_hub(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Nothing)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] - clients that refuse the certificate
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_certificate_of_nobody_is_refused_at_once(copier: Copier, https_hub: str) -> None:
    words = copier.fail(hub=https_hub)
    assert words.startswith(f"the certificate of {https_hub[8:]} is not valid: ")
    assert "self-signed certificate" in words or "self signed certificate" in words


def test_a_certificate_of_an_authority_of_ones_own_is_accepted(
    copier: Copier, https_hub: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert copier.fail(hub=https_hub) == "team/llama was not found, or is private or gated and no token was given"


def test_a_certificate_of_another_host_is_refused(
    copier: Copier, https_hub: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    words = copier.fail(hub=https_hub.replace("127.0.0.1", "localhost"))
    assert words.startswith(f"the certificate of localhost:{https_hub.rpartition(':')[2]} is not valid: ")


def test_https_is_not_left_by_a_redirect_even_to_this_machine(
    copier: Copier, https_hub: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def redirect(handler: Nothing) -> None:
        handler.send_response(302)
        handler.send_header("Location", copier.hub.url)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(Nothing, "do_GET", redirect)
    assert copier.fail(hub=https_hub) == (f"{https_hub[8:]} redirects to {copier.hub.url}, which is not HTTPS")
