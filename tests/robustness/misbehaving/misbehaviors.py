"""The catalogue of misbehaviors: what is sent in place of a healthy response, and how the client's must end."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.robustness.expected_responses import chunk
from tests.robustness.misbehaving.container import NONE, RESET, Healthy, Respond, Step
from tests.robustness.wrong_values import paths_in, with_value_at

SECRET = "s3cr3t-of-the-container"
"""In everything that is no answer: neither a client nor a log gets it."""
HTML = f"<html><body><h1>502 Bad Gateway</h1>{SECRET}</body></html>".encode()
TRACE = f'Traceback (most recent call last):\n  File "/app/{SECRET}.py", line 1\nKeyError: {SECRET}\n'.encode()
MEBIBYTE = 1024 * 1024
COMPLETE, ERROR, ANY = "complete", "error", "any"


class Misbehavior(NamedTuple):
    """Something that a container does.

    Args:
        respond: What it sends.
        ends: How the client's response ends: `complete`, as if nothing were wrong; with an `error`; or `any` of both.
        kept: How many events of the healthy stream it has sent before: their tokens reach a client that streams. None:
            that depends on how they arrive.
    """

    respond: Respond
    ends: str
    kept: int | None = None


def head(content_type: str | None, *, status: str = "200 OK", more: str = "", framing: str = "chunked") -> bytes:
    """The head of a response."""
    kind = f"Content-Type: {content_type}\r\n" if content_type is not None else ""
    how = "Transfer-Encoding: chunked\r\n" if framing == "chunked" else framing
    return f"HTTP/1.1 {status}\r\nConnection: close\r\n{kind}{how}{more}\r\n".encode()


def whole(body: bytes, content_type: str | None, status: str = "200 OK", more: str = "") -> bytes:
    """A response with a length."""
    return head(content_type, status=status, more=more, framing=f"Content-Length: {len(body)}\r\n") + body


def _sends(body: bytes, content_type: str | None = None, status: str = "200 OK", more: str = "") -> Respond:
    """A response that does not depend on the request."""
    return lambda healthy: iter([whole(body, content_type or healthy.content_type, status, more)])


def _bytes(*steps: Step) -> Respond:
    return lambda _healthy: iter(steps)


def _events(change: Any) -> Respond:
    """The healthy events as a function changes them, each as a chunk."""

    def respond(healthy: Healthy) -> Iterator[Step]:
        yield head(healthy.content_type)
        for event in change(healthy):
            if event:
                yield chunk(event)
        yield b"0\r\n\r\n"

    return respond


def _after(count: int, *steps: Step) -> Respond:
    """Some events, and then something else than a chunk."""

    def respond(healthy: Healthy) -> Iterator[Step]:
        yield head(healthy.content_type)
        yield from (chunk(event) for event in healthy.events[:count])
        yield from steps

    return respond


def _changed(old: str, new: str) -> Respond:
    """Each event with a member's value replaced."""
    return _events(lambda healthy: [re.sub(old.encode(), new.encode("latin-1"), each) for each in healthy.events])


def _ended_by(data: bytes) -> Respond:
    """Two events, and then bytes with the end of an event."""
    return _events(lambda healthy: [*healthy.events[:2], data + healthy.end, *healthy.events[2:]])


def _own_error(healthy: Healthy) -> bytes:
    """An error in the form of the engine, with what a client may see of it."""
    message = "Request failed during generation: Server error: out of memory"
    if healthy.engine == "tgi":
        return json.dumps({"error": message, "error_type": "generation"}).encode()
    return json.dumps({"error": {"message": message, "type": "ServerError", "param": None, "code": 500}}).encode()


def _own_event(healthy: Healthy, data: bytes) -> bytes:
    return (b"" if healthy.end == b"\n" else b"data: ") + data + healthy.end


def _wrong_types(healthy: Healthy) -> list[bytes]:
    """The first event with its innermost values in arrays."""
    data = healthy.events[0].removeprefix(b"data: ")
    value = json.loads(data)
    for place in paths_in(value):
        if len(place) > 1:
            value = with_value_at(value, place, [SECRET])
            break
    for name in ("choices", "token", "generated_text", "message"):
        if name in value:
            value[name] = {SECRET: [1]} if name == "choices" else [SECRET]
    encoded = json.dumps(value).encode()
    return [_own_event(healthy, encoded) if healthy.is_stream else encoded, *healthy.events[1:]]


def _large_event(healthy: Healthy) -> list[bytes]:
    """Two events, and one of 20 MB in pieces."""
    begin, end = (b"{", b"}") if healthy.end == b"\n" or not healthy.is_stream else (b"data: {", b"}")
    pieces = [begin + b'"a":"', *[b"x" * MEBIBYTE] * 20, b'"' + end + healthy.end]
    return [*(healthy.events[:2] if healthy.is_stream else []), *pieces]


def _byte_by_byte(healthy: Healthy) -> Iterator[Step]:
    yield head(healthy.content_type)
    for at in range(len(healthy.body)):
        yield chunk(healthy.body[at : at + 1])
    yield b"0\r\n\r\n"


def _one_chunk(healthy: Healthy) -> Iterator[Step]:
    yield head(healthy.content_type) + chunk(healthy.body) + b"0\r\n\r\n"


def _two_hundred_with_an_error(healthy: Healthy) -> Iterator[Step]:
    yield whole(_own_error(healthy), "application/json")


GZIP = "Content-Encoding: gzip\r\n"
MISBEHAVIORS: dict[str, Misbehavior] = {
    NONE: Misbehavior(_one_chunk, COMPLETE),
    # Connections.
    "closes without a response": Misbehavior(_bytes(), ERROR, 0),
    "resets without a response": Misbehavior(_bytes(RESET), ERROR, 0),
    "something else than HTTP": Misbehavior(_bytes(SECRET.encode() * 50 + b"\r\n\r\n"), ERROR, 0),
    "half a head": Misbehavior(_bytes(f"HTTP/1.1 200 OK\r\nX-{SECRET}".encode()), ERROR, 0),
    "a head of a megabyte": Misbehavior(_bytes(head(None, more=f"X-A: {SECRET * 50_000}\r\n")), ERROR, 0),
    "resets after two events": Misbehavior(_after(2, 0.2, RESET), ERROR),  # what is not read yet is lost
    "closes after two events": Misbehavior(_after(2), ERROR, 2),
    "closes inside a chunk": Misbehavior(_after(2, b"fff\r\n" + SECRET.encode()), ERROR, 2),
    "a length that is too large": Misbehavior(
        lambda healthy: iter(
            [head(healthy.content_type, framing=f"Content-Length: {len(healthy.body) + 9}\r\n"), healthy.body]
        ),
        ANY,  # all of the answer has arrived
    ),
    "a length that is too small": Misbehavior(
        lambda healthy: iter(
            [head(healthy.content_type, framing=f"Content-Length: {len(healthy.body) // 2}\r\n"), healthy.body]
        ),
        ERROR,
    ),
    # Statuses.
    "a status 204": Misbehavior(_bytes(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"), ERROR, 0),
    "a redirection": Misbehavior(_sends(HTML, "text/html", "302 Found", "Location: http://127.0.0.1:9/\r\n"), ERROR, 0),
    "a page with 200": Misbehavior(_sends(HTML, "text/html"), ERROR, 0),
    "a page with 403": Misbehavior(_sends(HTML, "text/html", "403 Forbidden"), ERROR, 0),
    "a page with 500": Misbehavior(_sends(HTML, "text/html", "500 Internal Server Error"), ERROR, 0),
    "a page with 503": Misbehavior(_sends(HTML, "text/html", "503 Service Unavailable"), ERROR, 0),
    "a stack trace with 500": Misbehavior(_sends(TRACE, "text/plain", "500 Internal Server Error"), ERROR, 0),
    "a stack trace as JSON with 500": Misbehavior(
        _sends(json.dumps({"detail": TRACE.decode()}).encode(), "application/json", "500 Any"), ERROR, 0
    ),
    "an error with 200": Misbehavior(_two_hundred_with_an_error, ERROR, 0),
    # Bodies.
    "an empty body": Misbehavior(_sends(b""), ERROR, 0),
    "an empty body without a type": Misbehavior(_bytes(whole(b"", None)), ERROR, 0),
    "white space": Misbehavior(_sends(b" \n\n \n\n"), ERROR, 0),
    "a page as events": Misbehavior(_sends(HTML), ERROR, 0),
    "a stack trace as events": Misbehavior(_sends(TRACE), ERROR, 0),
    "random bytes": Misbehavior(_sends(bytes(range(256)) * 20 + SECRET.encode()), ERROR, 0),
    "JSON of another form": Misbehavior(_sends(json.dumps({"a": SECRET}).encode(), "application/json"), ERROR, 0),
    "null": Misbehavior(_sends(b"null", "application/json"), ERROR, 0),
    "a number": Misbehavior(_sends(b"7", "application/json"), ERROR, 0),
    "deeply nested JSON": Misbehavior(_sends(b"[" * 200_000, "application/json"), ERROR, 0),
    "20 MB of JSON": Misbehavior(_sends(b'{"a":"' + b"x" * 20 * MEBIBYTE + b'"}', "application/json"), ERROR, 0),
    "a 20 MB event": Misbehavior(_events(_large_event), ERROR),
    "compressed": Misbehavior(
        lambda healthy: iter([whole(gzip.compress(healthy.body), healthy.content_type, more=GZIP)]), ANY
    ),
    "compressed without saying so": Misbehavior(
        lambda healthy: iter([whole(gzip.compress(healthy.body), healthy.content_type)]), ERROR, 0
    ),
    "not compressed although it says so": Misbehavior(
        lambda healthy: iter([whole(healthy.body, healthy.content_type, more=GZIP)]), ANY
    ),
    "the type of a page": Misbehavior(lambda healthy: iter([whole(healthy.body, "text/html")]), ERROR, 0),
    "the type of bytes": Misbehavior(lambda healthy: iter([whole(healthy.body, "application/octet-stream")]), ERROR, 0),
    # Events.
    "half an event": Misbehavior(
        _events(lambda healthy: [*healthy.events[:2], healthy.events[2][: len(healthy.events[2]) // 2]]), ERROR, 2
    ),
    "no end": Misbehavior(_events(lambda healthy: healthy.events[:3]), ERROR, 3),
    "an error as the first event": Misbehavior(
        _events(lambda healthy: [_own_event(healthy, _own_error(healthy))]), ERROR, 0
    ),
    "an error after two events": Misbehavior(
        _events(lambda healthy: [*healthy.events[:2], _own_event(healthy, _own_error(healthy))]), ERROR, 2
    ),
    "a page after two events": Misbehavior(_ended_by(HTML), ERROR, 2),
    "a stack trace after two events": Misbehavior(_ended_by(TRACE), ERROR, 2),
    "a page as data": Misbehavior(_events(lambda healthy: [*healthy.events[:2], _own_event(healthy, HTML)]), ERROR, 2),
    "an object that is not closed": Misbehavior(
        _events(lambda healthy: [*healthy.events[:2], _own_event(healthy, b'{"token":' + HTML)]), ERROR, 2
    ),
    "an object of another form": Misbehavior(
        _events(
            lambda healthy: [*healthy.events[:2], _own_event(healthy, json.dumps({"trace": TRACE.decode()}).encode())]
        ),
        ERROR,
        2,
    ),
    "wrong types": Misbehavior(_events(_wrong_types), ERROR, 0),
    "deeply nested data": Misbehavior(
        _events(lambda healthy: [*healthy.events[:2], _own_event(healthy, b'{"a":' * 100_000)]), ERROR, 2
    ),
    "negative token ids": Misbehavior(_changed(r'"id":(\d+)', r'"id":-\1'), ANY),
    "NaN": Misbehavior(_changed(r'"(logprob|created)":[-0-9.]+', r'"\1":NaN'), ANY),
    "invalid UTF-8": Misbehavior(_changed(r'("(?:text|content)":"[^"]+)"', '\\1\xff\xfe"'), ERROR),
    "events after the end": Misbehavior(_events(lambda healthy: [*healthy.events, *healthy.events[:2]]), COMPLETE),
    "the end twice": Misbehavior(_events(lambda healthy: [*healthy.events, *healthy.events[-2:]]), COMPLETE),
    # What is unusual and right.
    "byte by byte": Misbehavior(_byte_by_byte, COMPLETE),
    "a chunk for each event": Misbehavior(_events(lambda healthy: healthy.events), COMPLETE),
    "lines that end with CRLF": Misbehavior(
        _events(lambda healthy: [each.replace(b"\n", b"\r\n") for each in healthy.events]), COMPLETE
    ),
    "ten thousand comments": Misbehavior(
        _events(lambda healthy: [(b"\n" if healthy.end == b"\n" else b": x\n\n") * 10_000, healthy.body]), COMPLETE
    ),
    "a chunk extension and a trailer": Misbehavior(
        lambda healthy: iter(
            [
                head(healthy.content_type),
                b"%x;a=%b\r\n" % (len(healthy.body), SECRET.encode()) + healthy.body,
                f"\r\n0\r\nX-Trailer: {SECRET}\r\n\r\n".encode(),
            ]
        ),
        COMPLETE,
    ),
    "100 Continue before it": Misbehavior(
        lambda healthy: iter([b"HTTP/1.1 100 Continue\r\n\r\n", whole(healthy.body, healthy.content_type)]), COMPLETE
    ),
    "headers of its own": Misbehavior(
        lambda healthy: iter(
            [whole(healthy.body, healthy.content_type, more=f"X-A: {SECRET}\r\nServer: {SECRET}\r\n")]
        ),
        COMPLETE,
    ),
}
BEHIND_THE_END = frozenset({"events after the end", "the end twice"})
UNREAD_TYPES = frozenset({"the type of a page", "the type of bytes"})
"""What counts for a stream alone: of any other response only the body is looked at."""
EVENTS_ONLY = frozenset(
    {
        "a page after two events",
        "a page as data",
        "a stack trace after two events",
        "an error after two events",
        "an error as the first event",
        "an object of another form",
        "an object that is not closed",
        "closes after two events",
        "closes inside a chunk",
        "deeply nested data",
        "events after the end",
        "half an event",
        "lines that end with CRLF",
        "no end",
        "resets after two events",
        "ten thousand comments",
        "the end twice",
        "white space",
    }
)
"""What only a stream can do: a response of the container that is no stream has no events."""
