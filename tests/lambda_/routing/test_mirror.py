"""Copies of requests: what is handed over, when, and that no client notices."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from front_door.routing import copies

from tests.lambda_.protocols.openai.events import sse
from tests.lambda_.protocols.openai.natives import ANSWER
from tests.lambda_.routing.answers import CHAT, COMPLETION, THROTTLED, chat, completion
from tests.lambda_.routing.conftest import Door, Targets
from tests.lambda_.routing.entries import mirror
from tests.lambda_.sagemaker_double import HEAD, Reply, SageMakerDouble, chunk, error, part, plain_response, stream

Doors = Callable[..., Door]
ACCEPTED = plain_response(b"", 202)


@pytest.fixture(autouse=True)
def _no_hand_over_goes_on() -> Iterator[None]:
    """One that outlives its test would write into the log of the next."""
    yield
    for thread in threading.enumerate():
        if "_hand_over" in thread.name:
            thread.join(10)


@pytest.fixture(name="aws_lambda")
def _aws_lambda() -> Iterator[SageMakerDouble]:
    double = SageMakerDouble(replies=[ACCEPTED], repeats=True)
    yield double
    double.close()


@pytest.fixture(name="door")
def _door(targets: Targets, door_for: Doors, aws_lambda: SageMakerDouble, monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.setenv("FRONT_DOOR", "a-door")
    return mirrored(targets, door_for, aws_lambda.url)


def mirrored(targets: Targets, door_for: Doors, lambda_url: str, percent: float = 100) -> Door:
    entry = mirror(targets.entry("tgi"), targets.entry("copy"), percent)
    return door_for(entry, {"AWS_ENDPOINT_URL_LAMBDA": lambda_url})


def send(door: Door, path: str, content: object, *, is_buffered: bool = False, **event: Any) -> tuple[Any, float]:
    """The response as the runtime of a function sends it, and the seconds until its last part."""
    proxy_event = {
        "httpMethod": "POST",
        "resource": path,
        "path": path,
        "headers": {"Content-Type": "application/json", "x-api-key": "secret", "Authorization": "Bearer secret"},
        "body": json.dumps(content),
        "requestContext": {"requestId": "gateway-id", "identity": {"apiKey": "secret", "apiKeyId": "key-id"}},
        **event,
    }
    invocation = SimpleNamespace(request_id="lambda-id", deadline=time.time() + 30, is_buffered=is_buffered)
    began = time.monotonic()
    response = door.app.handle(proxy_event, invocation)  # type: ignore[arg-type]
    received = b"".join(response.body)
    seconds = time.monotonic() - began
    close = getattr(response.body, "close", None)
    if close is not None:
        close()
    return SimpleNamespace(status=response.status, body=received, closed=time.monotonic() - began), seconds


@pytest.mark.parametrize("is_buffered", [False, True], ids=["streaming function", "buffered function"])
@pytest.mark.parametrize("is_streamed", [False, True], ids=["JSON", "events"])
def test_a_copy_is_handed_to_the_other_function_without_keys(
    door: Door, targets: Targets, aws_lambda: SageMakerDouble, is_buffered: bool, is_streamed: bool
) -> None:
    targets.reply("tgi", chat())
    body = {**CHAT, "stream": is_streamed}
    response, _ = send(door, "/v1/chat/completions", body, is_buffered=is_buffered)
    assert response.status == 200
    (invoked,) = aws_lambda.received
    assert (invoked.method, invoked.path) == ("POST", "/2015-03-31/functions/door-mirror/invocations")
    assert invoked.headers["x-amz-invocation-type"] == "Event"
    assert "/eu-west-1/lambda/aws4_request" in invoked.headers["authorization"]
    assert invoked.json() == {
        "httpMethod": "POST",
        "path": "/v1/chat/completions",
        "resource": "/v1/chat/completions",
        "body": json.dumps(body),
        "multiValueHeaders": {"content-type": ["application/json"]},
        "requestContext": {"requestId": "gateway-id"},
        "mirror": {"model": "llama"},
    }
    assert targets.counts() == {"tgi": 1, "copy": 0}
    line = door.generated()
    assert (line["mirrored"], line["target"], line["Requests"]) == (True, "tgi", 1)


def test_a_request_that_the_container_fails_at_is_not_said_to_be_copied(
    door: Door, targets: Targets, aws_lambda: SageMakerDouble
) -> None:
    failed = sse({"error": {"message": "no", "type": "BadRequestError", "code": 400}})
    targets.reply("tgi", stream([part(failed)]))
    assert send(door, "/v1/completions", COMPLETION)[0].status == 400
    assert aws_lambda.received == []
    assert "mirrored" not in door.generated()


def test_lambda_is_invoked_as_botocore_would(door: Door, targets: Targets, aws_lambda: SageMakerDouble) -> None:
    import botocore.session

    targets.reply("tgi", completion())
    send(door, "/v1/completions", COMPLETION)
    client = botocore.session.get_session().create_client(
        "lambda", "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b", endpoint_url=aws_lambda.url
    )
    client.invoke(FunctionName="door-mirror", InvocationType="Event", Payload=aws_lambda.received[0].body)
    ours, theirs = aws_lambda.received
    assert (ours.method, ours.path, ours.body) == (theirs.method, theirs.path, theirs.body)
    name = "x-amz-invocation-type"
    assert ours.headers[name] == theirs.headers[name] == "Event"


def test_a_body_in_base64_and_the_clients_own_id_reach_the_copy(
    door: Door, targets: Targets, aws_lambda: SageMakerDouble
) -> None:
    import base64

    targets.reply("tgi", completion())
    body = base64.b64encode(json.dumps({**COMPLETION, "prompt": "日本語"}).encode()).decode()
    event: dict[str, Any] = {
        "multiValueHeaders": {"Content-Type": ["application/json"], "Idempotency-Key": ["7"], "Cookie": ["secret"]},
        "isBase64Encoded": True,
        "pathParameters": {"model": "llama"},
    }
    event |= {"body": body, "resource": "/models/{model}/v1/completions"}
    send(door, "/models/llama/v1/completions", None, **event)
    sent = aws_lambda.received[0].json()
    assert (sent["body"], sent["isBase64Encoded"]) == (body, True)
    assert sent["multiValueHeaders"] == {"content-type": ["application/json"], "idempotency-key": ["7"]}
    assert sent["pathParameters"] == {"model": "llama"}
    assert b"secret" not in aws_lambda.received[0].body


def test_it_is_handed_over_after_the_first_part_and_before_the_end(
    door: Door, targets: Targets, aws_lambda: SageMakerDouble
) -> None:
    """The rest of the answer comes only once Lambda has been invoked, so that the test hangs if it is not."""
    invoked = threading.Event()
    aws_lambda.replies[:] = [Reply([invoked.set, *ACCEPTED.pieces])]
    rest: list[Any] = [chunk(part(b"".join(ANSWER[1:]))), b"0\r\n\r\n"]
    targets.reply("tgi", Reply([HEAD, chunk(part(ANSWER[0])), lambda: invoked.wait(10), *rest]))
    body = {**CHAT, "stream": True}
    response = door.begin("/v1/chat/completions", body)
    parts = iter(response.body)
    first = next(parts)
    assert not invoked.is_set()
    assert first.startswith(b"data: ")
    began = time.monotonic()
    assert b"[DONE]" in b"".join(parts)
    assert invoked.is_set()
    assert time.monotonic() - began < 9


@pytest.mark.parametrize(
    ("path", "body", "reply", "status"),
    [
        ("/v1/chat/completions", {**CHAT, "temperature": "hot"}, None, 400),
        ("/v1/chat/completions", CHAT, error(500, "InternalFailure"), 502),
        ("/v1/nothing", CHAT, None, 404),
    ],
)
def test_what_no_endpoint_has_begun_to_answer_is_not_copied(
    door: Door,
    targets: Targets,
    aws_lambda: SageMakerDouble,
    path: str,
    body: dict[str, Any],
    reply: Reply | None,
    status: int,
) -> None:
    targets.reply("tgi", *([] if reply is None else [reply]))
    response, _ = send(door, path, body)
    assert response.status == status
    assert aws_lambda.received == []
    assert "mirrored" not in door.generated()


def test_the_other_requests_are_left_alone(targets: Targets, door_for: Doors, aws_lambda: SageMakerDouble) -> None:
    door = mirrored(targets, door_for, aws_lambda.url, percent=50)
    targets.reply("tgi", *[completion() for _ in range(40)])
    for number in range(40):
        send(door, "/v1/completions", COMPLETION, requestContext={"requestId": f"request-{number}"})
    lines = door.log()
    copied = {line["request_id"] for line in lines if line.get("mirrored")}
    assert copied == {invoked.json()["requestContext"]["requestId"] for invoked in aws_lambda.received}
    assert 8 < len(copied) < 32


class TestWithoutALambdaThatAnswers:
    """Clients get the same, as soon."""

    @pytest.fixture(params=["nothing listens", "never answers", "takes no connection"])
    def url(self, request: pytest.FixtureRequest) -> Iterator[str]:
        server = socket.create_server(("127.0.0.1", 0), backlog=0)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        waiting = []
        if request.param == "nothing listens":
            server.close()
        elif request.param == "takes no connection":
            # A full backlog: a connection is not even made.
            for _ in range(4):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(server.getsockname())
                waiting.append(client)
        yield url
        for each in [server, *waiting]:
            each.close()

    @pytest.mark.parametrize("body", [{**CHAT, "stream": True}, CHAT], ids=["events", "JSON"])
    def test_a_streamed_response_ends_before_the_hand_over_does(
        self, targets: Targets, door_for: Doors, url: str, body: dict[str, Any]
    ) -> None:
        door = mirrored(targets, door_for, url)
        targets.reply("tgi", chat())
        response, seconds = send(door, "/v1/chat/completions", body)
        assert response.status == 200
        assert "Un été" in response.body.decode()
        assert seconds < copies.HANDOVER_SECONDS / 2
        # What waits for it is the sandbox, with no client any more.
        assert response.closed < copies.HANDOVER_SECONDS + 1

    def test_a_buffered_response_waits_a_moment_at_most(self, targets: Targets, door_for: Doors, url: str) -> None:
        door = mirrored(targets, door_for, url)
        targets.reply("tgi", chat())
        response, _ = send(door, "/v1/chat/completions", CHAT, is_buffered=True)
        assert response.status == 200
        assert response.closed < copies.BUFFERED_SECONDS + 0.5

    def test_it_is_one_line_in_the_log(
        self, targets: Targets, door_for: Doors, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FRONT_DOOR", "a-door")
        door = mirrored(targets, door_for, url)
        targets.reply("tgi", chat())
        send(door, "/v1/chat/completions", CHAT)
        until = time.monotonic() + 5
        lines = door.log()
        while len(lines) < 2 and time.monotonic() < until:
            time.sleep(0.05)
            lines += door.log()
        request, failed = lines
        assert (request["status"], request["ServerErrors"]) == (200, 0)
        cause = failed.pop("cause")
        assert cause in ("no connection: ConnectionRefusedError", "no connection: TimeoutError", "deadline")
        assert failed == {
            "level": "WARN",
            "message": "The request was not mirrored.",
            "request_id": "gateway-id",
            "FrontDoor": "a-door",
            "Mirror": "llama",
        }


def test_the_handler_of_a_buffered_function_waits_a_moment_before_it_is_frozen(
    door: Door, targets: Targets, aws_lambda: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    from front_door.lambda_runtime import managed

    handed_over = threading.Event()
    aws_lambda.replies[:] = [Reply([lambda: time.sleep(0.1), handed_over.set, *ACCEPTED.pieces])]
    targets.reply("tgi", completion())
    monkeypatch.setattr(managed, "handle", door.app.handle)
    context = SimpleNamespace(
        aws_request_id="lambda-id", invoked_function_arn="arn", get_remaining_time_in_millis=lambda: 30_000
    )
    event = {
        "httpMethod": "POST",
        "path": "/v1/completions",
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(COMPLETION),
    }
    assert managed.handler(event, context)["statusCode"] == 200
    assert handed_over.is_set()


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (error(403, "AccessDeniedException"), "Invoke: AccessDeniedException"),
        (error(429, "TooManyRequestsException"), "Invoke: TooManyRequestsException"),
        (plain_response(b"{}", 500), "Invoke: 500"),
        (plain_response(b"{}", 200), "Invoke: 200"),
    ],
)
def test_what_lambda_refuses_is_a_line_and_is_not_tried_again(
    door: Door, targets: Targets, aws_lambda: SageMakerDouble, reply: Reply, cause: str
) -> None:
    aws_lambda.replies[:] = [reply]
    targets.reply("tgi", completion())
    response, _ = send(door, "/v1/completions", COMPLETION)
    assert response.status == 200
    assert len(aws_lambda.received) == 1
    _, failed = door.log()
    assert (failed["message"], failed["cause"]) == ("The request was not mirrored.", cause)


@pytest.mark.parametrize("length", [copies.MAX_PAYLOAD_BYTES - 100, copies.MAX_PAYLOAD_BYTES, 5_000_000])
def test_a_body_above_the_limit_is_counted_and_not_sent(
    door: Door, targets: Targets, aws_lambda: SageMakerDouble, length: int
) -> None:
    targets.reply("tgi", completion())
    response, _ = send(door, "/v1/completions", {**COMPLETION, "prompt": "x" * length})
    assert response.status == 200
    assert aws_lambda.received == []
    request, counted = door.log()
    assert request["Requests"] == 1
    metrics = counted.pop("_aws")["CloudWatchMetrics"]
    assert metrics == [
        {
            "Namespace": "TgiEndpoint/FrontDoor",
            "Dimensions": [["FrontDoor", "Mirror"]],
            "Metrics": [{"Name": "MirrorsTooLarge", "Unit": "Count"}],
        }
    ]
    assert counted == {
        "level": "INFO",
        "message": "The request is too large to be mirrored.",
        "request_id": "gateway-id",
        "FrontDoor": "a-door",
        "Mirror": "llama",
        "MirrorsTooLarge": 1,
    }


def test_a_payload_that_lambda_finds_too_large_is_counted_as_well(
    door: Door, targets: Targets, aws_lambda: SageMakerDouble
) -> None:
    aws_lambda.replies[:] = [error(413, "RequestTooLargeException")]
    targets.reply("tgi", completion())
    send(door, "/v1/completions", COMPLETION)
    _, counted = door.log()
    assert counted["MirrorsTooLarge"] == 1


def test_a_payload_just_below_the_limit_is_sent(door: Door, targets: Targets, aws_lambda: SageMakerDouble) -> None:
    targets.reply("tgi", completion())
    send(door, "/v1/completions", {**COMPLETION, "prompt": "x" * (copies.MAX_PAYLOAD_BYTES - 1000)})
    assert len(aws_lambda.received[0].body) <= copies.MAX_PAYLOAD_BYTES


class TestTheFunctionThatGetsTheCopies:
    @pytest.fixture
    def door(self, targets: Targets, door_for: Doors, monkeypatch: pytest.MonkeyPatch) -> Door:
        monkeypatch.setenv("FRONT_DOOR", "a-door")
        entry = mirror(targets.entry("tgi"), targets.entry("copy"))
        return door_for(entry, {"MIRROR": "on"}, requires_api_key=True, holds_clients=True)

    def copy(self, door: Door, body: object, **members: Any) -> tuple[Any, float]:
        event = {"requestContext": {"requestId": "gateway-id"}, "mirror": {"model": "llama"}}
        return send(door, "/v1/chat/completions", body, is_buffered=True, **event | members)

    @pytest.mark.parametrize("is_streamed", [False, True], ids=["JSON", "events"])
    def test_it_asks_the_other_endpoint_and_drops_the_answer(
        self, door: Door, targets: Targets, is_streamed: bool
    ) -> None:
        targets.reply("copy", chat())
        response, _ = self.copy(door, {**CHAT, "stream": is_streamed})
        assert (response.status, response.body) == (200, b"{}")
        assert targets.counts() == {"tgi": 0, "copy": 1}
        line = door.generated()
        assert (line["request_id"], line["target"], line["engine"]) == ("gateway-id", "copy", "vllm")
        assert (line["status"], line["PromptTokens"], line["GeneratedTokens"]) == (200, 9, 2)

    def test_it_is_metered_apart_from_clients(self, door: Door, targets: Targets) -> None:
        targets.reply("copy", chat())
        self.copy(door, CHAT)
        line = door.generated()
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Dimensions"] == [["FrontDoor", "Mirror"]]
        assert {"Requests", "ServerErrors", "TimeToFirstToken", "GeneratedTokens", "Duration"} <= {
            metric["Name"] for metric in directive["Metrics"]
        }
        assert (line["FrontDoor"], line["Mirror"]) == ("a-door", "llama")
        assert "Model" not in line

    @pytest.mark.parametrize("kind", ["no copy", "throttled"])
    def test_what_the_endpoint_refuses_is_counted_and_neither_repeated_nor_held(
        self, door: Door, targets: Targets, kind: str
    ) -> None:
        from tests.lambda_.routing.answers import REFUSALS

        targets.reply("copy", REFUSALS[kind])
        response, seconds = self.copy(door, CHAT)
        assert (response.status, response.body) == (200, b"{}")
        assert seconds < 2
        assert targets.counts() == {"tgi": 0, "copy": 1}
        line = door.generated()
        assert (line["ClientErrors"] + line["ServerErrors"], line["Requests"]) == (1, 1)

    @pytest.mark.parametrize("event", [{"mirror": {"model": "falcon"}}, {"mirror": None}, {"mirror": {}}])
    def test_an_event_that_is_no_copy_reaches_no_endpoint(
        self, door: Door, targets: Targets, event: dict[str, Any]
    ) -> None:
        response, _ = self.copy(door, CHAT, **event)
        assert response.body == b"{}"
        assert targets.counts() == {"tgi": 0, "copy": 0}
        assert door.generated() == {
            "level": "WARN",
            "message": "The event is no copy for a mirror.",
            "request_id": "gateway-id",
        }

    def test_it_makes_no_copies_itself(self, door: Door, targets: Targets) -> None:
        targets.reply("copy", chat())
        self.copy(door, CHAT)
        assert "mirrored" not in door.generated()


def test_a_refusal_of_the_primary_is_no_reason_for_a_copy(
    door: Door, targets: Targets, aws_lambda: SageMakerDouble
) -> None:
    targets.reply("tgi", *[THROTTLED] * 3)
    response, _ = send(door, "/v1/completions", COMPLETION)
    assert response.status == 429
    assert aws_lambda.received == []
