"""Fetches JSON objects over TLS by a deadline, which holds for the lookup of the name, the connection and the response.

A socket's timeout is for one operation: with it alone, a server that sends a byte now and then is read without an end.
So each operation gets the time that is left.
"""

import http.client
import json
import socket
import ssl
import threading
import time
from typing import Any, cast
from urllib.parse import urlsplit

_MAX_BODY_BYTES = 1024 * 1024


class IssuerError(Exception):
    """The issuer's keys could not be fetched."""


def fetch_json(url: str, deadline: float) -> dict[str, Any]:
    """Fetch the JSON object at a URL: over TLS with the system's certificate authorities, without redirects.

    Args:
        url: An https URL.
        deadline: When to give up, by `time.monotonic()`.

    Raises:
        IssuerError: The URL is not a valid https URL, or the response is not complete at the deadline, is not a JSON
            object of at most 1 MiB, or has another status than 200.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise IssuerError("the issuer's configuration has an invalid URL") from None
    if parts.scheme != "https" or not host:
        raise IssuerError("the issuer's configuration has a URL that is not https")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _Connection(host, port, deadline)
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise IssuerError(f"{host} responded with status {response.status}")
        content = response.read(_MAX_BODY_BYTES + 1)
        if len(content) > _MAX_BODY_BYTES:
            raise IssuerError(f"{host} responded with more than {_MAX_BODY_BYTES} bytes")
        body = json.loads(content)
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        raise IssuerError(f"{host}: {type(error).__name__}") from error
    finally:
        connection.close()
    if not isinstance(body, dict):
        raise IssuerError(f"{host} did not respond with a JSON object")
    return body


class _Socket(ssl.SSLSocket):
    """A TLS socket that is read until a deadline."""

    deadline: float

    def recv_into(self, *arguments: Any) -> int:
        self.settimeout(_seconds_until(self.deadline))
        return super().recv_into(*arguments)


class _Connection(http.client.HTTPSConnection):
    """A connection that is opened and read until a deadline."""

    def __init__(self, host: str, port: int | None, deadline: float) -> None:
        super().__init__(host, port)
        self._deadline = deadline

    def connect(self) -> None:
        """Connect and shake hands; `request` calls it."""
        context = ssl.create_default_context()
        context.sslsocket_class = _Socket
        plain = _connect(_resolve(self.host, self.port, self._deadline), self._deadline)
        try:
            plain.settimeout(_seconds_until(self._deadline))
            self.sock = encrypted = cast("_Socket", context.wrap_socket(plain, server_hostname=self.host))
        except BaseException:
            plain.close()
            raise
        encrypted.deadline = self._deadline


def _resolve(host: str, port: int, deadline: float) -> list[Any]:
    """The addresses of a host. The system's resolver takes no timeout: one that hangs is left behind in its thread."""
    results: list[list[Any] | Exception] = []

    def resolve() -> None:
        try:
            results.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            results.append(error)

    thread = threading.Thread(target=resolve, daemon=True)
    thread.start()
    thread.join(_seconds_until(deadline))
    result = results[0] if results else TimeoutError()
    if isinstance(result, Exception):
        raise result
    return result


def _connect(addresses: list[Any], deadline: float) -> socket.socket:
    """Connect to the first address that accepts within its share of the time that is left."""
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        untried = len(addresses) - tried
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_seconds_until(deadline) / untried)
            connection.connect(address)
        except OSError:
            connection.close()
            if untried == 1:
                raise
        else:
            return connection
    raise OSError("no address")


def _seconds_until(deadline: float) -> float:
    """The time that is left.

    Raises:
        TimeoutError: None is left.
    """
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds
