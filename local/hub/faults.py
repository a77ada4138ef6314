"""What can go wrong between the hub and whoever downloads from it. Each fault changes one answer."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Side = Literal["hub", "cdn"]


@dataclass(frozen=True)
class Reply:
    """An answer on its way to the client.

    Args:
        status: Status code.
        headers: Headers; Content-Length is added from `declared`.
        body: The bytes that are sent.
        declared: What Content-Length says. None: the length of the body.
        is_cut: Whether the connection ends after the body whatever was declared.
        is_dropped: Whether the connection ends without any answer.
        bytes_per_second: How fast the body is sent. None: at once.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    declared: int | None = None
    is_cut: bool = False
    is_dropped: bool = False
    bytes_per_second: float | None = None


class Fault:
    """Something that goes wrong with an answer."""

    whole = False
    """Whether the server takes the request for one without a Range header."""

    def spoil(self, reply: Reply) -> Reply:
        """The answer as the client gets it."""
        return reply


@dataclass(frozen=True)
class Answer(Fault):
    """Another answer: 429, 503, 403 for a signed URL that has expired, and so on.

    Args:
        status: Its status code.
        headers: Its headers, such as `RateLimit`, `Retry-After` or `X-Error-Code`.
        body: Its body.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def spoil(self, reply: Reply) -> Reply:
        """This answer."""
        return Reply(self.status, self.headers, self.body)


@dataclass(frozen=True)
class Redirect(Fault):
    """A redirect.

    Args:
        location: Where to.
        status: 302 or 307.
    """

    location: str
    status: int = 302

    def spoil(self, reply: Reply) -> Reply:
        """The redirect."""
        return Reply(self.status, {"Location": self.location})


@dataclass(frozen=True)
class Cut(Fault):
    """The connection ends in the middle of the body.

    Args:
        after: Bytes of the body that arrive.
    """

    after: int

    def spoil(self, reply: Reply) -> Reply:
        """The beginning of the answer; its headers promise all of it."""
        return replace(reply, body=reply.body[: self.after], declared=len(reply.body), is_cut=True)


@dataclass(frozen=True)
class Drop(Fault):
    """The connection ends without an answer."""

    def spoil(self, reply: Reply) -> Reply:
        """No answer."""
        return replace(reply, is_dropped=True)


@dataclass(frozen=True)
class Slow(Fault):
    """The body comes slowly.

    Args:
        bytes_per_second: How fast.
    """

    bytes_per_second: float

    def spoil(self, reply: Reply) -> Reply:
        """The same answer."""
        return replace(reply, bytes_per_second=self.bytes_per_second)


@dataclass(frozen=True)
class WrongBytes(Fault):
    """The right number of bytes, one of which is wrong."""

    def spoil(self, reply: Reply) -> Reply:
        """The answer with another first byte."""
        return replace(reply, body=bytes([reply.body[0] ^ 1]) + reply.body[1:]) if reply.body else reply


@dataclass(frozen=True)
class IgnoreRange(Fault):
    """200 with the whole file although a range was asked for."""

    whole = True


@dataclass(frozen=True)
class WrongRange(Fault):
    """206 with another range than the one asked for."""

    def spoil(self, reply: Reply) -> Reply:
        """The same bytes under the name of other ones."""
        unit, _, rest = reply.headers.get("Content-Range", "bytes 0-0/1").partition(" ")
        span, _, size = rest.partition("/")
        start, _, end = span.partition("-")
        return replace(
            reply, headers={**reply.headers, "Content-Range": f"{unit} {int(start) + 1}-{int(end) + 1}/{size}"}
        )


@dataclass(frozen=True)
class Gzip(Fault):
    """A compressed body although none was asked for."""

    def spoil(self, reply: Reply) -> Reply:
        """The answer with its body compressed."""
        return replace(reply, body=gzip.compress(reply.body), headers={**reply.headers, "Content-Encoding": "gzip"})


@dataclass
class _Planned:
    fault: Fault
    on: Side
    path: str
    times: int | None


class Faults:
    """The faults that are still to come. They may be added while the server runs."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault, *, on: Side, path: str = "", times: int | None = 1) -> None:
        """Plan a fault.

        Args:
            fault: What goes wrong.
            on: At the hub or at its CDN.
            path: A part of the path and query of the requests concerned; at the CDN also of the file's path.
            times: How many answers; None for every one.
        """
        with self._lock:
            self._planned.append(_Planned(fault, on, path, times))

    def clear(self) -> None:
        """Let everything go right from now on."""
        with self._lock:
            self._planned.clear()

    def take(self, on: Side, path: str) -> Fault | None:
        """The first fault planned for such a request, which is used up by that."""
        with self._lock:
            for planned in self._planned:
                if planned.on == on and planned.path in path:
                    if planned.times is not None:
                        planned.times -= 1
                    if planned.times == 0:
                        self._planned.remove(planned)
                    return planned.fault
        return None
