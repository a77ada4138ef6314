"""Long waits: keep-alives in a stream and before a buffered response, and what follows them."""

import json
import time
from typing import Any

import pytest
from front_door import delivery
from front_door.sagemaker import connection

from tests.lambda_.conftest import ApiClient
from tests.lambda_.sagemaker_double import HEAD, Reply, SageMakerDouble, chunk, error, part, plain_response

DETAILS = {"finish_reason": "length", "generated_tokens": 1, "seed": None, "input_length": 6}
EVENT = (
    b'data: {"index":1,"token":{"id":1,"text":"x","logprob":-1,"special":false},"generated_text":"x","details":'
    + json.dumps(DETAILS).encode()
    + b"}\n\n"
)
CHAT = [
    b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}\n\n',
    b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}\n\n',
    b"data: [DONE]\n\n",
]
HI = {"messages": [{"role": "user", "content": "Hi"}]}


def pause(seconds: float = 0.5) -> Any:
    return lambda: time.sleep(seconds)


@pytest.fixture(autouse=True)
def _short_keep_alives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.1)


WAITS = {
    "for the head": [pause(), HEAD, chunk(part(EVENT)), b"0\r\n\r\n"],
    "for the first event": [HEAD, pause(), chunk(part(EVENT)), b"0\r\n\r\n"],
    "inside the head": [HEAD[:30], pause(), HEAD[30:], chunk(part(EVENT)), b"0\r\n\r\n"],
    "inside an event": [HEAD, chunk(part(EVENT)[:40]), pause(), chunk(part(EVENT)[40:]), b"0\r\n\r\n"],
    "inside a chunk": [HEAD, chunk(part(EVENT))[:40], pause(), chunk(part(EVENT))[40:], b"0\r\n\r\n"],
}


@pytest.mark.parametrize("wait", WAITS)
def test_a_stream_sends_keep_alives_while_it_waits(api: ApiClient, sagemaker: SageMakerDouble, wait: str) -> None:
    sagemaker.replies.append(Reply(list(WAITS[wait])))
    started = time.monotonic()
    response = api.begin("/generate_stream", {"inputs": "Hi"})
    assert (response.status, time.monotonic() - started < 0.4) == (200, True)
    answer = b"".join(response.body)
    comments = answer.count(b":\n\n")
    assert 2 <= comments <= 6
    assert answer.replace(b":\n\n", b"") == EVENT
    assert api.log()[0]["TimeToFirstToken"] >= 400


def test_a_stream_sends_keep_alives_between_events(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    first = b'data: {"index":1,"token":{"id":1,"text":"x","logprob":-1},"generated_text":null,"details":null}\n\n'
    sagemaker.replies.append(Reply([HEAD, chunk(part(first)), pause(), chunk(part(EVENT)), b"0\r\n\r\n"]))
    answer = api.send("/generate_stream", {"inputs": "Hi"}).body
    assert answer.startswith(first + b":\n\n")
    assert answer.endswith(b":\n\n" + EVENT)


@pytest.mark.parametrize("wait", WAITS)
def test_a_buffered_response_waits_without_keep_alives(api: ApiClient, sagemaker: SageMakerDouble, wait: str) -> None:
    sagemaker.replies.append(Reply(list(WAITS[wait])))
    answer = api.send("/generate", {"inputs": "Hi"})
    assert (answer.status, answer.body) == (200, b'{"generated_text":"x"}')
    assert answer.headers["x-generated-tokens"] == "1"


def test_an_error_after_a_keep_alive_is_reported_in_the_stream(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    message = '{"error": "CUDA out of memory", "error_type": "generation"}'
    failed = error(424, "ModelError", OriginalStatusCode=424, OriginalMessage=message)
    sagemaker.replies.append(Reply([pause(), *failed.pieces]))
    answer = api.send("/generate_stream", {"inputs": "Hi"})
    result = answer.body.replace(b":\n\n", b"")
    assert (answer.status, json.loads(result[6:])) == (
        200,
        {"error": "CUDA out of memory", "error_type": "generation"},
    )
    (line,) = api.log()
    assert (line["status"], line["error_status"], line["ServerErrors"]) == (200, 424, 0)


def test_a_chat_with_keep_alives_ends_as_any_other(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(Reply([pause(), HEAD, *(chunk(part(event)) for event in CHAT), b"0\r\n\r\n"]))
    answer = api.send("/v1/chat/completions", {**HI, "stream": True})
    assert answer.body.startswith(b":\n\n")
    assert b'"content":"x"' in answer.body
    assert answer.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("n", [1, 2])
def test_a_stream_whose_events_say_nothing_to_the_client_sends_keep_alives(
    api: ApiClient, sagemaker: SageMakerDouble, n: int
) -> None:
    """After a stop sequence the container goes on."""
    token = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"x"},"finish_reason":null}]}\n\n'
    goes_on = [each for _ in range(10) for each in (chunk(part(token)), pause(0.04))]
    ends = [*(chunk(part(event)) for event in CHAT), b"0\r\n\r\n"]
    sagemaker.replies += [Reply([HEAD, *goes_on, *ends]) for _ in range(n)]
    answer = api.send("/v1/chat/completions", {**HI, "stream": True, "stop": "x", "n": n}).body
    assert 1 <= answer.count(b":\n\n") <= 6
    assert answer.count(b'"finish_reason":"stop"') == n


class TestBufferedResponseThatTakesVeryLong:
    """API Gateway ends a stream after five minutes without data."""

    @pytest.fixture(autouse=True)
    def _silence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert delivery.MAX_SILENT_SECONDS + 30 < 300
        monkeypatch.setattr(delivery, "MAX_SILENT_SECONDS", 0.2)

    def test_is_the_same_json_after_white_space(self, api: ApiClient, sagemaker: SageMakerDouble) -> None:
        sagemaker.replies.append(Reply([HEAD, pause(1.5), chunk(part(EVENT)), b"0\r\n\r\n"]))
        started = time.monotonic()
        response = api.begin("/generate", {"inputs": "Hi"})
        parts = iter(response.body)
        assert next(parts) == b"\n"
        assert time.monotonic() - started < 1
        assert api.log() == []
        assert json.loads(b"".join(parts)) == {"generated_text": "x"}
        (line,) = api.log()
        assert (line["status"], line["GeneratedTokens"]) == (200, 1)

    @pytest.mark.parametrize(("path", "body"), [("/generate", {"inputs": "Hi"}), ("/v1/chat/completions", HI)])
    def test_reports_an_error_in_its_body(
        self, api: ApiClient, sagemaker: SageMakerDouble, path: str, body: dict[str, Any]
    ) -> None:
        sagemaker.replies.append(Reply([HEAD, pause(0.5)], then="close"))
        answer = api.send(path, body)
        assert (answer.status, answer.json()["error_type"]) == (200, "upstream")
        (line,) = api.log()
        assert (line["error"], line["error_status"], line["ServerErrors"]) == ("upstream", 502, 1)

    def test_reports_its_deadline(self, api: ApiClient, sagemaker: SageMakerDouble) -> None:
        sagemaker.replies.append(Reply([HEAD, pause(3)], then="close"))
        answer = api.send("/generate", {"inputs": "Hi"}, seconds=1.6)
        assert answer.json() == {"error": "The model did not finish in time.", "error_type": "timeout"}

    def test_reports_a_defect(
        self, api: ApiClient, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise KeyError("canary")

        monkeypatch.setattr("front_door.protocols.tgi.routes._Generation.finish", broken)
        sagemaker.replies.append(Reply([HEAD, pause(0.5), chunk(part(EVENT)), b"0\r\n\r\n"]))
        assert api.send("/generate", {"inputs": "Hi"}).json()["error_type"] == "internal"
        assert api.log()[0]["error"] == "internal"


def test_the_deadline_covers_all_waits(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(Reply([HEAD, pause(5)], then="close"))
    started = time.monotonic()
    answer = api.send("/generate_stream", {"inputs": "Hi"}, seconds=1.5)
    assert time.monotonic() - started < 2
    result = answer.body.replace(b":\n\n", b"")
    assert json.loads(result[6:]) == {"error": "The model did not finish in time.", "error_type": "timeout"}


def test_a_container_that_cannot_stream_is_an_error_after_a_keep_alive(
    api: ApiClient, sagemaker: SageMakerDouble
) -> None:
    head = HEAD.replace(b"text/event-stream", b"application/json")
    sagemaker.replies.append(Reply([pause(), head, chunk(part(b'{"generated_text":"x"}')), b"0\r\n\r\n"]))
    answer = api.send("/generate_stream", {"inputs": "Hi"})
    result = json.loads(answer.body.replace(b":\n\n", b"")[6:])
    assert result["error"] == "The model's response cannot be streamed."


def test_a_response_to_a_request_that_cannot_stream_waits_too(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(Reply([pause(), *plain_response(b'[{"generated_text":"x"}]').pieces]))
    body = {"inputs": "Hi", "parameters": {"best_of": 2, "do_sample": True}}
    assert api.send("/generate", body).body == b'{"generated_text":"x"}'
