"""OpenAI's client of the Responses API against the real server: what it gets is what a chat with the model has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import BadRequestError, OpenAI
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionToolCall,
    ResponseIncompleteEvent,
    ResponseOutputItem,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseStreamEvent,
    ResponseTextDeltaEvent,
)

from tests.engines.engine import Engine
from tests.engines.fast_way import count_parsed
from tests.engines.stack import MODEL
from tests.engines.test_front_door import PARAMETERS
from tests.engines.tiny_llama import ANSWER, ENDLESS_PROMPT, MAX_LENGTH, TOOL

PROMPT = "What is deep learning?"
TOOLS: Any = [{"type": "function", "name": TOOL["name"], "parameters": PARAMETERS, "strict": True}]
FORMAT: Any = {"format": {"type": "json_schema", "name": "place", "schema": PARAMETERS, "strict": True}}
WITH_LOGPROBS: Any = {"include": ["message.output_text.logprobs"], "top_logprobs": 2}
IMAGE: Any = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"}


@pytest.fixture
def client(engine: Engine) -> OpenAI:
    engine.cloud.limiter.take(2)
    return OpenAI(base_url=f"{engine.cloud.url}/v1", api_key=engine.cloud.api_key, max_retries=0)


def answer(client: OpenAI, *, stream: bool, **options: Any) -> Response:
    """A response, whole or the last one of a stream."""
    asked = {"model": MODEL, "input": PROMPT, "temperature": 0, **options}
    if not stream:
        response: Response = client.responses.create(**asked)
        return response
    received: list[ResponseStreamEvent] = list(client.responses.create(**asked, stream=True))
    assert [event.sequence_number for event in received] == list(range(len(received)))
    last = received[-1]
    assert isinstance(last, (ResponseCompletedEvent, ResponseIncompleteEvent))
    pieces = ["" for _ in last.response.output]
    probabilities: list[tuple[str, float]] = []
    for event in received:
        if isinstance(event, (ResponseTextDeltaEvent, ResponseFunctionCallArgumentsDeltaEvent)):
            pieces[event.output_index] += event.delta
        if isinstance(event, ResponseTextDeltaEvent):
            probabilities += [(entry.token, entry.logprob) for entry in event.logprobs]
    assert pieces == [written(item) for item in last.response.output]
    assert probabilities == [entry for item in last.response.output for entry in probabilities_of(item)]
    return last.response


def written(item: ResponseOutputItem) -> str:
    """What the model has written of an item."""
    if isinstance(item, ResponseFunctionToolCall):
        return item.arguments
    assert isinstance(item, ResponseOutputMessage)
    return "".join(part.text for part in item.content if isinstance(part, ResponseOutputText))


def probabilities_of(item: ResponseOutputItem) -> list[tuple[str, float]]:
    """The tokens of a message with their log probabilities."""
    parts = item.content if isinstance(item, ResponseOutputMessage) else []
    texts = [part for part in parts if isinstance(part, ResponseOutputText)]
    return [(entry.token, entry.logprob) for text in texts for entry in text.logprobs or ()]


def without_ids(response: Response) -> dict[str, Any]:
    """What two equal responses have in common."""
    known: dict[str, Any] = response.model_dump(exclude={"id", "created_at", "completed_at"})
    for item in known["output"]:
        item.pop("id")
        item.pop("call_id", None)
    return known


def call_of(response: Response) -> dict[str, Any]:
    """The only item of a response, which is a call."""
    (item,) = response.output
    assert isinstance(item, ResponseFunctionToolCall)
    return {"name": item.name, "arguments": json.loads(item.arguments)}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"input": [{"role": "user", "content": "for ever"}], "max_output_tokens": 60},
        {"tools": TOOLS},
        {"tools": TOOLS, "tool_choice": "required"},
        {"tools": TOOLS, "tool_choice": {"type": "function", "name": TOOL["name"]}},
        {"tools": TOOLS, "max_output_tokens": 4},
        {"tools": TOOLS, "text": FORMAT},
        {"text": FORMAT},
        {"extra_body": {"stop": ["twork"]}},
    ],
    ids=["text", "endless", "auto", "required", "named", "cut-call", "tools-and-format", "format", "stop"],
)
def test_a_stream_adds_up_to_the_whole_response(client: OpenAI, options: dict[str, Any]) -> None:
    streamed, whole = (answer(client, stream=stream, **options) for stream in (True, False))
    assert without_ids(streamed) == without_ids(whole)


def test_a_response_has_the_text_and_the_tokens_of_a_chat(engine: Engine, client: OpenAI) -> None:
    response = answer(client, stream=False)
    usage = engine.chat(PROMPT, temperature=0).json()["usage"]
    assert (response.output_text, response.status, response.model) == (ANSWER, "completed", MODEL)
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (
        *(usage["prompt_tokens"], usage["completion_tokens"]),
        usage["total_tokens"],
    )


def test_a_character_of_several_tokens_comes_whole(client: OpenAI) -> None:
    with client.responses.stream(model=MODEL, input=PROMPT, temperature=0) as events:
        pieces = [event.delta for event in events if isinstance(event, ResponseTextDeltaEvent)]
    assert len(pieces) > 5
    assert [piece for piece in pieces if "🌍" in piece]
    assert not [piece for piece in pieces if "\ufffd" in piece]


@pytest.mark.parametrize("stream", [False, True])
def test_a_response_ends_at_its_limit(client: OpenAI, stream: bool) -> None:
    response = answer(client, stream=stream, input=ENDLESS_PROMPT, max_output_tokens=7)
    assert (response.status, len(response.output_text.split())) == ("incomplete", 7)
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    (item,) = response.output
    assert isinstance(item, ResponseOutputMessage)
    assert item.status == "incomplete"


def test_a_text_ends_before_a_stop_sequence(client: OpenAI) -> None:
    response = answer(client, stream=False, extra_body={"stop": ["twork"]})
    assert (response.output_text, response.status) == (ANSWER[: ANSWER.index("twork")], "completed")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tool_choice": "required"},
        {"tool_choice": {"type": "function", "name": TOOL["name"]}},
        {"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", **TOOL}]}},
        {"text": FORMAT},
    ],
    ids=["auto", "required", "named", "allowed", "beside a format"],
)
def test_the_model_calls_a_tool(client: OpenAI, options: dict[str, Any]) -> None:
    response = answer(client, stream=False, tools=TOOLS, **options)
    assert (call_of(response), response.status) == (TOOL, "completed")


@pytest.mark.parametrize("max_tokens", [2, 3, 4])
@pytest.mark.parametrize("stream", [False, True])
def test_a_call_that_the_limit_cuts_off_is_incomplete(client: OpenAI, stream: bool, max_tokens: int) -> None:
    response = answer(client, stream=stream, tools=TOOLS, max_output_tokens=max_tokens)
    (item,) = response.output
    assert isinstance(item, ResponseFunctionToolCall)
    assert (item.name, item.status, response.status) == (TOOL["name"], "incomplete", "incomplete")


def test_the_model_answers_after_a_tool_has(client: OpenAI) -> None:
    items: list[Any] = [{"role": "user", "content": "Weather?"}]
    first = answer(client, stream=False, input=items, tools=TOOLS)
    (call,) = first.output
    assert isinstance(call, ResponseFunctionToolCall)
    items += [*first.output, {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny."}]
    second = answer(client, stream=False, input=items, tools=TOOLS)
    assert second.output_text == ANSWER
    items += [*second.output, {"role": "user", "content": PROMPT}]
    assert answer(client, stream=True, input=items).output_text == ANSWER


def test_an_answer_follows_a_schema(client: OpenAI) -> None:
    assert set(json.loads(answer(client, stream=False, text=FORMAT).output_text)) == {"city"}


def test_the_final_answer_of_a_loop_of_tools_follows_a_schema(client: OpenAI) -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": TOOL["name"], "arguments": '{"city":"Paris"}'}
    result = {"type": "function_call_output", "call_id": "call_1", "output": "Sunny."}
    items = [{"role": "user", "content": "Weather?"}, call, result]
    for stream in (False, True):
        response = answer(client, stream=stream, input=items, tools=TOOLS, tool_choice="none", text=FORMAT)
        assert set(json.loads(response.output_text)) == {"city"}


@pytest.mark.parametrize("stream", [False, True])
def test_a_token_has_its_log_probability(client: OpenAI, stream: bool) -> None:
    response = answer(client, stream=stream, max_output_tokens=3, **WITH_LOGPROBS)
    (item,) = response.output
    assert isinstance(item, ResponseOutputMessage)
    tokens = item.content[0].to_dict()["logprobs"]
    assert isinstance(tokens, list)
    assert [token["token"] for token in tokens] == ["Deep", " learning", " trains"]
    assert all(token["logprob"] > -0.01 and len(token["top_logprobs"]) == 2 for token in tokens)


def test_developers_may_speak_in_the_middle(engine: Engine, client: OpenAI) -> None:
    turns = [("user", "Hi"), ("assistant", "Hello"), ("developer", "Be brief."), ("user", PROMPT)]
    items = [{"role": role, "content": text} for role, text in turns]
    response = answer(client, stream=False, instructions="Be kind.", input=items)
    roles = {"developer": "system"}
    messages = [{"role": roles.get(role, role), "content": text} for role, text in (("system", "Be kind."), *turns)]
    chat = engine.cloud.request("POST", "/v1/chat/completions", {"model": MODEL, "messages": messages}).json()
    assert response.usage is not None
    assert (response.output_text, response.usage.input_tokens) == (ANSWER, chat["usage"]["prompt_tokens"])


def test_a_prompt_that_is_too_long_is_an_error_in_openais_words(client: OpenAI) -> None:
    with pytest.raises(BadRequestError, match=str(MAX_LENGTH)) as raised:
        answer(client, stream=False, input="x" * (2 * MAX_LENGTH))
    assert (raised.value.code, raised.value.type) == ("context_length_exceeded", "invalid_request_error")
    with pytest.raises(BadRequestError, match=str(MAX_LENGTH)):
        answer(client, stream=True, input="x" * (2 * MAX_LENGTH))


def test_an_image_for_a_model_that_sees_none_is_an_error(client: OpenAI) -> None:
    for stream in (False, True):
        with pytest.raises(BadRequestError) as raised:
            answer(client, stream=stream, input=[{"role": "user", "content": [IMAGE]}])
        assert "image" in raised.value.message
        assert raised.value.param == "input[0].content[0].image_url"


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"top_p": 2}, "top_p"),
        ({"extra_body": {"stop": 1}}, "stop"),
        ({"text": {"format": {"type": "json_schema", "name": "a", "schema": {"type": "text"}}}}, "text.format"),
        ({"input": [{"role": "tool", "content": "Hi"}]}, "input[0].role"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_parameter_that_the_server_would_refuse_is_named(client: OpenAI, options: Any, param: str) -> None:
    with pytest.raises(BadRequestError) as raised:
        answer(client, stream=False, **options)
    assert raised.value.param is not None
    assert raised.value.param.startswith(param)


@pytest.mark.usefixtures("credentials")
def test_most_events_of_a_text_are_not_parsed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"input": ENDLESS_PROMPT, "max_output_tokens": 200}
    response, sent, parsed = count_parsed(engine, "/v1/responses", body, monkeypatch)
    pieces = [event["delta"] for event in response.events() if event["type"] == "response.output_text.delta"]
    assert len("".join(pieces).split()) == 200
    assert sent > 100
    assert parsed < 10
