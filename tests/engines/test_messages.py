"""Anthropic's client against the real server: what it gets is what a chat with the model has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic import Anthropic, BadRequestError
from anthropic.types import Message, TextBlock, ToolUseBlock

from tests.engines.engine import Engine
from tests.engines.fast_way import count_parsed
from tests.engines.stack import MODEL
from tests.engines.test_front_door import PARAMETERS
from tests.engines.tiny_llama import ANSWER, ENDLESS_PROMPT, MAX_LENGTH, TOOL

PROMPT = "What is deep learning?"
MESSAGES: list[Any] = [{"role": "user", "content": PROMPT}]
TOOLS: Any = [{"name": TOOL["name"], "input_schema": PARAMETERS}]
FORMAT: Any = {"format": {"type": "json_schema", "schema": PARAMETERS}}
CALLED: list[Any] = [
    {"role": "user", "content": "Weather?"},
    {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Ré"}}],
    },
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "Sunny."}]},
]
IMAGE: Any = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}


@pytest.fixture
def client(engine: Engine) -> Anthropic:
    engine.cloud.limiter.take(2)
    return Anthropic(base_url=engine.cloud.url, api_key=engine.cloud.api_key, max_retries=0)


def answer(client: Anthropic, *, stream: bool, content: str | None = None, **options: Any) -> Message:
    """A message, whole or put together by the client; at temperature 0."""
    messages = MESSAGES if content is None else [{"role": "user", "content": content}]
    sampling = {"extra_body": {"temperature": 0}}
    asked = {"model": MODEL, "max_tokens": 60, "messages": messages, **sampling, **options}
    if not stream:
        message: Message = client.messages.create(**asked)
        return message
    with client.messages.stream(**asked) as events:
        return Message.model_validate(events.get_final_message().model_dump(exclude={"parsed_output"}))


def without_ids(message: Message) -> dict[str, Any]:
    """What two equal messages have in common."""
    known: dict[str, Any] = message.model_dump(exclude={"id"})
    for block in known["content"]:
        block.pop("id", None)
    return known


def text_of(message: Message) -> str:
    """The text of a message that has nothing else."""
    (block,) = message.content
    assert isinstance(block, TextBlock)
    return block.text


def call_of(message: Message) -> dict[str, Any]:
    """The only block of a message, which is a call."""
    (block,) = message.content
    assert isinstance(block, ToolUseBlock)
    return {"name": block.name, "arguments": block.input}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"content": ENDLESS_PROMPT},
        {"tools": TOOLS},
        {"tools": TOOLS, "tool_choice": {"type": "any"}},
        {"tools": TOOLS, "tool_choice": {"type": "tool", "name": TOOL["name"]}},
        {"tools": TOOLS, "output_config": FORMAT},
        {"output_config": FORMAT},
        {"stop_sequences": ["twork"]},
    ],
    ids=["text", "endless", "auto", "any", "tool", "tools-and-format", "format", "stop"],
)
def test_a_stream_adds_up_to_the_whole_message(client: Anthropic, options: dict[str, Any]) -> None:
    streamed, whole = (answer(client, stream=stream, **options) for stream in (True, False))
    assert without_ids(streamed) == without_ids(whole)


def test_a_message_has_the_text_and_the_tokens_of_a_chat(engine: Engine, client: Anthropic) -> None:
    message = answer(client, stream=False)
    usage = engine.chat(PROMPT, temperature=0).json()["usage"]
    assert (text_of(message), message.stop_reason, message.model) == (ANSWER, "end_turn", MODEL)
    assert (message.usage.input_tokens, message.usage.output_tokens) == (
        usage["prompt_tokens"],
        usage["completion_tokens"],
    )


def test_a_character_of_several_tokens_comes_whole(client: Anthropic) -> None:
    with client.messages.stream(model=MODEL, max_tokens=60, messages=MESSAGES) as events:
        pieces = list(events.text_stream)
    assert len(pieces) > 5
    assert [piece for piece in pieces if "🌍" in piece]
    assert not [piece for piece in pieces if "\ufffd" in piece]


@pytest.mark.parametrize("stream", [False, True])
def test_a_message_says_which_stop_sequence_has_ended_it(client: Anthropic, stream: bool) -> None:
    message = answer(client, stream=stream, stop_sequences=["never", "twork", "layers"])
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "twork")
    assert text_of(message) == ANSWER[: ANSWER.index("twork")]
    assert answer(client, stream=stream, stop_sequences=["never"]).stop_reason == "end_turn"


@pytest.mark.parametrize("stream", [False, True])
def test_a_message_ends_at_its_limit(client: Anthropic, stream: bool) -> None:
    message = answer(client, stream=stream, content=ENDLESS_PROMPT, max_tokens=7)
    assert (message.stop_reason, message.usage.output_tokens, len(text_of(message).split())) == ("max_tokens", 7, 7)


@pytest.mark.parametrize("stream", [False, True])
def test_a_message_ends_where_the_context_does(client: Anthropic, stream: bool) -> None:
    content = "x" * (MAX_LENGTH - 100) + ENDLESS_PROMPT
    message = answer(client, stream=stream, content=content, max_tokens=MAX_LENGTH)
    assert message.stop_reason == "model_context_window_exceeded"
    left = MAX_LENGTH - message.usage.input_tokens
    assert left / 2 < message.usage.output_tokens <= left  # the server does not say how many there are


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tool_choice": {"type": "any"}},
        {"tool_choice": {"type": "tool", "name": TOOL["name"]}},
        {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        {"output_config": FORMAT},
    ],
    ids=["auto", "any", "tool", "one at most", "beside a format"],
)
def test_the_model_calls_a_tool(client: Anthropic, options: dict[str, Any]) -> None:
    message = answer(client, stream=False, tools=TOOLS, **options)
    assert (call_of(message), message.stop_reason) == (TOOL, "tool_use")


@pytest.mark.parametrize("max_tokens", [2, 3, 4])
@pytest.mark.parametrize("stream", [False, True])
def test_a_call_that_the_limit_cuts_off_is_no_call_to_make(client: Anthropic, stream: bool, max_tokens: int) -> None:
    message = answer(client, stream=stream, tools=TOOLS, max_tokens=max_tokens)
    assert (call_of(message)["name"], message.stop_reason) == (TOOL["name"], "max_tokens")


def test_the_model_answers_after_a_tool_has(client: Anthropic) -> None:
    first = answer(client, stream=True, tools=TOOLS)
    (call,) = first.content
    assert isinstance(call, ToolUseBlock)
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "No.", "is_error": True}
    turns = [*MESSAGES, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    assert text_of(answer(client, stream=False, messages=turns, tools=TOOLS)) == ANSWER
    assert text_of(answer(client, stream=False, messages=CALLED, tools=TOOLS)) == ANSWER


def test_an_answer_follows_a_schema(client: Anthropic) -> None:
    assert set(json.loads(text_of(answer(client, stream=False, output_config=FORMAT)))) == {"city"}


@pytest.mark.parametrize("stream", [False, True])
def test_the_final_answer_of_a_loop_of_tools_follows_a_schema(client: Anthropic, stream: bool) -> None:
    options = {"tools": TOOLS, "tool_choice": {"type": "none"}, "output_config": FORMAT}
    assert set(json.loads(text_of(answer(client, stream=stream, messages=CALLED, **options)))) == {"city"}


@pytest.mark.parametrize("stream", [False, True])
def test_the_model_goes_on_with_the_beginning_of_its_answer(client: Anthropic, stream: bool) -> None:
    beginning = "Deep learning trains"
    turns = [*MESSAGES, {"role": "assistant", "content": beginning}]
    message = answer(client, stream=stream, messages=turns)
    assert (text_of(message), message.stop_reason) == (ANSWER.removeprefix(beginning), "end_turn")


@pytest.mark.parametrize(
    "asked",
    [
        {"messages": MESSAGES},
        {"messages": MESSAGES, "system": "Be brief. 🌍"},
        {"messages": MESSAGES, "tools": TOOLS},
        {"messages": CALLED, "tools": TOOLS, "system": [{"type": "text", "text": "Be kind."}]},
        {"messages": [*MESSAGES, {"role": "assistant", "content": "Deep learning"}]},
    ],
    ids=["text", "system", "tools", "results", "beginning"],
)
def test_as_many_tokens_are_counted_as_a_message_has(client: Anthropic, asked: dict[str, Any]) -> None:
    counted = client.messages.count_tokens(model=MODEL, **asked)
    assert counted.input_tokens == answer(client, stream=False, **asked).usage.input_tokens


def test_a_system_message_in_the_middle_is_read(engine: Engine, client: Anthropic) -> None:
    turns = [("user", "Hi"), ("assistant", "Hello"), ("system", "Be brief."), ("user", PROMPT)]
    message = answer(client, stream=False, messages=[{"role": role, "content": text} for role, text in turns])
    first = [("system", "Be brief."), *(turn for turn in turns if turn[0] != "system")]
    messages = [{"role": role, "content": text} for role, text in first]
    chat = engine.cloud.request("POST", "/v1/chat/completions", {"model": MODEL, "messages": messages}).json()
    assert (text_of(message), message.usage.input_tokens) == (ANSWER, chat["usage"]["prompt_tokens"])


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_that_is_too_long_is_an_error_in_anthropics_words(client: Anthropic, stream: bool) -> None:
    with pytest.raises(BadRequestError, match=f"prompt is too long: .*{MAX_LENGTH}") as raised:
        answer(client, stream=stream, content="x" * (2 * MAX_LENGTH))
    assert (raised.value.type, raised.value.status_code) == ("invalid_request_error", 400)
    assert raised.value.request_id


@pytest.mark.parametrize("stream", [False, True])
def test_an_image_for_a_model_that_sees_none_is_an_error(client: Anthropic, stream: bool) -> None:
    turns = [*MESSAGES, {"role": "user", "content": [IMAGE]}]
    with pytest.raises(BadRequestError, match=r"messages\[1\]\.content\[0\].*image"):
        answer(client, stream=stream, messages=turns)


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"extra_body": {"temperature": 2}}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop_sequences": ["END", ""]}, r"stop_sequences\[1\]"),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "text"}}}}, "output_config.format"),
        ({"tools": [{"name": "a", "input_schema": "{}"}]}, r"tools\[0\].input_schema"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_parameter_that_the_server_would_refuse_is_named(client: Anthropic, options: Any, param: str) -> None:
    with pytest.raises(BadRequestError, match=param):
        answer(client, stream=False, **options)


@pytest.mark.usefixtures("credentials")
def test_most_events_of_a_text_are_not_parsed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"messages": [{"role": "user", "content": ENDLESS_PROMPT}], "max_tokens": 200}
    response, sent, parsed = count_parsed(engine, "/v1/messages", body, monkeypatch)
    pieces = [event["delta"]["text"] for event in response.events() if event["type"] == "content_block_delta"]
    assert len("".join(pieces).split()) == 200
    assert sent > 100
    assert parsed < 10
