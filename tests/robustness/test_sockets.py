"""Malformed HTTP over plain sockets: at most one request of each message passes the gateway."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator

import pytest

from tests.robustness.emulated_cloud import STAGE, EmulatedCloud, emulated_cloud

CANARY = "c4n4ry"
LEFT = re.compile(r"[0-9a-f-]{36} the client left before it had sent its request")
LINE = f"POST /{STAGE}/generate HTTP/1.1\r\nHost: front-door\r\n".encode()
CLOSE = b"Connection: close\r\n"
JSON = b"Content-Type: application/json\r\n"
BODY = json.dumps({"inputs": f"{CANARY} first", "parameters": {"max_new_tokens": 3}}).encode()
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
SMUGGLED = json.dumps({"inputs": f"{CANARY} smuggled"}).encode()
SECOND = LINE + CLOSE + JSON + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.fixture(scope="module")
def cloud() -> Iterator[EmulatedCloud]:
    with emulated_cloud() as running:
        yield running


def exchange(cloud: EmulatedCloud, sent: bytes, *, half_close: bool = False) -> bytes:
    """Send bytes and return everything that the gateway sends until it closes the connection."""
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=5) as connection:
        connection.sendall(sent)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while data := _receive(connection):
            received += data
        return received


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def statuses(received: bytes) -> list[int]:
    """The status of each response."""
    parts = (b"\r\n" + received).split(b"\r\nHTTP/1.")
    return [int(part[2:5]) for part in parts[1:]]


@pytest.fixture(autouse=True)
def _nothing_is_logged(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    output = "".join([*capfd.readouterr(), *map(caplog.handler.format, caplog.get_records("call"))])
    assert CANARY not in output


def check_logs(cloud: EmulatedCloud) -> None:
    assert CANARY not in "".join([*cloud.log, *cloud.access_log])
    for line in [*cloud.log, *cloud.access_log]:
        assert LEFT.fullmatch(line) or isinstance(json.loads(line), dict)


def prompts_since(cloud: EmulatedCloud, before: int) -> list[str]:
    return [json.loads(body)["inputs"] for body in cloud.requests[before:]]


TWO_LENGTHS = b"Content-Length: 0\r\n" + LENGTH
SMUGGLING = {
    "length and chunks": LINE + CLOSE + JSON + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED + SECOND,
    "chunks that end before the length": LINE
    + JSON
    + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(SECOND))
    + SECOND,
    "two lengths": LINE + JSON + TWO_LENGTHS + b"\r\n" + BODY + SECOND,
    "two lengths in one": LINE + JSON + b"Content-Length: 0, %d\r\n\r\n" % len(BODY) + BODY + SECOND,
    "a negative length": LINE + JSON + b"Content-Length: -1\r\n\r\n" + BODY + SECOND,
    "a signed length": LINE + JSON + b"Content-Length: +%d\r\n\r\n" % len(BODY) + BODY + SECOND,
    "a hexadecimal length": LINE + JSON + b"Content-Length: 0x%x\r\n\r\n" % len(BODY) + BODY + SECOND,
    "a length with an underscore": LINE + JSON + b"Content-Length: 1_0\r\n\r\n" + BODY + SECOND,
    "an unknown coding": LINE + JSON + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKED + SECOND,
    "chunked is not the last coding": LINE + JSON + b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNKED + SECOND,
    "a space before the colon": LINE + JSON + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKED + SECOND,
    "a folded line": LINE + JSON + b"X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n" + CHUNKED + SECOND,
    "a lone line feed": LINE + JSON + b"X-A: b\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED + SECOND,
    "a lone carriage return": LINE + JSON + b"X-A: b\rTransfer-Encoding: chunked\r\n\r\n" + CHUNKED + SECOND,
    "a NUL in a value": LINE + JSON + b"X-A: b\0Transfer-Encoding: chunked\r\n" + LENGTH + b"\r\n" + BODY + SECOND,
    "a NUL in a name": LINE + JSON + b"X\0A: b\r\n" + LENGTH + b"\r\n" + BODY + SECOND,
    "an empty name": LINE + JSON + b": b\r\n" + LENGTH + b"\r\n" + BODY + SECOND,
    "a signed chunk size": LINE + JSON + b"Transfer-Encoding: chunked\r\n\r\n+" + CHUNKED + SECOND,
    "a chunk size with a prefix": LINE + JSON + b"Transfer-Encoding: chunked\r\n\r\n0x" + CHUNKED + SECOND,
    "a chunk longer than its size": LINE
    + JSON
    + b"Transfer-Encoding: chunked\r\n\r\n5\r\n"
    + BODY
    + b"\r\n0\r\n\r\n"
    + SECOND,
    "a huge chunk size": LINE + JSON + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n" + BODY + SECOND,
    "two hosts": LINE + b"Host: other\r\n" + JSON + LENGTH + CLOSE + b"\r\n" + BODY + SECOND,
    "another protocol": LINE.replace(b"HTTP/1.1", b"HTTP/9.9") + JSON + LENGTH + b"\r\n" + BODY + SECOND,
    "CRLF in the path": LINE.replace(b"/generate", b"/generate\r\nX: ") + JSON + LENGTH + b"\r\n" + BODY + SECOND,
    "a space in the path": LINE.replace(b"/generate", b"/generate x") + JSON + LENGTH + b"\r\n" + BODY + SECOND,
}


@pytest.mark.parametrize("name", SMUGGLING)
def test_a_smuggled_request_is_not_processed(cloud: EmulatedCloud, name: str) -> None:
    before = len(cloud.requests)
    received = statuses(exchange(cloud, SMUGGLING[name]))
    assert len(received) <= 1
    assert all(status < 500 for status in received)
    assert prompts_since(cloud, before) in ([], [f"{CANARY} first"])
    check_logs(cloud)


def test_two_pipelined_requests_are_processed(cloud: EmulatedCloud) -> None:
    before = len(cloud.requests)
    received = exchange(cloud, LINE + JSON + LENGTH + b"\r\n" + BODY + SECOND)
    assert statuses(received) == [200, 200]
    assert prompts_since(cloud, before) == [f"{CANARY} first", f"{CANARY} smuggled"]


HEADERS = {
    "none": (b"", 200),
    "Latin-1": (b"X-A: \xe9\xff\r\n", 200),
    "UTF-8": ("X-A: été 🐤\r\n".encode(), 200),
    "names of members in JavaScript": (b"__proto__: x\r\nconstructor: y\r\n", 200),
    "two Authorization headers": (f"Authorization: Bearer {CANARY}\r\nAuthorization: Basic {CANARY}\r\n".encode(), 200),
    "two JSON content types": (JSON + b"Content-Type: application/json; charset=utf-8\r\n", 400),
    "two content types": (JSON + b"Content-Type: text/plain\r\n", 400),
    "content type in another case": (b"content-TYPE: text/plain\r\n", 415),
    "500 headers": (b"".join(b"X-%d: y\r\n" % at for at in range(500)), 200),
    "9 KB": (b"X-A: " + b"a" * 9_000 + b"\r\n", 200),
    "11 KB": (b"X-A: " + b"a" * 11_000 + b"\r\n", 431),
    "100 KB": (b"X-A: " + b"a" * 100_000 + b"\r\n", 400),
    "SageMaker's headers": (b"X-Amzn-SageMaker-Target-Model: x\r\nX-Amz-Target: y\r\nX-Amz-Date: z\r\n", 200),
    "non-ASCII request id": ("X-Request-Id: é💥\r\n".encode(), 200),
    "long idempotency key": (b"Idempotency-Key: " + b"k" * 5_000 + b"\r\n", 200),
    "wrong content coding": (b"Content-Encoding: gzip\r\n", 415),
    "unknown content coding": (b"Content-Encoding: br\r\n", 415),
    "expectation": (b"Expect: 100-continue\r\n", 200),
    "upgrade": (b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n", 200),
}


@pytest.mark.parametrize("name", HEADERS)
def test_unusual_headers(cloud: EmulatedCloud, name: str) -> None:
    headers, status = HEADERS[name]
    before = len(cloud.requests)
    received = exchange(
        cloud, LINE + CLOSE + (b"" if b"-TYPE" in headers else JSON) + headers + LENGTH + b"\r\n" + BODY
    )
    assert [each for each in statuses(received) if each != 100] == [status]
    assert len(cloud.requests) - before == (1 if status == 200 else 0)
    check_logs(cloud)


@pytest.mark.parametrize("at", [1, 10, len(LINE), len(LINE + JSON), len(LINE + JSON + LENGTH) + 3])
def test_an_incomplete_request_is_not_processed(cloud: EmulatedCloud, at: int) -> None:
    before = len(cloud.log)
    received = statuses(exchange(cloud, (LINE + JSON + LENGTH + b"\r\n" + BODY)[:at], half_close=True))
    assert received in ([], [400])
    assert len(cloud.log) == before


NOT_HTTP = [
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\0" * 4096,
]


@pytest.mark.parametrize("data", NOT_HTTP, ids=range(len(NOT_HTTP)))
def test_data_that_is_not_http_is_not_processed(cloud: EmulatedCloud, data: bytes) -> None:
    before = len(cloud.log)
    assert statuses(exchange(cloud, data, half_close=data.startswith(b"\r"))) in ([], [400])
    assert len(cloud.log) == before


PATHS = ["", "/", "//generate", "/../generate", "/%2e%2e/generate", "/generate%00", "/generate%0d%0aX-Evil:%201", "/%"]
PATHS += ["/models/%ff/generate", "/models//generate", "/generate/", "/generate?inputs=c4n4ry", "/generate#c4n4ry"]


@pytest.mark.parametrize("path", PATHS)
def test_unusual_paths(cloud: EmulatedCloud, path: str) -> None:
    line = LINE.replace(f"/{STAGE}/generate".encode(), f"/{STAGE}{path}".encode())
    received = exchange(cloud, line + CLOSE + JSON + LENGTH + b"\r\n" + BODY)
    (status,) = statuses(received)
    assert status < 500
    assert b"\r\nX-Evil" not in received
    check_logs(cloud)
