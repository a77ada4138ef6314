"""An issuer that hangs or drips, at any step of the way: its keys are given up at one deadline for all."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import cycle
from pathlib import Path

import pytest
from jwt_authorizer import jwks
from jwt_authorizer.https import IssuerError
from jwt_authorizer.jwks import KeySet

from tests.lambda_.jwt_authorizer.identity_provider import certify, serve_provider

pytestmark = pytest.mark.timeout(30)  # without the deadline these wait for ever

SECONDS = 0.6
BYTES_PER_SECOND = 20

Serve = Callable[[socket.socket], None]


@pytest.fixture(autouse=True)
def _short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "FETCH_SECONDS", SECONDS)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certify(tmp_path_factory.mktemp("issuer"))


@contextmanager
def issuer(serve: Serve) -> Iterator[str]:
    """An issuer that serves each connection with a function, in a thread; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"https://localhost:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def drip(connection: socket.socket, content: Iterator[int]) -> None:
    """Send a byte now and then until the client leaves."""
    for byte in content:
        connection.sendall(bytes([byte]))
        time.sleep(1 / BYTES_PER_SECOND)


def assert_given_up_at_the_deadline(url: str) -> None:
    started = time.monotonic()
    with pytest.raises(IssuerError, match=r"^localhost: TimeoutError$"):
        KeySet(url).key("rsa", "RS256")
    assert SECONDS - 0.05 < time.monotonic() - started < SECONDS + 2


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Padding: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3E8\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["status line", "header", "body", "chunk", "body without a length"],
)
def test_a_response_that_drips_is_read_until_the_deadline(
    start: bytes, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.recv(65536)
            encrypted.sendall(start)
            drip(encrypted, cycle(b" "))

    with issuer(serve) as url:
        assert_given_up_at_the_deadline(url)


def test_interim_responses_do_not_move_the_deadline(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.recv(65536)
            while True:
                encrypted.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                time.sleep(1 / BYTES_PER_SECOND)

    with issuer(serve) as url:
        assert_given_up_at_the_deadline(url)


@pytest.mark.parametrize("start", [b"", b"\x16\x03\x03\x40\x00"], ids=["silent", "drips a record"])
def test_a_handshake_is_waited_for_until_the_deadline(start: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(start)
        if start:
            drip(connection, cycle(b"\x02"))
        while connection.recv(65536):
            pass

    with issuer(serve) as url:
        assert_given_up_at_the_deadline(url)


def test_a_connection_that_is_not_accepted_is_waited_for_until_the_deadline() -> None:
    with socket.socket() as listener, ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # more than the backlog: the next one gets no answer
            filler = waiting.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        assert_given_up_at_the_deadline(f"https://localhost:{listener.getsockname()[1]}")


def test_a_name_is_looked_up_until_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait() and [])
    try:
        assert_given_up_at_the_deadline("https://localhost")
    finally:
        answered.set()


@pytest.mark.parametrize("error", [socket.gaierror, UnicodeError])
def test_a_name_that_does_not_exist_is_told_at_once(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    with pytest.raises(IssuerError, match=rf"^nowhere\.invalid: {error.__name__}$"):
        KeySet("https://nowhere.invalid").key("rsa", "RS256")


def test_an_address_that_hangs_leaves_time_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_provider(tmp_path) as (provider, authority), socket.socket() as listener, ExitStack() as waiting:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        listener.bind(("127.0.0.2", 0))
        listener.listen(0)
        for _ in range(4):
            filler = waiting.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        port = int(provider.issuer.rsplit(":", 1)[1])
        addresses = [listener.getsockname(), ("127.0.0.1", port)]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        monkeypatch.setattr(jwks, "FETCH_SECONDS", 3)
        started = time.monotonic()
        assert KeySet(provider.issuer).key("rsa", "RS256")
        assert time.monotonic() - started > 2, "half of the time for the one document, and half of the rest"


@pytest.mark.parametrize(("each", "is_enough"), [(0.7, False), (0.3, True)])
def test_both_documents_share_the_deadline(
    each: float, is_enough: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_provider(tmp_path) as (provider, authority):
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        page = provider.page

        def slow(path: str) -> tuple[int, dict[str, str], bytes]:
            response = page(path)
            time.sleep(each * SECONDS)
            return response

        monkeypatch.setattr(provider, "page", slow)
        if is_enough:
            assert KeySet(provider.issuer).key("rsa", "RS256")
        else:
            assert_given_up_at_the_deadline(provider.issuer)
        assert provider.requested == ["/.well-known/openid-configuration", "/keys"]
