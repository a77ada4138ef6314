"""InvokeEndpointWithResponseStream: frames, borders, failures inside of a stream, and slow or vanished clients."""

import asyncio
import http.client
import threading
import time
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import EventStreamError
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import ProtocolError

from local.sagemaker_runtime import Faults, create_app, event_stream
from tests.local.model_container.servers import Servers, client_of, signed

TEXT = "".join(f'data: {{"index":{n},"token":"🦙 naïve {n}"}}\n\n' for n in range(40)).encode()


class Talker:
    """A container that streams what it is told to."""

    def __init__(self, pieces, pause=0.0, *, broken=False):
        self.pieces = pieces
        self.pause = pause
        self.broken = broken
        self.sent = 0
        self.gone = threading.Event()

    def app(self):
        app = web.Application()
        app.router.add_post("/invocations", self.answer)
        return app

    async def answer(self, request):
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        try:
            for piece in self.pieces:
                await response.write(piece)
                self.sent += len(piece)
                await asyncio.sleep(self.pause)
        except (ConnectionError, asyncio.CancelledError):
            self.gone.set()
            raise
        if self.broken:
            request.transport.abort()
        return response


@pytest.fixture(scope="module")
def servers():
    with Servers() as running:
        yield running


@pytest.fixture
def faults():
    return Faults()


def runtime(servers, talker, faults, **settings):
    return servers.serve(create_app({"talker": servers.serve(talker.app())}.get, faults, **settings))


def stream(url, **arguments):
    answer = client_of(url).invoke_endpoint_with_response_stream(EndpointName="talker", Body=b"{}", **arguments)
    return answer, (event["PayloadPart"]["Bytes"] for event in answer["Body"])


def received(parts):
    """What came before the failure, and the failure."""
    got = bytearray()
    try:
        for part in parts:
            got += part
    except (EventStreamError, ProtocolError) as error:
        return bytes(got), error
    return bytes(got), None


def test_a_stream_comes_whole_with_its_content_type(servers, faults):
    url = runtime(servers, Talker([TEXT[:100], TEXT[100:]]), faults)
    answer, parts = stream(url)
    assert b"".join(parts) == TEXT
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/event-stream", "AllTraffic")
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["content-type"] == "application/vnd.amazon.eventstream"
    assert headers["x-amzn-sagemaker-content-type"] == "text/event-stream"


def test_parts_are_cut_inside_of_characters_and_between_newlines(servers, faults):
    talker = Talker([frame + b"\n\n" for frame in TEXT.split(b"\n\n")[:-1]], pause=0.002)
    parts = list(stream(runtime(servers, talker, faults))[1])
    assert b"".join(parts) == TEXT
    assert any(not is_text(part) for part in parts)
    assert any(part.endswith(b"\n") and not part.endswith(b"\n\n") for part in parts)
    assert any(not part.startswith(b"data: ") for part in parts)


@pytest.mark.parametrize("seed", range(5))
def test_every_piece_with_a_character_of_several_bytes_is_cut_inside_of_one(seed):
    cutter = event_stream.Cutter(seed)
    for piece in ("é", "data: 🦙\n\n", f"{'x' * 2000}ï"):
        assert any(not is_text(payload) for payload in cutter.cut(piece.encode()))


def is_text(part):
    try:
        part.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_cutting_can_be_switched_off(servers, faults):
    talker = Talker([frame + b"\n\n" for frame in TEXT.split(b"\n\n")[:-1]], pause=0.002)
    parts = list(stream(runtime(servers, talker, faults, cut_seed=None))[1])
    assert all(part.startswith(b"data: ") and part.endswith(b"\n\n") for part in parts)


@given(st.lists(st.binary(min_size=1, max_size=3000), max_size=8), st.integers(0, 5))
def test_what_is_cut_is_whole_when_put_together_and_has_no_empty_part(pieces, seed):
    cutter = event_stream.Cutter(seed)
    cut = [payload for piece in pieces for payload in cutter.cut(piece)]
    assert b"".join(cut) == b"".join(pieces)
    assert all(cut)


def test_the_same_seed_cuts_in_the_same_way():
    first, again, other = (event_stream.Cutter(seed) for seed in (1, 1, 2))
    pieces = [TEXT[at : at + 300] for at in range(0, len(TEXT), 300)]
    assert [first.cut(piece) for piece in pieces] == [again.cut(piece) for piece in pieces]
    assert [first.cut(piece) for piece in pieces] != [other.cut(piece) for piece in pieces]


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=5))
def test_botocore_reads_every_frame_and_accepts_its_checksums(payloads):
    buffer = EventStreamBuffer()
    buffer.add_data(b"".join(map(event_stream.part, payloads)) + event_stream.exception("Oops", Message="naïve"))
    *parts, last = [event.to_response_dict() for event in buffer]
    assert [part["body"] for part in parts] == payloads
    assert {tuple(part["headers"].items()) for part in parts} == {
        (
            (":event-type", "PayloadPart"),
            (":content-type", "application/octet-stream"),
            (":message-type", "event"),
        )
    }
    assert last["headers"][":exception-type"] == "Oops"
    assert last["headers"][":message-type"] == "exception"


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("stream-broken", "ModelStreamError", "The model's stream broke before its end."),
        ("stream-timeout", "ModelStreamError", "The model did not finish its stream in time."),
        ("stream-failure", "InternalStreamFailure", "An internal failure occurred."),
    ],
)
def test_a_stream_that_fails_ends_with_an_exception_behind_its_first_parts(servers, faults, fault, code, words):
    faults.inject(fault, 1)
    url = runtime(servers, Talker([TEXT]), faults)
    got, error = received(stream(url)[1])
    assert TEXT.startswith(got)
    assert 0 < len(got) < len(TEXT)
    assert error.response["Error"] == {"Code": code, "Message": words}
    assert received(stream(url)[1]) == (TEXT, None)


def raw(url):
    """The connection of a streamed call, and its answer as it is on the wire."""
    parts = urlsplit(url)
    path = "/endpoints/talker/invocations-response-stream"
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.request("POST", path, b"{}", signed(url + path))
    return connection, connection.getresponse()


@pytest.mark.parametrize(
    ("fault", "error_code"), [("stream-broken", b"StreamBroken"), ("stream-timeout", b"ModelInvocationTimeExceeded")]
)
def test_a_model_stream_error_has_its_error_code(servers, faults, fault, error_code):
    faults.inject(fault, 1)
    connection, response = raw(runtime(servers, Talker([TEXT]), faults))
    assert b'"ErrorCode": "' + error_code + b'"' in response.read()
    connection.close()


def test_a_connection_that_is_lost_ends_without_an_exception(servers, faults):
    faults.inject("connection-lost", 1)
    got, error = received(stream(runtime(servers, Talker([TEXT]), faults))[1])
    assert isinstance(error, ProtocolError)
    assert TEXT.startswith(got)


def test_a_container_that_breaks_off_breaks_the_stream(servers, faults):
    got, error = received(stream(runtime(servers, Talker([TEXT], pause=0.05, broken=True), faults))[1])
    assert got == TEXT
    assert error.response["Error"]["Code"] == "ModelStreamError"


def test_a_stream_that_takes_too_long_ends_with_the_time_exceeded(servers, faults):
    talker = Talker([TEXT[:50]] * 100, pause=0.05)
    connection, response = raw(runtime(servers, talker, faults, stream_seconds=0.3))
    assert b"ModelInvocationTimeExceeded" in response.read()
    connection.close()
    assert talker.gone.wait(5)


def test_a_slow_first_token_comes_after_its_seconds_and_then_the_answer(servers, faults):
    url = runtime(servers, Talker([TEXT]), faults)
    faults.inject("slow-first-token", 1, seconds=1.5)
    started = time.monotonic()
    _, parts = stream(url)
    assert time.monotonic() - started < 1.5, "the headers came late, too"
    assert b"".join(parts) == TEXT
    assert time.monotonic() - started > 1.4


def test_a_client_that_has_gone_ends_the_containers_work(servers, faults):
    talker = Talker([TEXT[:50]] * 1000, pause=0.01)
    connection, response = raw(runtime(servers, talker, faults))
    assert response.read(10)
    response.close()
    connection.close()
    assert talker.gone.wait(5)


def test_a_client_that_does_not_read_holds_the_container_up(servers, faults):
    talker = Talker([b"x" * 65536] * 1000)
    connection, response = raw(runtime(servers, talker, faults))
    before = -1
    deadline = time.monotonic() + 20
    while talker.sent != before and time.monotonic() < deadline:
        before = talker.sent
        time.sleep(0.3)
    assert talker.sent == before < 1000 * 65536
    response.close()
    connection.close()
    assert talker.gone.wait(5)


def test_the_toy_container_answers_through_the_service(servers, faults):
    url = servers.serve(create_app({"toy": servers.container()}.get, faults))
    client = client_of(url)
    body = b'{"inputs":"Zebras","parameters":{"return_full_text":false}%b}'
    whole = client.invoke_endpoint(EndpointName="toy", ContentType="application/json", Body=body % b"")["Body"].read()
    answer = client.invoke_endpoint_with_response_stream(
        EndpointName="toy", ContentType="application/json", Body=body % b',"stream":true'
    )
    streamed = b"".join(event["PayloadPart"]["Bytes"] for event in answer["Body"]).decode()
    text = whole.decode().removeprefix('[{"generated_text":').removesuffix("}]")
    assert f'"generated_text":{text}' in streamed
