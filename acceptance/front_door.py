"""Requests to the front door, with the arrival times of what comes back."""

from __future__ import annotations

import http.client
import json
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from stacks.acceptance_settings import MODEL_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAUSE_SECONDS = 0.15
"""Between requests: the consumer's key may send 10 in a second."""
_TIMEOUT_SECONDS = 900


@dataclass(slots=True)
class Reply:
    """A response, with the arrival times of its parts in seconds after the request."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    times: list[float] = field(default_factory=list)

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def message(self) -> str:
        """The message of an error of the front door, in OpenAI's form or TGI's."""
        body = self.json()
        error = body.get("error")
        return str(error["message"] if isinstance(error, dict) else error)


class FrontDoorClient(ABC):
    """A client that keeps below the limit of its key.

    Attributes:
        sent: How many requests were sent with the consumer's key.
    """

    def __init__(self) -> None:
        self.sent = 0
        self._next = 0.0
        self._lock = threading.Lock()

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL of the front door."""

    @property
    @abstractmethod
    def key(self) -> str:
        """The consumer's key."""

    def send(
        self, verb: str, path: str, body: Any = None, *, key: str | None = "", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Sends a request to the front door and reads the whole response.

        Args:
            verb: The HTTP method.
            path: The path below the URL, as it is to be sent.
            body: Bytes, or what is sent as JSON.
            key: The API key. "": the consumer's; None: no header.
            headers: Additional headers.
        """
        connection = self.open()
        try:
            started = time.monotonic()
            response = self.request(connection, verb, path, body, key=key, headers=headers)
            content, times = b"", []
            while part := response.read1(65_536):
                content += part
                times.append(time.monotonic() - started)
            names = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, names, content, times)
        finally:
            connection.close()

    def receive(self, verb: str, path: str) -> bytes:
        """Every byte of a response, which the caller has the server close: head, chunks and trailers, as they come."""
        self.pace()
        self.sent += 1
        parts = urlsplit(self.url)
        head = (f"{verb} {parts.path}{path} HTTP/1.1", f"Host: {parts.netloc}", f"Authorization: Bearer {self.key}")
        connection = self.open()
        try:
            connection.connect()
            connection.sock.sendall("\r\n".join([*head, "TE: trailers", "Connection: close", "", ""]).encode())
            received = b""
            while part := connection.sock.recv(65_536):
                received += part
            return received
        finally:
            connection.close()

    def open(self) -> http.client.HTTPConnection:
        """A connection to the front door."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.netloc, timeout=_TIMEOUT_SECONDS)

    def request(
        self,
        connection: http.client.HTTPConnection,
        verb: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = "",
        headers: Mapping[str, str] | None = None,
    ) -> http.client.HTTPResponse:
        """Sends a request as `send` does, and returns the response unread."""
        self.pace()
        sent = {} if key is None else {"Authorization": f"Bearer {key or self.key}"}
        self.sent += key == ""
        if body is not None:
            sent["Content-Type"] = "application/json"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(verb, urlsplit(self.url).path + path, data, {**sent, **(headers or {})})
        return connection.getresponse()

    def pace(self) -> None:
        """Waits until another request may be sent."""
        with self._lock:
            time.sleep(max(0.0, self._next - time.monotonic()))
            self._next = time.monotonic() + _PAUSE_SECONDS

    def chat(self, tokens: int, *, stream: bool = False, **more: Any) -> dict[str, Any]:
        """The body of a chat that is answered with a number of tokens, or fewer."""
        messages = [{"role": "user", "content": "Write the numbers from one to one hundred in words, one a line."}]
        return {"model": MODEL_NAME, "messages": messages, "max_tokens": tokens, "stream": stream, **more}
