"""Chat completions over a SageMaker double; test_lambda_container holds them against the container."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from conftest import FALCON, LLAMA, Door
from sagemaker_double import SageMakerDouble, exception, part, parts, slices, stream, whole

HI = {"messages": [{"role": "user", "content": "Hi"}]}
HEAD = {"object": "chat.completion.chunk", "id": "", "created": 17, "model": "hub/llama", "system_fingerprint": "3.3.6"}
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
TOOLS = [{"type": "function", "function": {"name": "now", "parameters": {}}}]
DONE = b"data: [DONE]\n\n"


def sse(value: object) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def chunk(delta: dict[str, Any], finish_reason: str | None = None, logprobs: object = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
    return sse({**HEAD, "choices": [choice], "usage": None})


def text(content: str, *more: Any) -> bytes:
    return chunk({"role": "assistant", "content": content}, *more)


def tool(arguments: str, name: str | None = None) -> bytes:
    call = {"index": 0, "id": "3", "type": "function", "function": {"name": name, "arguments": arguments}}
    return chunk({"role": "assistant", "tool_calls": [call]})


USED = sse({**HEAD, "choices": [], "usage": USAGE})
ANSWER = [text("Un été"), text(" 🧸", "stop"), USED, DONE]


def test_a_buffered_completion_is_assembled(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    answer = door.ask("/v1/chat/completions", HI)
    message = {"role": "assistant", "content": "Un été 🧸"}
    assert answer.status == 200
    assert answer.json() == {
        "object": "chat.completion",
        "id": "",
        "created": 17,
        "model": "hub/llama",
        "system_fingerprint": "3.3.6",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    assert sagemaker.received[0].json() == {**HI, "stream": True, "stream_options": {"include_usage": True}}


def test_it_is_the_same_whatever_the_cut(door: Door, sagemaker: SageMakerDouble) -> None:
    events = b"".join(ANSWER)
    for size in range(1, len(events), 11):
        sagemaker.replies.append(parts(*slices(events, size)))
        content = door.ask("/v1/chat/completions", HI).json()["choices"][0]["message"]["content"]
        assert content == "Un été 🧸"


def test_a_streamed_completion_passes_as_it_comes(door: Door, sagemaker: SageMakerDouble) -> None:
    events = b"".join(ANSWER)
    for size in range(1, len(events), 11):
        sagemaker.replies.append(parts(*slices(events, size)))
        answer = door.ask("/v1/chat/completions", {**HI, "stream": True})
        assert (answer.status, answer.body) == (200, events)
    assert sagemaker.received[0].json() == {**HI, "stream": True}


def test_logprobs_are_collected(door: Door, sagemaker: SageMakerDouble) -> None:
    entries = [{"token": token, "logprob": -0.5, "top_logprobs": []} for token in ("Un", "</s>")]
    chunks = [text("Un", None, {"content": entries[:1]}), text("", "stop", {"content": entries[1:]})]
    sagemaker.replies.append(parts(*chunks, USED, DONE))
    answer = door.ask("/v1/chat/completions", {**HI, "logprobs": True}).json()
    assert answer["choices"][0]["logprobs"] == {"content": entries}


def test_a_tool_call_is_written_as_the_buffered_route_writes_it(door: Door, sagemaker: SageMakerDouble) -> None:
    chunks = [tool("{", "get_weather"), tool(' "city":'), tool(' "Zürich", "n": [1, 2]'), tool("}"), USED, DONE]
    sagemaker.replies.append(parts(*chunks))
    choice = door.ask("/v1/chat/completions", {**HI, "tools": TOOLS}).json()["choices"][0]
    function = {"description": None, "name": "get_weather", "arguments": '{"city":"Zürich","n":[1,2]}'}
    call = {"id": "0", "type": "function", "function": function}
    assert choice["message"] == {"role": "assistant", "tool_calls": [call]}
    assert choice["finish_reason"] == "stop"


def test_a_tool_call_without_arguments_has_an_empty_object(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(tool("{", "now"), text("", "stop"), USED, DONE))
    message = door.ask("/v1/chat/completions", {**HI, "tools": TOOLS}).json()["choices"][0]["message"]
    assert message["tool_calls"][0]["function"]["arguments"] == "{}"


def test_a_tool_call_that_was_cut_off_is_tgis_tool_error(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(tool("{", "now"), tool(' "city": "Z'), USED, DONE))
    answer = door.ask("/v1/chat/completions", {**HI, "tools": TOOLS})
    assert (answer.status, answer.json()["error_type"]) == (422, "tool_error")
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_tools_with_logprobs_are_invoked_plainly(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(whole(b'{"object":"chat.completion"}'))
    answer = door.ask("/v1/chat/completions", {**HI, "tools": TOOLS, "logprobs": True})
    assert answer.body == b'{"object":"chat.completion"}'
    assert sagemaker.received[0].path.endswith("/invocations")


@pytest.mark.parametrize(
    ("message", "kind", "status"),
    [
        ("Model is overloaded", "overloaded", 429),
        ("Input validation error: `top_p` must be > 0.0 and < 1.0", "validation", 422),
        ("Request failed during generation: Server error", "generation", 424),
        ("Template error: template not found", "template_error", 422),
        ("Tool error: x", "tool_error", 422),
        ("Something else", "upstream", 502),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_an_error_in_the_place_of_the_first_chunk_is_the_status(
    door: Door, sagemaker: SageMakerDouble, message: str, kind: str, status: int, streamed: bool
) -> None:
    event = sse({"error": {"message": message, "http_status_code": 422}})
    sagemaker.replies.append(parts((event + DONE)[:9], (event + DONE)[9:]))
    answer = door.ask("/v1/chat/completions", {**HI, "stream": streamed})
    assert answer.status == status
    assert answer.json()["error_type"] == kind
    assert answer.json()["error"]["message"] == message
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.headers.get("Retry-After") == ("1" if status == 429 else None)


def test_an_error_in_the_middle_passes_in_a_stream_and_is_the_status_of_a_buffered_answer(
    door: Door, sagemaker: SageMakerDouble
) -> None:
    event = sse({"error": {"message": "Request failed during generation: x", "http_status_code": 422}})
    sagemaker.replies += [parts(text("Un"), event, DONE)] * 2
    answer = door.ask("/v1/chat/completions", {**HI, "stream": True})
    assert (answer.status, answer.body) == (200, text("Un") + event + DONE)
    assert door.log()[0]["error"] == "generation"
    assert door.ask("/v1/chat/completions", HI).status == 424


@pytest.mark.parametrize(
    "ending",
    [[], [part(DONE[:5])], [exception("ModelStreamError", Message="m", ErrorCode="StreamBroken")]],
)
def test_a_stream_that_breaks_ends_in_openais_words(
    door: Door, sagemaker: SageMakerDouble, ending: list[bytes]
) -> None:
    sagemaker.replies.append(stream([part(text("Un")), *ending]))
    answer = door.ask("/v1/chat/completions", {**HI, "stream": True})
    relayed, event, end = answer.body[: -len(DONE)].partition(b'data: {"error"')[0], answer.body, answer.body[-14:]
    assert (relayed, end) == (text("Un"), DONE)
    error = json.loads(event[len(relayed) + 6 : -len(DONE)])["error"]
    assert (error["type"], error["code"]) == ("server_error", "incomplete_generation")


def test_a_buffered_answer_without_end_is_an_error(door: Door, sagemaker: SageMakerDouble) -> None:
    event = sse({"error": {"message": "Incomplete generation stream", "http_status_code": 422}})
    sagemaker.replies += [parts(text("Un"), DONE), parts(text("Un"), event, DONE)]
    for _ in range(2):
        answer = door.ask("/v1/chat/completions", HI)
        assert (answer.status, answer.json()["error"]["message"]) == (500, "Incomplete generation")


@pytest.mark.parametrize("name", ["llama", "meta-llama/Llama-3.1-8B-Instruct", "tgi", "", None])
def test_the_only_model_has_many_names_and_the_container_sees_none(
    door: Door, sagemaker: SageMakerDouble, name: str | None
) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    body = {**HI, "model": name, "inputs": "x", "prompt": "x", "stop": None, "stream": None, "seed": 1}
    assert door.ask("/v1/chat/completions", body).status == 200
    assert set(sagemaker.received[0].json()) == {"messages", "seed", "stream", "stream_options"}


def test_a_model_is_chosen_by_name_or_hub_id(door_for: Callable[..., Door], sagemaker: SageMakerDouble) -> None:
    door = door_for(LLAMA, FALCON)
    for name in ("falcon", "llama", "meta-llama/Llama-3.1-8B-Instruct"):
        sagemaker.replies.append(parts(*ANSWER))
        assert door.ask("/v1/chat/completions", {**HI, "model": name}).status == 200
    assert [request.path.split("/")[2] for request in sagemaker.received] == [
        "falcon-endpoint",
        "llama-endpoint",
        "llama-endpoint",
    ]


def test_an_unknown_model_is_openais_404(door: Door) -> None:
    answer = door.ask("/v1/chat/completions", {**HI, "model": "gpt-4o"})
    assert answer.status == 404
    assert answer.json()["error"] == {
        "message": "The model `gpt-4o` does not exist; there is `llama`.",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


@pytest.mark.parametrize("name", ["tgi", None, ""])
def test_among_several_models_one_must_be_named(door_for: Callable[..., Door], name: object) -> None:
    answer = door_for(LLAMA, FALCON).ask("/v1/chat/completions", {**HI, "model": name})
    assert answer.status in (400, 404)
    assert answer.json()["error"]["param"] == "model"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({**HI, "stream": "yes"}, "stream"),
        ({**HI, "stream": 0}, "stream"),
        ({**HI, "model": 5}, "model"),
    ],
)
def test_what_is_no_chat_request_is_refused_by_name(
    door: Door, sagemaker: SageMakerDouble, body: dict[str, Any], param: str
) -> None:
    answer = door.ask("/v1/chat/completions", body)
    assert answer.status == 422
    assert answer.json()["error"]["param"] == param
    assert sagemaker.received == []


def test_a_lone_surrogate_in_a_models_name_is_answered(door: Door) -> None:
    answer = door.ask("/v1/chat/completions", {**HI, "model": "\ud800"})
    assert (answer.status, answer.json()["error"]["code"]) == (404, "model_not_found")
