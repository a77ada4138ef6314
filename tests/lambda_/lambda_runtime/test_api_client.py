"""The runtime client byte by byte, against a scripted Runtime API."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from front_door.http.response import Response
from front_door.lambda_runtime import api_client, loop
from hypothesis import given
from hypothesis import strategies as st

from tests.lambda_.lambda_runtime.scripted_api import ACCEPTED, EVENT, HANG_UP, NEXT, ScriptedApi, scripted

Handle = Callable[[dict[str, Any], loop.Invocation], Response]


@pytest.fixture(autouse=True)
def _no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what the client sets in the environment."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "to be restored")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[ScriptedApi, Handle], None]:
    """Runs the client to the end of the script."""

    def run(api: ScriptedApi, handle: Handle) -> None:
        monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", api.address)
        with pytest.raises(SystemExit) as ended:
            loop.run(handle)
        assert ended.value.code == 1

    return run


def hello(event: dict[str, Any], context: loop.Invocation) -> Response:
    return Response(200, {"a": "b"}, [b"hello", b"world"])


def reply(status: str, headers: bytes = b"") -> bytes:
    return f"HTTP/1.1 {status}\r\n".encode() + headers + b"Content-Length: 2\r\n\r\n{}"


def test_a_streamed_response_is_what_lambda_documents(run: Any) -> None:
    with scripted(NEXT, ACCEPTED) as api:
        run(api, hello)
    requested, answered = api.requests[:2]
    assert requested.startswith(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1:")
    head, _, body = answered.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /2018-06-01/runtime/invocation/r-1/response HTTP/1.1"
    assert set(head.split(b"\r\n")[2:]) == {
        b"Content-Type: application/vnd.awslambda.http-integration-response",
        b"Lambda-Runtime-Function-Response-Mode: streaming",
        b"Transfer-Encoding: chunked",
        b"Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
        b"Lambda-Runtime-Invocation-Id: i-1",
    }
    first = b'{"statusCode": 200, "headers": {"a": "b"}}' + b"\0" * 8 + b"hello"
    assert body == b"%x\r\n%b\r\n5\r\nworld\r\n0\r\n\r\n" % (len(first), first)


def test_each_response_has_its_own_connection_and_next_reuses_one(run: Any) -> None:
    with scripted(NEXT, ACCEPTED, NEXT, ACCEPTED, HANG_UP, HANG_UP) as api:
        run(api, hello)
    assert api.connections[:4] == [0, 1, 0, 2]


def test_each_chunk_is_one_write_and_the_head_is_in_the_first() -> None:
    sent: list[bytes] = []

    class Connection:
        send = sent.append

        def read_reply(self) -> api_client.Reply:
            return api_client.Reply(202, {}, b"")

        def close(self) -> None:
            sent.append(b"closed")

    answer = api_client.StreamedResponse(Connection(), b"HEAD\r\n\r\n")  # type: ignore[arg-type]
    answer.send(b"first")
    answer.send(b"x" * 17)
    answer.end()
    assert sent == [b"HEAD\r\n\r\n5\r\nfirst\r\n", b"11\r\n" + b"x" * 17 + b"\r\n", b"0\r\n\r\n", b"closed"]


def test_a_chunk_does_not_wait_for_the_acknowledgement_of_the_one_before(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[socket.socket] = []
    create = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda address: made.append(create(address)) or made[-1])
    delays = []

    def body() -> Iterator[bytes]:
        yield b"one"
        delays.extend(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for connection in made)

    with scripted(NEXT, ACCEPTED) as api:
        run(api, lambda event, context: Response(200, {}, body()))
    assert len(delays) == 2
    assert all(delays)


def test_the_error_trailers_are_a_type_and_base64_of_json(run: Any) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x"
        raise ValueError("the prompt")

    with scripted(NEXT, ACCEPTED) as api:
        run(api, lambda event, context: Response(200, {}, broken()))
    end = api.requests[1].partition(b"\r\n0\r\n")[2].decode()
    kind, body = re.fullmatch(
        r"Lambda-Runtime-Function-Error-Type: (.*)\r\nLambda-Runtime-Function-Error-Body: (.*)\r\n\r\n", end
    ).groups()  # type: ignore[union-attr]
    result = json.loads(base64.b64decode(body))
    assert (kind, result["errorType"], result["errorMessage"]) == (*["Function.ValueError"] * 2, "The function failed.")


def test_no_invocation_id_is_sent_if_lambda_sent_none(run: Any) -> None:
    with scripted(EVENT + b"Content-Length: 2\r\n\r\n{}", ACCEPTED) as api:
        run(api, hello)
    assert b"Invocation-Id" not in api.requests[1]


def test_the_invocation_id_is_sent_with_an_error_too(run: Any) -> None:
    def fail(event: object, context: object) -> Response:
        raise ValueError

    with scripted(NEXT, ACCEPTED) as api:
        run(api, fail)
    assert api.requests[1].startswith(b"POST /2018-06-01/runtime/invocation/r-1/error HTTP/1.1\r\n")
    assert b"\r\nLambda-Runtime-Invocation-Id: i-1\r\n" in api.requests[1]
    assert b"\r\nLambda-Runtime-Function-Error-Type: Function.ValueError\r\n" in api.requests[1]


@pytest.mark.parametrize("status", ["410 Gone", "413 Request Entity Too Large"])
def test_a_response_that_lambda_rejects_is_not_fatal(run: Any, capsys: Any, status: str) -> None:
    with scripted(NEXT, reply(status), NEXT, ACCEPTED) as api:
        run(api, hello)
    assert api.requests[3].endswith(b"0\r\n\r\n")
    line = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (line["level"], line["request_id"]) == ("WARN", "r-1")
    assert status[:3] in line["message"]


def test_a_response_that_is_rejected_while_it_is_sent_is_not_fatal_and_its_body_is_closed(
    run: Any, capsys: Any
) -> None:
    ended = []

    def endless() -> Iterator[bytes]:
        try:
            for _ in range(10000):
                yield b"x" * 65536
            ended.append("whole")
        finally:
            ended.append("closed")

    bodies = iter([endless(), [b"good"]])
    gone = reply("410 Gone", b"Connection: close\r\n")
    with scripted(NEXT, gone, NEXT, ACCEPTED, early=frozenset({1})) as api:
        run(api, lambda event, context: Response(200, {}, next(bodies)))
    assert ended == ["closed"]
    assert "refused a response with 410" in json.loads(capsys.readouterr().out.splitlines()[0])["message"]
    assert api.requests[3].endswith(b"good\r\n0\r\n\r\n")


@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden", "500 Internal Server Error"])
def test_any_other_rejection_ends_the_process(run: Any, capsys: Any, status: str) -> None:
    with scripted(NEXT, reply(status), NEXT, ACCEPTED) as api:
        run(api, hello)
    assert len(api.requests) == 2
    assert f"responded with {status[:3]}" in json.loads(capsys.readouterr().out.splitlines()[-1])["message"]


def test_a_connection_that_breaks_in_a_response_ends_the_process_and_closes_the_body(run: Any) -> None:
    closed = []

    def body() -> Iterator[bytes]:
        try:
            yield b"x"
            yield b"y"
        finally:
            closed.append(True)

    with scripted(NEXT, HANG_UP) as api:
        run(api, lambda event, context: Response(200, {}, body()))
    assert (len(api.requests), closed) == (2, [True])


def test_an_error_status_of_next_ends_the_process(run: Any, capsys: Any) -> None:
    with scripted(reply("500 Internal Server Error")) as api:
        run(api, hello)
    assert "/invocation/next responded with 500" in capsys.readouterr().out


@pytest.mark.parametrize("missing", ["Aws-Request-Id", "Deadline-Ms", "Invoked-Function-Arn"])
def test_a_next_without_its_headers_ends_the_process(run: Any, capsys: Any, missing: str) -> None:
    with scripted(NEXT.replace(b"Lambda-Runtime-" + missing.encode(), b"X-Other")) as api:
        run(api, hello)
    assert f"lambda-runtime-{missing.lower()}" in capsys.readouterr().out


def test_a_connection_that_lambda_closes_is_not_reused(run: Any) -> None:
    closing = NEXT.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    with scripted(closing, ACCEPTED, NEXT, ACCEPTED) as api:
        run(api, hello)
    assert len(set(api.connections[:4])) == 4


def test_a_connection_that_was_closed_while_idle_is_replaced(run: Any) -> None:
    with scripted(NEXT, ACCEPTED, NEXT, ACCEPTED, early=frozenset({0})) as api:
        run(api, hello)
    assert api.connections[:4] == [0, 1, 2, 3]
    assert api.requests[3].startswith(b"POST /2018-06-01/runtime/invocation/r-1/response")


def test_a_chunked_event_is_read(run: Any) -> None:
    """As Go's HTTP server sends it when it is over 2 KB."""
    text = json.dumps({"long": "ü" * 5000}).encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (text[:2048], text[2048:])) + b"0\r\n\r\n"
    events = []

    def handle(event: dict[str, Any], context: loop.Invocation) -> Response:
        events.append(event)
        return hello(event, context)

    with scripted(EVENT + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, ACCEPTED, NEXT, ACCEPTED) as api:
        run(api, handle)
    assert events == [{"long": "ü" * 5000}, {}]


def test_the_trace_id_is_cleared_if_the_next_invocation_has_none(run: Any) -> None:
    seen = []

    def handle(event: dict[str, Any], context: loop.Invocation) -> Response:
        seen.append((os.environ.get("_X_AMZN_TRACE_ID"), context.trace_id))
        return hello(event, context)

    with scripted(
        NEXT.replace(b"\r\n", b"\r\nLambda-Runtime-Trace-Id: Root=1\r\n", 1), ACCEPTED, NEXT, ACCEPTED
    ) as api:
        run(api, handle)
    assert seen == [("Root=1", "Root=1"), (None, None)]


def test_a_failure_to_start_is_reported_once_and_ends_the_process(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def load() -> Handle:
        raise ImportError("No module named 'botocore'")

    with scripted(ACCEPTED) as api:
        monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", api.address)
        with pytest.raises(SystemExit) as ended:
            loop.start(load)
    assert ended.value.code == 1
    (request,) = api.requests
    assert request.startswith(b"POST /2018-06-01/runtime/init/error HTTP/1.1\r\n")
    assert b"\r\nLambda-Runtime-Function-Error-Type: Function.ImportError\r\n" in request
    assert json.loads(request.partition(b"\r\n\r\n")[2])["errorMessage"] == "No module named 'botocore'"
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_no_runtime_api_at_all_ends_the_process_with_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with scripted() as api:
        address = api.address
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", address)
    with pytest.raises(SystemExit):
        loop.run(hello)
    (line,) = capsys.readouterr().out.splitlines()
    assert "no connection to the Runtime API" in json.loads(line)["message"]


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("ValueError", "Function.ValueError"),
        ("HTTP2Error", "Function.HTTPError"),
        ("_private_error", "Function.Privateerror"),
        ("E", "Function.Unknown"),
        ("É", "Function.Unknown"),
    ],
)
def test_error_types_are_named_after_the_exception(name: str, result: str) -> None:
    assert loop.error_type(type(name, (Exception,), {})) == result


@given(st.text(min_size=1).filter(lambda name: "\0" not in name and name.isprintable()))
def test_every_error_type_is_one_that_lambda_accepts(name: str) -> None:
    result = loop.error_type(type(name, (Exception,), {}))
    assert re.fullmatch(r"Function\.[A-Z][a-zA-Z]+", result)
