"""Faults at a byte and at a part of a response."""

import http.client
import json
import threading
import time
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from botocore.exceptions import ClientError, EventStreamError
from urllib3.exceptions import ProtocolError

from local.sagemaker_runtime import Endpoints, Faults, Listener, create_app
from tests.local.model_container.servers import call, client_of, signed

TEXT = "".join(f'data: {{"token":"🦙 {n}"}}\n\n' for n in range(12)).encode()
STREAM, BUFFERED = "/endpoints/talker/invocations-response-stream", "/endpoints/talker/invocations"


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
def url(servers, faults):
    """A service whose container sends one chunk, which becomes one part."""

    async def talk(request):
        return web.Response(body=TEXT, content_type="text/event-stream")

    app = web.Application()
    app.router.add_post("/invocations", talk)
    return servers.serve(create_app(Endpoints.of({"talker": servers.serve(app)}), faults, split_seed=None))


@pytest.fixture
def parts_url(servers, faults):
    async def talk(request):
        return web.Response(body=TEXT * 20, content_type="text/event-stream")

    app = web.Application()
    app.router.add_post("/invocations", talk)
    return servers.serve(create_app(Endpoints.of({"talker": servers.serve(app)}), faults, split_seed=7))


def raw(url, path=STREAM):
    """The raw response: status, body, and whether it is complete."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.request("POST", path, b"{}", signed(url + path))
    answer = connection.getresponse()
    try:
        return answer.status, answer.read(), True
    except http.client.IncompleteRead as broken:
        return answer.status, broken.partial, False
    finally:
        connection.close()


def frames(body):
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    return [(event.headers, event.payload) for event in buffer]


@pytest.mark.parametrize("path", [STREAM, BUFFERED])
def test_a_connection_is_aborted_at_the_requested_byte(url, faults, path):
    full = raw(url, path)[1]
    for at in [0, 1, 2, 11, 12, 13, 40, len(full) - 1, len(full), len(full) + 1000]:
        faults.inject("connection-lost", 1, at=at)
        status, body, complete = raw(url, path)
        assert (status, len(body)) == (200, min(at, len(full)))
        assert not complete or (path == BUFFERED and at >= len(full))
    assert raw(url, path)[1:] == (full, True)


@pytest.mark.parametrize("path", [STREAM, BUFFERED])
def test_a_response_ends_cleanly_at_the_requested_byte(url, faults, path):
    full = raw(url, path)[1]
    for at in [0, 1, 50, len(full), len(full) + 1]:
        faults.inject("end", 1, at=at)
        assert raw(url, path) == (200, full[:at], True)


def test_a_flipped_bit_is_noticed_by_a_client_at_any_position(url, faults):
    size = len(raw(url)[1])
    for at in range(0, size, 7):
        faults.inject("flip", 1, at=at)
        _, body, complete = raw(url)
        assert (len(body), complete) == (size, True)
        try:
            text = b"".join(payload for _, payload in frames(body))
        except ChecksumMismatch:
            continue
        assert text != TEXT, at
    faults.inject("flip", 1, at=size)
    _, body, complete = raw(url)
    assert (b"".join(payload for _, payload in frames(body)), complete) == (TEXT, True)


def test_a_response_stalls_at_the_requested_byte_and_then_continues(url, faults):
    faults.inject("stall", 1, at=60, seconds=0.7)
    started = time.monotonic()
    _, body, complete = raw(url)
    assert complete
    assert b"".join(payload for _, payload in frames(body)) == TEXT
    assert 0.6 < time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("fault", "code"),
    [("stream-broken", "ModelStream"), ("stream-timeout", "ModelStream"), ("stream-failure", "InternalStream")],
)
@pytest.mark.parametrize("frame", [0, 1, 2, 1000])
def test_an_exception_is_sent_after_the_requested_parts_or_at_the_end(parts_url, faults, fault, code, frame):
    faults.inject(fault, 1, frame=frame)
    *before, (headers, _) = frames(raw(parts_url)[1])
    text = b"".join(payload for _, payload in before)
    assert headers[":exception-type"].startswith(code)
    assert (TEXT * 20).startswith(text)
    assert len(before) == frame or (frame == 1000 and text == TEXT * 20)


def test_an_event_of_an_unknown_type_is_ignored_by_a_real_client(parts_url, faults):
    faults.inject("unknown-event", 1, frame=2)
    names = [headers[":event-type"] for headers, _ in frames(raw(parts_url)[1])]
    assert names[2] == "SomethingNew"
    assert set(names[:2] + names[3:]) == {"PayloadPart"}
    faults.inject("unknown-event", 1)
    answer = client_of(parts_url).invoke_endpoint_with_response_stream(EndpointName="talker", Body=b"{}")
    parts = [event["PayloadPart"]["Bytes"] for event in answer["Body"] if "PayloadPart" in event]
    assert b"".join(parts) == TEXT * 20


@pytest.mark.parametrize("path", [STREAM, BUFFERED])
def test_a_hang_up_and_a_bad_gateway_page(url, faults, path):
    faults.inject("hang-up", 1)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        raw(url, path)
    faults.inject("bad-gateway", 1)
    status, body, _ = raw(url, path)
    assert (status, body) == (502, b"<html><body><h1>502 Bad Gateway</h1></body></html>")
    assert raw(url, path)[0] == 200


def test_a_model_error_can_have_any_error_status(url, faults):
    for status in (400, 422, 429, 503):
        faults.inject("model-error", 1, status=status)
        with pytest.raises(ClientError) as caught:
            client_of(url).invoke_endpoint(EndpointName="talker", Body=b"{}")
        assert caught.value.response["OriginalStatusCode"] == status


def test_throttling_ends_after_count_calls(url, faults):
    faults.inject("throttle", 3)
    assert [raw(url)[0] for _ in range(4)] == [400, 400, 400, 200]


@pytest.mark.parametrize(("fault", "error"), [("connection-lost", ProtocolError), ("stream-failure", EventStreamError)])
def test_a_real_client_raises_for_each_kind_of_broken_stream(url, faults, fault, error):
    faults.inject(fault, 1)
    answer = client_of(url).invoke_endpoint_with_response_stream(EndpointName="talker", Body=b"{}")
    with pytest.raises(error):
        list(answer["Body"])


def test_faults_are_listed_with_their_options(url, faults):
    call("PUT", f"{url}/faults", {"fault": "stall", "at": 3, "seconds": 2, "count": 1})
    call("PUT", f"{url}/faults", {"fault": "stream-broken", "frame": 4})
    assert call("GET", f"{url}/faults").json["faults"] == [
        {"fault": "stall", "count": 1, "seconds": 2.0, "at": 3},
        {"fault": "stream-broken", "count": None, "seconds": 5.0, "frame": 4},
    ]


@pytest.fixture
def refusing(servers):
    async def start():
        async def refuse(seconds):
            await listener.refuse(seconds)

        listener = Listener(create_app(Endpoints(), Faults(), refuse=refuse), shutdown_timeout=0.1)
        await listener.start()
        return listener

    listener = servers.run(start())
    yield listener.url
    servers.run(listener.close())


def list_faults(connection):
    connection.request("GET", "/faults")
    return json.loads(connection.getresponse().read())


def test_connections_are_refused_for_a_while_and_idle_ones_are_closed(refusing):
    parts = urlsplit(refusing)
    idle = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    assert list_faults(idle) == {"faults": []}
    assert call("PUT", f"{refusing}/faults", {"fault": "refused", "seconds": 0.5}).status == 200
    with pytest.raises(ConnectionRefusedError):
        call("GET", f"{refusing}/faults")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        list_faults(idle)
    threading.Event().wait(0.7)
    assert call("GET", f"{refusing}/faults").status == 200


def test_an_option_that_refused_does_not_have_is_rejected(refusing):
    answer = call("PUT", f"{refusing}/faults", {"fault": "refused", "count": 2})
    assert (answer.status, answer.json["error"]) == (400, "count: not an option of refused, only seconds is.")
