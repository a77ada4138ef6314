"""TGI's routes for a model whose container does not speak TGI."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from front_door.engines.openai.token_reader import OpenAiTokenReader
from front_door.errors import ApiError
from front_door.generation.generate_request import GenerateRequest
from front_door.protocols.tgi.translated import Answer
from front_door.sagemaker import connection

from tests.lambda_.conftest import ApiClient
from tests.lambda_.protocols.openai.events import DONE, sse
from tests.lambda_.protocols.openai.natives import CONTAINER, LMI, SGLANG, VLLM, lines, refused
from tests.lambda_.protocols.tgi.vllm_completions import EOS, HEAD, PROMPT, Piece, choice, chunk, plain, stream
from tests.lambda_.sagemaker_double import HEAD as STREAM_HEAD
from tests.lambda_.sagemaker_double import Reply, SageMakerDouble, part, parts, slices
from tests.lambda_.sagemaker_double import chunk as http_chunk

PIECES = [Piece(330, " Un", " Un", -0.5), Piece(331, " été", " été", -0.10000000149011612), EOS]
ANSWER = stream(PIECES)
TOKENS = [
    b'{"id":330,"text":" Un","logprob":-0.5,"special":false}',
    '{"id":331,"text":" été","logprob":-0.1,"special":false}'.encode(),
    b'{"id":1,"text":"<|eot_id|>","logprob":-0.5,"special":true}',
]
DETAILS = b'"finish_reason":"eos_token","generated_tokens":3,"seed":null'
EVENTS = b"".join(
    b'data: {"index":%d,"token":%b,"generated_text":%b,"details":%b}\n\n' % (at, token, *ends)
    for at, (token, ends) in enumerate(
        zip(
            TOKENS,
            [(b"null", b"null")] * 2 + [('" Un été"'.encode(), b'{%b,"input_length":3}' % DETAILS)],
            strict=True,
        ),
        start=1,
    )
)
FAILED = sse({"error": {"message": "EngineCore encountered an issue.", "type": "InternalServerError", "code": 500}})


@pytest.fixture
def vllm(api_for: Callable[..., ApiClient]) -> ApiClient:
    return api_for(VLLM)


def body(**parameters: Any) -> dict[str, Any]:
    return {"inputs": "Hi", "parameters": parameters}


def test_a_stream_is_tgis_byte_for_byte(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    response = vllm.send("/generate_stream", body(details=True))
    assert response.body == EVENTS
    assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")
    (line,) = vllm.log()
    assert (line["PromptTokens"], line["GeneratedTokens"], line["finish_reason"]) == (3, 3, "eos_token")
    assert line["streamed"] is True


def test_without_details_the_last_event_has_the_text_alone(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    last = vllm.send("/generate_stream", body()).body.split(b"\n\n")[-2]
    assert last.endswith(',"generated_text":" Un été","details":null}'.encode())


def test_events_that_arrive_together_or_in_pieces_are_the_same(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    whole = b"".join(ANSWER)
    for pieces in ([whole], [whole[at : at + 50] for at in range(0, len(whole), 50)]):
        sagemaker.replies.append(parts(*pieces))
        assert vllm.send("/generate_stream", body(details=True)).body == EVENTS


def test_the_first_token_does_not_wait_for_the_second(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    waits: list[bytes] = []
    first, *rest = (http_chunk(part(event)) for event in ANSWER)
    sagemaker.replies.append(Reply([STREAM_HEAD, first, lambda: wait_for(waits), *rest, b"0\r\n\r\n"]))
    events = iter(vllm.begin("/generate_stream", body(details=True)).body)
    waits.append(next(events))
    assert waits[0] + b"".join(events) == EVENTS
    assert waits[0] == EVENTS[: EVENTS.index(b"\n\n") + 2]


def wait_for(events: list[bytes]) -> None:
    until = time.monotonic() + 10
    while not events and time.monotonic() < until:
        time.sleep(0.001)


def test_the_buffered_routes_return_the_same_generation(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    generation = b'{"generated_text":" Un \xc3\xa9t\xc3\xa9","details":{%b,"prefill":[],"tokens":[%b]}}' % (
        DETAILS,
        b",".join(TOKENS),
    )
    for path, expected in (("/generate", generation), ("/", b"[" + generation + b"]")):
        sagemaker.replies.append(parts(*ANSWER))
        response = vllm.send(path, body(details=True, return_full_text=False))
        assert response.body == expected
        assert response.headers["Content-Type"] == "application/json"
        assert (response.headers["x-prompt-tokens"], response.headers["x-generated-tokens"]) == ("3", "3")
    assert sagemaker.received[-1].path.endswith("/invocations-response-stream")
    line = vllm.log()[-1]
    assert (line["PromptTokens"], line["GeneratedTokens"], line["finish_reason"]) == (3, 3, "eos_token")


def test_without_details_there_is_the_text_alone(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    assert vllm.send("/generate", body()).body == '{"generated_text":" Un été"}'.encode()


def test_the_text_may_begin_with_the_prompt(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    prompt = 'Say "a\n"'
    request = {"inputs": prompt, "parameters": {"return_full_text": True}}
    sagemaker.replies += [parts(*ANSWER)] * 2
    assert vllm.send("/generate", request).json() == {"generated_text": prompt + " Un été"}
    last = vllm.send("/generate_stream", request).body.split(b"\n\n")[-2].removeprefix(b"data: ")
    assert json.loads(last)["generated_text"] == prompt + " Un été"


def test_the_root_streams_on_request(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    request = {**body(details=True, return_full_text=False), "stream": True}
    assert vllm.send("/", request).body == EVENTS


def test_the_likeliest_of_several_texts_is_the_answer(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    unlikely, likely = Piece(7, " a", " a", -2.0), Piece(8, " b", " b", -1.0)
    events = [
        chunk(choice([unlikely], prompt_token_ids=PROMPT)),
        chunk(choice([likely], index=1)),
        chunk(choice([Piece(9, "!", "!", -3.0)], "length", index=1), 2),
        chunk(choice([Piece(9, "?", "?", -1.0)], "length"), 2),
        chunk(None, 4),
        DONE,
    ]
    sagemaker.replies.append(parts(*events))
    response = vllm.send("/generate", body(best_of=2, do_sample=True, details=True, max_new_tokens=2))
    details = response.json()["details"]
    assert response.json()["generated_text"] == " a?"
    assert [token["text"] for token in details["tokens"]] == [" a", "?"]
    (other,) = details["best_of_sequences"]
    assert list(other) == ["generated_text", "finish_reason", "generated_tokens", "seed", "prefill", "tokens"]
    assert (other["generated_text"], other["seed"]) == (" b!", details["seed"] + 1)
    assert sagemaker.received[0].json()["n"] == 2
    assert (response.headers["x-generated-tokens"], vllm.log()[-1]["GeneratedTokens"]) == ("2", 4)


def test_a_generation_that_is_not_streamed_is_read_too(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}
    whole = {**HEAD, "choices": [choice(PIECES, "stop", prompt_token_ids=PROMPT)], "usage": usage}
    pieces = [part(piece) for piece in slices(json.dumps(whole).encode(), 100)]
    head = STREAM_HEAD.replace(b"text/event-stream", b"application/json")
    sagemaker.replies += [Reply([head, *map(http_chunk, pieces), b"0\r\n\r\n"])] * 2
    assert vllm.send("/generate", body()).json() == {"generated_text": " Un été"}
    response = vllm.send("/generate_stream", body())
    assert (response.status, response.json()["error"]) == (502, "The model's response cannot be streamed.")


def test_lines_of_lmi_are_read_as_events(api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(lines(*[event.removeprefix(b"data: ")[:-1] for event in ANSWER[:-1]]))
    assert api_for(LMI).send("/generate_stream", body(details=True)).body == EVENTS


def test_a_container_of_ones_own_needs_token_ids_for_a_stream(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    text = {"index": 0, "text": " Un été", "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    sagemaker.replies += [
        parts(sse({**HEAD, "choices": [text]}), sse({**HEAD, "choices": [], "usage": usage}), DONE)
    ] * 3
    api = api_for(CONTAINER)
    answer = api.send("/generate", body())
    assert answer.json() == {"generated_text": " Un été"}
    assert (answer.headers["x-prompt-tokens"], answer.headers["x-generated-tokens"]) == ("3", "2")
    for path in ("/generate_stream", "/generate"):
        response = api.send(path, body(details=True))
        assert (response.status, response.json()["error_type"]) == (501, "engine_cannot")
        assert response.json()["error"].startswith(
            "The model's container does not report the ids and log probabilities"
        )


def test_sglang_answers_none_of_tgis_routes(api_for: Callable[..., ApiClient]) -> None:
    response = api_for(SGLANG).send("/generate", body())
    assert (response.status, response.json()["error_type"]) == (501, "engine_cannot")


def test_a_stream_that_breaks_off_is_incomplete(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER[:2], DONE))
    expected = b'data: {"error":"Incomplete generation stream","error_type":"incomplete_generation_stream"}\n\n'
    response = vllm.send("/generate_stream", body(details=True))
    assert response.body == b"".join(event + b"\n\n" for event in EVENTS.split(b"\n\n")[:2]) + expected


def test_so_is_a_generation(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER[:2], DONE))
    response = vllm.send("/generate", body())
    assert (response.status, response.json()) == (
        500,
        {"error": "Incomplete generation", "error_type": "incomplete_generation"},
    )


def test_a_failure_in_mid_stream_is_tgis_last_event(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(ANSWER[0] + FAILED, DONE))
    *before, last, end = vllm.send("/generate_stream", body()).body.split(b"\n\n")
    assert end == b""
    assert len(before) == 1
    assert json.loads(last.removeprefix(b"data: ")) == {
        "error": "Request failed during generation: The model's server failed.",
        "error_type": "generation",
    }


def test_a_stream_that_begins_with_a_failure_is_one_event(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(FAILED, DONE))
    response = vllm.send("/generate_stream", body())
    assert response.status == 200
    assert response.body == (
        b'data: {"error":"Request failed during generation: The model\'s server failed.","error_type":"generation"}\n\n'
    )
    assert vllm.log()[-1]["error"] == "generation"


def test_a_buffered_failure_has_its_status(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(FAILED, DONE))
    assert vllm.send("/generate", body()).status == 424


def test_a_full_queue_has_tgis_status_in_a_stream_too(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(refused(503, {"error": {"message": "busy", "code": 503}}))
    sagemaker.repeats = True
    response = vllm.send("/generate_stream", body())
    assert (response.status, response.json()) == (429, {"error": "Model is overloaded", "error_type": "overloaded"})


def test_a_silent_stream_is_kept_alive(
    vllm: ApiClient, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.02)
    first, *rest = (http_chunk(part(event)) for event in ANSWER)
    sagemaker.replies.append(Reply([STREAM_HEAD, first, lambda: time.sleep(0.1), *rest, b"0\r\n\r\n"]))
    sent = vllm.send("/generate_stream", body(details=True)).body
    assert b"\n\n:\n\ndata: " in sent
    assert sent.replace(b":\n\n", b"") == EVENTS


def test_a_stream_ends_with_an_event_of_another_form(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    """And not when the container, which goes on, has come to its end."""
    waits: list[bytes] = []
    first, *rest = (http_chunk(part(event)) for event in ANSWER)
    unknown = http_chunk(part(sse({"choices": 7})))
    more = [lambda: time.sleep(0.05), *rest[:1]] * 5
    sagemaker.replies.append(Reply([STREAM_HEAD, first, unknown, *more, lambda: wait_for(waits), *rest, b"0\r\n\r\n"]))
    events = iter(vllm.begin("/generate_stream", body()).body)
    began = time.monotonic()
    waits.append(b"".join(events))
    assert time.monotonic() - began < 5
    assert waits[0].startswith(EVENTS[: EVENTS.index(b"\n\n")])
    assert waits[0].endswith(
        b'data: {"error":"The model sent an event of an unknown form.","error_type":"upstream"}\n\n'
    )


def test_tokens_that_the_container_does_not_count_are_counted(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(
        parts(*[each.replace(b'"completion_tokens":', b'"completion_tokens":null,"a":') for each in ANSWER])
    )
    vllm.send("/generate_stream", body())
    assert vllm.log()[-1]["GeneratedTokens"] == 3


def test_another_model_does_not_answer_for_an_adapter(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies += [parts(*ANSWER)] * 2
    api = api_for(replace(VLLM, adapters={"sql": None}))
    for path in ("/generate", "/generate_stream"):
        response = api.send(path, body(adapter_id="sql"))
        assert response.status == 502
        assert response.json()["error"].startswith("The model answered without the adapter")


def test_an_end_without_a_token_repeats_the_last_one() -> None:
    answer = answer_to(GenerateRequest("Hi", stream=True))
    first, *_ = stream(plain(" a", "b"))
    assert answer.translate(first).endswith(b'"generated_text":null,"details":null}\n\n')
    token = b'{"id":300,"text":"","logprob":-0.25,"special":true}'
    expected = b'data: {"index":1,"token":%b,"generated_text":" a","details":null}\n\n' % token
    assert answer.translate(chunk(choice([], "stop"))) == expected
    assert answer.translate(chunk(None)) == b""


def test_an_answer_without_a_token_is_the_servers_error() -> None:
    answer = answer_to(GenerateRequest("Hi", stream=True))
    with pytest.raises(ApiError, match=r"^The model's response has no token\.$"):
        answer.translate(chunk(choice([], "stop")))


def answer_to(request: GenerateRequest) -> Answer:
    reader = OpenAiTokenReader(request, 99)
    return Answer(SimpleNamespace(request=request, reader=reader))  # type: ignore[arg-type]
