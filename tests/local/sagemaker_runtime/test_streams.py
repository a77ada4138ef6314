"""InvokeEndpointWithResponseStream: frames, part boundaries, failures in streams, and slow or disconnected clients."""

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

from local.sagemaker_runtime import Endpoints, Faults, create_app, event_stream
from local.sagemaker_runtime.listener import Listener
from tests.local.model_container.servers import client_of, signed

TEXT = "".join(f'data: {{"index":{n},"token":"🦙 naïve {n}"}}\n\n' for n in range(40)).encode()


class Talker:
    """A container that streams given chunks."""

    def __init__(self, chunks, pause=0.0, *, broken=False):
        self.chunks = chunks
        self.pause = pause
        self.broken = broken
        self.sent = 0
        self.gone = threading.Event()

    def app(self):
        app = web.Application()
        app.router.add_post("/invocations", self.respond)
        return app

    async def respond(self, request):
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        try:
            for chunk in self.chunks:
                await response.write(chunk)
                self.sent += len(chunk)
                await asyncio.sleep(self.pause)
        except (ConnectionError, asyncio.CancelledError):
            self.gone.set()
            raise
        if self.broken:
            request.transport.abort()
        return response


@pytest.fixture
def faults():
    return Faults()


def runtime(servers, talker, faults, **settings):
    return servers.serve(create_app(Endpoints.of({"talker": servers.serve(talker.app())}), faults, **settings))


def stream(url, **arguments):
    answer = client_of(url).invoke_endpoint_with_response_stream(EndpointName="talker", Body=b"{}", **arguments)
    return answer, (event["PayloadPart"]["Bytes"] for event in answer["Body"])


def received(parts):
    """The bytes before the failure, and the failure or None."""
    got = bytearray()
    try:
        for part in parts:
            got += part
    except (EventStreamError, ProtocolError) as error:
        return bytes(got), error
    return bytes(got), None


def test_a_stream_arrives_completely_with_its_content_type(servers, faults):
    url = runtime(servers, Talker([TEXT[:100], TEXT[100:]]), faults)
    answer, parts = stream(url)
    assert b"".join(parts) == TEXT
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/event-stream", "AllTraffic")
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["content-type"] == "application/vnd.amazon.eventstream"
    assert headers["x-amzn-sagemaker-content-type"] == "text/event-stream"


def test_parts_are_split_inside_characters_and_between_newlines(servers, faults):
    talker = Talker([frame + b"\n\n" for frame in TEXT.split(b"\n\n")[:-1]], pause=0.002)
    parts = list(stream(runtime(servers, talker, faults))[1])
    assert b"".join(parts) == TEXT
    assert any(not is_text(part) for part in parts)
    assert any(part.endswith(b"\n") and not part.endswith(b"\n\n") for part in parts)
    assert any(not part.startswith(b"data: ") for part in parts)


@pytest.mark.parametrize("seed", range(5))
def test_a_chunk_with_multibyte_characters_is_split_inside_one(seed):
    splitter = event_stream.PayloadSplitter(seed)
    for chunk in ("é", "data: 🦙\n\n", f"{'x' * 2000}ï"):
        assert any(not is_text(payload) for payload in splitter.split(chunk.encode()))


def is_text(part):
    try:
        part.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_splitting_can_be_disabled(servers, faults):
    talker = Talker([frame + b"\n\n" for frame in TEXT.split(b"\n\n")[:-1]], pause=0.002)
    parts = list(stream(runtime(servers, talker, faults, split_seed=None))[1])
    assert all(part.startswith(b"data: ") and part.endswith(b"\n\n") for part in parts)


@given(st.lists(st.binary(min_size=1, max_size=3000), max_size=8), st.integers(0, 5))
def test_the_concatenated_parts_are_the_data_and_no_part_is_empty(chunks, seed):
    splitter = event_stream.PayloadSplitter(seed)
    parts = [payload for chunk in chunks for payload in splitter.split(chunk)]
    assert b"".join(parts) == b"".join(chunks)
    assert all(parts)


def test_the_same_seed_splits_in_the_same_way():
    first, again, other = (event_stream.PayloadSplitter(seed) for seed in (1, 1, 2))
    chunks = [TEXT[at : at + 300] for at in range(0, len(TEXT), 300)]
    assert [first.split(chunk) for chunk in chunks] == [again.split(chunk) for chunk in chunks]
    assert [first.split(chunk) for chunk in chunks] != [other.split(chunk) for chunk in chunks]


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=5))
def test_botocore_decodes_every_frame(payloads):
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
    ("fault", "code", "message"),
    [
        ("stream-broken", "ModelStreamError", "The model's stream broke before its end."),
        ("stream-timeout", "ModelStreamError", "The model did not finish its stream in time."),
        ("stream-failure", "InternalStreamFailure", "An internal failure occurred."),
    ],
)
def test_a_failing_stream_ends_with_an_exception_after_its_first_parts(servers, faults, fault, code, message):
    faults.inject(fault, 1)
    url = runtime(servers, Talker([TEXT]), faults)
    got, error = received(stream(url)[1])
    assert TEXT.startswith(got)
    assert 0 < len(got) < len(TEXT)
    assert error.response["Error"] == {"Code": code, "Message": message}
    assert received(stream(url)[1]) == (TEXT, None)


def raw(url):
    """The connection and the raw response of a streaming call."""
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


def test_an_aborted_connection_ends_without_an_exception(servers, faults):
    faults.inject("connection-lost", 1)
    got, error = received(stream(runtime(servers, Talker([TEXT]), faults))[1])
    assert isinstance(error, ProtocolError)
    assert TEXT.startswith(got)


def test_a_container_that_aborts_its_response_fails_the_stream(servers, faults):
    got, error = received(stream(runtime(servers, Talker([TEXT], pause=0.05, broken=True), faults))[1])
    assert got == TEXT
    assert error.response["Error"]["Code"] == "ModelStreamError"


def test_a_stream_that_takes_too_long_ends_with_time_exceeded(servers, faults):
    talker = Talker([TEXT[:50]] * 100, pause=0.05)
    connection, response = raw(runtime(servers, talker, faults, stream_seconds=0.3))
    assert b"ModelInvocationTimeExceeded" in response.read()
    connection.close()
    assert talker.gone.wait(5)


def test_a_slow_first_token_delays_the_body_but_not_the_headers(servers, faults):
    url = runtime(servers, Talker([TEXT]), faults)
    faults.inject("slow-first-token", 1, seconds=1.5)
    started = time.monotonic()
    _, parts = stream(url)
    assert time.monotonic() - started < 1.5, "the headers were delayed too"
    assert b"".join(parts) == TEXT
    assert time.monotonic() - started > 1.4


def test_a_disconnected_client_cancels_the_container(servers, faults):
    talker = Talker([TEXT[:50]] * 1000, pause=0.01)
    connection, response = raw(runtime(servers, talker, faults))
    assert response.read(10)
    response.close()
    connection.close()
    assert talker.gone.wait(5)


def test_a_client_that_leaves_is_no_error_of_the_service(servers, faults, caplog):
    talker = Talker([TEXT[:50]] * 1000, pause=0.01)
    app = create_app(Endpoints.of({"talker": servers.serve(talker.app())}), faults)
    listener = Listener(app, shutdown_timeout=1)
    servers.run(listener.start())
    connection, response = raw(listener.url)
    assert response.read(10)
    response.close()
    connection.close()
    assert talker.gone.wait(5)
    servers.run(listener.close())
    assert caplog.messages == []


def test_a_client_that_does_not_read_blocks_the_container(servers, faults):
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
    url = servers.serve(create_app(Endpoints.of({"toy": servers.container()}), faults))
    client = client_of(url)
    body = b'{"inputs":"Zebras","parameters":{"return_full_text":false}%b}'
    buffered = client.invoke_endpoint(EndpointName="toy", ContentType="application/json", Body=body % b"")[
        "Body"
    ].read()
    answer = client.invoke_endpoint_with_response_stream(
        EndpointName="toy", ContentType="application/json", Body=body % b',"stream":true'
    )
    streamed = b"".join(event["PayloadPart"]["Bytes"] for event in answer["Body"]).decode()
    text = buffered.decode().removeprefix('[{"generated_text":').removesuffix("}]")
    assert f'"generated_text":{text}' in streamed
