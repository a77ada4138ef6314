"""Responses with more than one choice: as many concurrent requests to the model, merged into one response."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from front_door.generation.fan_out import merge_streams
from front_door.sagemaker import connection

from tests.lambda_.conftest import ApiClient
from tests.lambda_.protocols.openai.events import COMPLETION, DONE, HI, Read, completion_text, error, text, used
from tests.lambda_.sagemaker_double import HEAD, Reply, SageMakerDouble, chunk, part, parts
from tests.lambda_.sagemaker_double import error as sagemaker_error

PATH = "/v1/chat/completions"


def answer(content: str) -> Reply:
    return parts(text(content), text("!", "stop"), used(9, 2), DONE)


def endless() -> Reply:
    """A token every 50 ms for 10 seconds."""
    token: list[Any] = [chunk(part(text("b"))), lambda: time.sleep(0.05)]
    return Reply([HEAD, *token * 200], then="close")


def assert_all_have_ended() -> None:
    """Wait for the threads that `merge_streams` started; each checks for the end at its next token."""
    until = time.monotonic() + 3
    while (
        running := [each.name for each in threading.enumerate() if "(_run)" in each.name]
    ) and time.monotonic() < until:
        time.sleep(0.02)
    assert running == []


def test_a_buffered_response_has_all_choices(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [answer(letter) for letter in "abc"]
    result = api.send(PATH, {**HI, "n": 3, "seed": 7}).json()
    assert [choice["index"] for choice in result["choices"]] == [0, 1, 2]
    assert sorted(choice["message"]["content"] for choice in result["choices"]) == ["a!", "b!", "c!"]
    assert result["usage"] == {"prompt_tokens": 9, "completion_tokens": 6, "total_tokens": 15}
    assert sorted(request.json()["seed"] for request in sagemaker.received) == [7, 8, 9]
    (line,) = api.log()
    assert (line["PromptTokens"], line["GeneratedTokens"]) == (9, 6)


def test_a_stream_has_all_choices(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [answer(letter) for letter in "abc"]
    response = api.send(PATH, {**HI, "n": 3, "stream": True, "stream_options": {"include_usage": True}})
    read = Read.of(response.body)
    assert sorted(read.text(index) for index in range(3)) == ["a!", "b!", "c!"]
    for index in range(3):
        assert read.finish_reasons(index) == ["stop"]
        assert ["role" in choice["delta"] for choice in read.choices(index)] == [True, False, False]
    assert read.usage()[-1] == {"prompt_tokens": 9, "completion_tokens": 6, "total_tokens": 15}
    assert read.usage()[:-1] == [None] * 9
    assert len({(chunk["id"], chunk["created"]) for chunk in read.chunks}) == 1
    assert read.is_done


def test_a_prompt_counts_once_whatever_its_number_of_choices(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(*COMPLETION)] * 4
    result = api.send("/v1/completions", {"prompt": ["a", "b"], "n": 2, "echo": True}).json()
    assert [choice["text"][0] for choice in result["choices"]] == ["a", "a", "b", "b"]
    assert result["usage"] == {"prompt_tokens": 18, "completion_tokens": 8, "total_tokens": 26}
    assert sorted(request.json()["prompt"] for request in sagemaker.received) == ["a", "a", "b", "b"]


def test_the_requests_are_concurrent(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    barrier = threading.Barrier(8, timeout=10)
    begins = [HEAD, barrier.wait, *(chunk(part(event)) for event in COMPLETION), b"0\r\n\r\n"]
    sagemaker.replies += [Reply(list(begins)) for _ in range(8)]
    result = api.send("/v1/completions", {"prompt": "a", "n": 8}).json()
    assert len(result["choices"]) == 8


def test_chunks_are_sent_as_they_arrive(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    go_on = threading.Event()
    held = [HEAD, chunk(part(text("slow"))), go_on.wait, *(chunk(part(e)) for e in (text("", "stop"), used(), DONE))]
    sagemaker.replies += [Reply([*held, b"0\r\n\r\n"]), answer("fast")]
    body = iter(api.begin(PATH, {**HI, "n": 2, "stream": True}).body)
    seen = b""
    while seen.count(b'"finish_reason":"stop"') < 1:
        seen += next(body)
    assert b"fast" in seen
    assert not go_on.is_set()
    go_on.set()
    assert Read.of(seen + b"".join(body)).is_done


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("path", [PATH, "/v1/completions"])
def test_an_error_before_the_first_event_becomes_the_status(
    api: ApiClient, sagemaker: SageMakerDouble, path: str, is_streamed: bool
) -> None:
    sagemaker.replies += [parts(error("Input validation error: `inputs` cannot be empty"), DONE)] * 3
    answer = api.send(path, {**(HI if path == PATH else {"prompt": ""}), "n": 3, "stream": is_streamed})
    assert (answer.status, answer.json()["error"]["message"]) == (
        400,
        "Input validation error: `inputs` cannot be empty",
    )


@pytest.mark.parametrize("is_streamed", [False, True])
def test_sagemakers_error_for_one_choice_becomes_the_status(
    api: ApiClient, sagemaker: SageMakerDouble, is_streamed: bool
) -> None:
    message = '{"error": "CUDA out of memory", "error_type": "generation"}'
    refused = sagemaker_error(424, "ModelError", OriginalStatusCode=424, OriginalMessage=message)
    sagemaker.replies += [refused, Reply([HEAD, lambda: time.sleep(0.5), *answer("a").pieces[1:]])]
    answered = api.send(PATH, {**HI, "n": 2, "stream": is_streamed})
    assert (answered.status, answered.json()["error"]["message"]) == (424, "CUDA out of memory")


def test_a_later_error_ends_the_stream_and_stops_the_other_requests(
    api: ApiClient, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.1)
    failed = error("Request failed during generation: x")
    fails = [HEAD, chunk(part(text("a"))), lambda: time.sleep(0.3), chunk(part(failed))]
    sagemaker.replies += [Reply([*fails, b"0\r\n\r\n"]), endless()]
    read = Read.of(api.send(PATH, {**HI, "n": 2, "stream": True}).body)
    assert [each["error"]["code"] for each in read.errors] == ["generation"]
    assert read.is_done
    assert api.log()[0]["error"] == "generation"
    assert_all_have_ended()


def test_a_client_that_disconnects_stops_all_requests(
    api: ApiClient, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.1)
    sagemaker.replies += [endless(), endless()]
    body: Any = api.begin(PATH, {**HI, "n": 2, "stream": True}).body
    next(iter(body))
    body.close()
    assert_all_have_ended()


class Endless:
    """Events without an end, as fast as they are taken; `taken` counts those of all."""

    is_event_stream = True
    taken = 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            Endless.taken += 1
            yield b"data: {}\n\n"


def test_streams_wait_for_a_client_that_reads_slowly() -> None:
    merged: Any = merge_streams([Endless] * 8)
    next(merged)
    time.sleep(0.3)
    taken = Endless.taken
    time.sleep(0.1)
    assert Endless.taken == taken < 64
    merged.close()
    assert_all_have_ended()


def test_a_stream_of_two_choices_sends_keep_alives(
    api: ApiClient, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.1)
    waits = [HEAD, lambda: time.sleep(0.5), *(chunk(part(event)) for event in (text("a", "stop"), used(), DONE))]
    sagemaker.replies += [Reply([*waits, b"0\r\n\r\n"]), answer("b")]
    body = api.send(PATH, {**HI, "n": 2, "stream": True}).body
    assert b":\n\n" in body
    assert sorted(Read.of(body).text(index) for index in range(2)) == ["a", "b!"]


def test_a_default_number_of_tokens_is_lowered_for_each_request(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    too_long = "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 500. Given: 9 `inputs` tokens and"
    both = threading.Barrier(2, timeout=10)  # neither gets a response before both were sent
    sagemaker.replies += [Reply([both.wait, *parts(error(too_long), DONE).pieces]) for _ in range(2)] + [
        answer("a")
    ] * 2
    assert api.send(PATH, {**HI, "n": 2}).status == 200
    assert sorted(request.json()["max_tokens"] for request in sagemaker.received) == [491, 491, 1024, 1024]


def test_a_single_choice_starts_no_thread(
    api: ApiClient, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("front_door.generation.fan_out.merge_streams", None)
    sagemaker.replies += [parts(completion_text("x", "length"), DONE)] * 2
    assert api.send("/v1/completions", {"prompt": "a", "n": 1}).status == 200
    assert api.send("/v1/completions", {"prompt": ["a"], "stream": True}).status == 200
