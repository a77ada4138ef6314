"""Long waits: signs of life in a stream and in front of a whole answer, and what comes after them."""

import json
import time
from typing import Any

import pytest
from front_door import delivery
from front_door.sagemaker import connection

from tests.lambda_.conftest import Door
from tests.lambda_.sagemaker_double import HEAD, Reply, SageMakerDouble, chunk, error, part, whole

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


def long(seconds: float = 0.5) -> Any:
    return lambda: time.sleep(seconds)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.1)


WAITS = {
    "for the head": [long(), HEAD, chunk(part(EVENT)), b"0\r\n\r\n"],
    "for the first event": [HEAD, long(), chunk(part(EVENT)), b"0\r\n\r\n"],
    "inside the head": [HEAD[:30], long(), HEAD[30:], chunk(part(EVENT)), b"0\r\n\r\n"],
    "inside an event": [HEAD, chunk(part(EVENT)[:40]), long(), chunk(part(EVENT)[40:]), b"0\r\n\r\n"],
    "inside a chunk": [HEAD, chunk(part(EVENT))[:40], long(), chunk(part(EVENT))[40:], b"0\r\n\r\n"],
}


@pytest.mark.parametrize("wait", WAITS)
def test_a_stream_shows_signs_of_life_while_it_waits(door: Door, sagemaker: SageMakerDouble, wait: str) -> None:
    sagemaker.replies.append(Reply(list(WAITS[wait])))
    started = time.monotonic()
    response = door.begin("/generate_stream", {"inputs": "Hi"})
    assert (response.status, time.monotonic() - started < 0.4) == (200, True)
    answer = b"".join(response.body)
    comments = answer.count(b":\n\n")
    assert 2 <= comments <= 6
    assert answer.replace(b":\n\n", b"") == EVENT
    assert door.log()[0]["TimeToFirstToken"] >= 400


def test_a_stream_shows_signs_of_life_in_its_middle(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(Reply([HEAD, chunk(part(EVENT)), long(), chunk(part(EVENT)), b"0\r\n\r\n"]))
    answer = door.ask("/generate_stream", {"inputs": "Hi"}).body
    assert answer.startswith(EVENT + b":\n\n")
    assert answer.endswith(b":\n\n" + EVENT)


@pytest.mark.parametrize("wait", WAITS)
def test_an_answer_in_one_piece_waits_in_silence(door: Door, sagemaker: SageMakerDouble, wait: str) -> None:
    sagemaker.replies.append(Reply(list(WAITS[wait])))
    answer = door.ask("/generate", {"inputs": "Hi"})
    assert (answer.status, answer.body) == (200, b'{"generated_text":"x"}')
    assert answer.headers["x-generated-tokens"] == "1"


def test_a_failure_after_a_sign_of_life_is_told_in_the_stream(door: Door, sagemaker: SageMakerDouble) -> None:
    failed = error(424, "ModelError", OriginalStatusCode=424, OriginalMessage="CUDA out of memory")
    sagemaker.replies.append(Reply([long(), *failed.pieces]))
    answer = door.ask("/generate_stream", {"inputs": "Hi"})
    told = answer.body.replace(b":\n\n", b"")
    assert (answer.status, json.loads(told[6:])) == (
        200,
        {"error": "CUDA out of memory", "error_type": "generation"},
    )
    (line,) = door.log()
    assert (line["status"], line["error_status"], line["ServerErrors"]) == (200, 424, 0)


def test_a_chat_that_waited_ends_as_any_other(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(Reply([long(), HEAD, *(chunk(part(event)) for event in CHAT), b"0\r\n\r\n"]))
    answer = door.ask("/v1/chat/completions", {**HI, "stream": True})
    assert answer.body.startswith(b":\n\n")
    assert b'"content":"x"' in answer.body
    assert answer.body.endswith(b"data: [DONE]\n\n")


class TestAnAnswerInOnePieceThatTakesVeryLong:
    """API Gateway ends a stream in which nothing travels for five minutes."""

    @pytest.fixture(autouse=True)
    def _silence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert delivery.MAX_SILENT_SECONDS + 30 < 300
        monkeypatch.setattr(delivery, "MAX_SILENT_SECONDS", 0.2)

    def test_is_the_same_json_behind_white_space(self, door: Door, sagemaker: SageMakerDouble) -> None:
        sagemaker.replies.append(Reply([HEAD, long(1.5), chunk(part(EVENT)), b"0\r\n\r\n"]))
        started = time.monotonic()
        response = door.begin("/generate", {"inputs": "Hi"})
        parts = iter(response.body)
        assert next(parts) == b"\n"
        assert time.monotonic() - started < 1
        assert door.log() == []
        assert json.loads(b"".join(parts)) == {"generated_text": "x"}
        (line,) = door.log()
        assert (line["status"], line["GeneratedTokens"]) == (200, 1)

    @pytest.mark.parametrize(("path", "body"), [("/generate", {"inputs": "Hi"}), ("/v1/chat/completions", HI)])
    def test_tells_a_failure_in_its_body(
        self, door: Door, sagemaker: SageMakerDouble, path: str, body: dict[str, Any]
    ) -> None:
        sagemaker.replies.append(Reply([HEAD, long(0.5)], then="close"))
        answer = door.ask(path, body)
        assert (answer.status, answer.json()["error_type"]) == (200, "upstream")
        (line,) = door.log()
        assert (line["error"], line["error_status"], line["ServerErrors"]) == ("upstream", 502, 1)

    def test_tells_of_its_deadline(self, door: Door, sagemaker: SageMakerDouble) -> None:
        sagemaker.replies.append(Reply([HEAD, long(3)], then="close"))
        answer = door.ask("/generate", {"inputs": "Hi"}, seconds=1.6)
        assert answer.json() == {"error": "The model did not finish in time.", "error_type": "timeout"}

    def test_tells_of_a_defect(self, door: Door, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise KeyError("canary")

        monkeypatch.setattr("front_door.protocols.tgi.routes._Generation.finish", broken)
        sagemaker.replies.append(Reply([HEAD, long(0.5), chunk(part(EVENT)), b"0\r\n\r\n"]))
        assert door.ask("/generate", {"inputs": "Hi"}).json()["error_type"] == "internal"
        assert door.log()[0]["error"] == "internal"


def test_the_deadline_counts_from_the_first_to_the_last_wait(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(Reply([HEAD, long(5)], then="close"))
    started = time.monotonic()
    answer = door.ask("/generate_stream", {"inputs": "Hi"}, seconds=1.5)
    assert time.monotonic() - started < 2
    told = answer.body.replace(b":\n\n", b"")
    assert json.loads(told[6:]) == {"error": "The model did not finish in time.", "error_type": "timeout"}


def test_a_container_that_cannot_stream_says_so_after_a_sign_of_life(door: Door, sagemaker: SageMakerDouble) -> None:
    head = HEAD.replace(b"text/event-stream", b"application/json")
    sagemaker.replies.append(Reply([long(), head, chunk(part(b'{"generated_text":"x"}')), b"0\r\n\r\n"]))
    answer = door.ask("/generate_stream", {"inputs": "Hi"})
    told = json.loads(answer.body.replace(b":\n\n", b"")[6:])
    assert told["error"] == "The model answered in one piece, which cannot be streamed."


def test_a_whole_answer_of_a_request_that_cannot_stream_waits_too(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(Reply([long(), *whole(b'[{"generated_text":"x"}]').pieces]))
    body = {"inputs": "Hi", "parameters": {"best_of": 2, "do_sample": True}}
    assert door.ask("/generate", body).body == b'{"generated_text":"x"}'
