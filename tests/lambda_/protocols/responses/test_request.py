"""What of a request for a response becomes a chat, what is repeated in the response, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from front_door.errors import ApiError
from front_door.generation.request import Problems
from front_door.protocols.responses.request import ResponseRequest, read_request

FUNCTION = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": True}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def read(has_efforts: bool = True, **body: Any) -> ResponseRequest:
    problems = Problems()
    request = read_request({"input": "Hi", **body}, problems, has_efforts=has_efforts)
    problems.raise_if_any()
    return request


def chat(**body: Any) -> dict[str, Any]:
    request = read(**body)
    assert request.chat.pop("messages") == [{"role": "user", "content": "Hi"}]
    return request.chat


def refusal(**body: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read(**body)
    assert caught.value.status == 400
    return caught.value


def test_names_of_a_chat_take_the_place_of_those_of_a_response() -> None:
    same = {"temperature": 0, "top_p": 0.5, "parallel_tool_calls": False}
    assert chat(max_output_tokens=7, **same) == {"max_tokens": 7, **same}
    assert chat() == {}


def test_a_function_has_the_form_of_a_chats() -> None:
    body = chat(tools=[{**FUNCTION, "description": None}, {"type": "function", "name": "now", "parameters": None}])
    function = {name: FUNCTION[name] for name in ("name", "parameters", "strict")}
    assert body["tools"] == [
        {"type": "function", "function": function},
        {"type": "function", "function": {"name": "now"}},
    ]
    assert read(tools=[FUNCTION]).names["tools[0].function"] == "tools[0]"
    assert "tools" not in chat(tools=[])


NAMED = {"type": "function", "name": "weather"}
CHAT_NAMED = {"type": "function", "function": {"name": "weather"}}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", "none"),
        ("required", "required"),
        (NAMED, CHAT_NAMED),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [NAMED]},
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [CHAT_NAMED]}},
        ),
    ],
)
def test_the_choice_of_a_tool_has_the_form_of_a_chats(choice: Any, expected: Any) -> None:
    request = read(tools=[FUNCTION], tool_choice=choice)
    assert request.chat["tool_choice"] == expected
    assert request.settings["tool_choice"] == choice


def test_a_format_has_the_form_of_a_chats() -> None:
    form = {"type": "json_schema", "name": "Weather", "schema": SCHEMA, "strict": True, "description": None}
    schema = {"name": "Weather", "schema": SCHEMA, "strict": True}
    assert chat(text={"format": form})["response_format"] == {"type": "json_schema", "json_schema": schema}
    assert chat(text={"format": {"type": "json_object"}})["response_format"] == {"type": "json_object"}
    assert "response_format" not in chat(text={"format": {"type": "text"}, "verbosity": "low"})
    assert "response_format" not in chat(text={"format": None})


def test_log_probabilities_are_asked_for_by_include() -> None:
    assert chat(include=["message.output_text.logprobs"], top_logprobs=2) == {"logprobs": True, "top_logprobs": 2}
    assert chat(include=["reasoning.encrypted_content"], top_logprobs=2) == {}


def test_how_much_to_think_is_asked_of_servers_that_read_it() -> None:
    reasoning = {"effort": "low", "summary": "auto"}
    honoured = read(reasoning=reasoning)
    assert honoured.chat["reasoning_effort"] == "low"
    assert honoured.settings["reasoning"] == {"effort": "low", "summary": None}
    passed_over = read(has_efforts=False, reasoning=reasoning)
    assert "reasoning_effort" not in passed_over.chat
    assert passed_over.settings["reasoning"] == {"effort": None, "summary": None}
    assert "reasoning_effort" not in chat(reasoning={"summary": "auto"})


def test_what_cannot_change_the_answer_is_taken() -> None:
    taken = {
        "background": False,
        "client_metadata": {"session_id": "x"},
        "max_tool_calls": 3,
        "metadata": {"team": "a"},
        "moderation": None,
        "previous_response_id": None,
        "prompt_cache_key": "k",
        "prompt_cache_options": {"mode": "implicit"},
        "prompt_cache_retention": "24h",
        "safety_identifier": "s",
        "service_tier": "auto",
        "store": True,
        "stream_options": {"include_obfuscation": False},
        "truncation": "auto",
        "user": "u",
    }
    assert chat(**taken) == {}


@pytest.mark.parametrize("item", [{"type": "item_reference", "id": "rs_1"}, {"id": "rs_1"}, {"type": "reasoning"}])
def test_reasoning_of_earlier_answers_is_taken(item: dict[str, Any]) -> None:
    assert read(input=[{"role": "user", "content": "Hi"}, item]).chat["messages"] == [{"role": "user", "content": "Hi"}]


def test_members_that_only_chats_have_are_the_chats() -> None:
    others = {"seed": 3, "top_k": 5, "stop": ["x"], "skip_special_tokens": False, "nobody": 1}
    assert chat(**others) == others


def test_the_response_says_what_was_done() -> None:
    settings = read(
        store=True,
        truncation="auto",
        service_tier="auto",
        text={"verbosity": "low"},
        tools=[NAMED],
        metadata={"a": "b"},
    ).settings
    assert settings["store"] is False
    assert (settings["truncation"], settings["service_tier"]) == ("disabled", "default")
    assert settings["text"] == {"format": {"type": "text"}, "verbosity": "medium"}
    assert settings["tools"] == [{**NAMED, "description": None, "parameters": None, "strict": None}]
    assert settings["metadata"] == {"a": "b"}
    repeated = {"instructions": "i", "temperature": 0.5, "top_p": 1, "max_output_tokens": 7, "user": "u"}
    assert read(**repeated).settings.items() >= repeated.items()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("previous_response_id", "resp_1"),
        ("conversation", "conv_1"),
        ("conversation", {"id": "conv_1"}),
        ("prompt", {"id": "pmpt_1"}),
        ("background", True),
    ],
)
def test_what_needs_a_store_is_refused_by_its_name(name: str, value: object) -> None:
    error = refusal(**{name: value})
    assert error.param == name
    assert error.message.startswith(f"{name} needs a store, and nothing is stored here: ")


@pytest.mark.parametrize(
    ("name", "value", "instead"),
    [
        ("messages", [], "use `input`"),
        ("max_tokens", 5, "use `max_output_tokens`"),
        ("max_completion_tokens", 5, "use `max_output_tokens`"),
        ("response_format", {"type": "text"}, "use `text.format`"),
        ("reasoning_effort", "low", "use `reasoning.effort`"),
        ("logprobs", True, "put `message.output_text.logprobs` into `include`"),
        ("n", 2, "a response has one answer"),
        ("moderation", {"model": "m"}, "nothing is moderated here"),
        ("context_management", [{"type": "compaction"}], "nothing is compacted here, shorten `input`"),
    ],
)
def test_what_would_change_the_answer_is_refused_by_its_name(name: str, value: object, instead: str) -> None:
    error = refusal(**{name: value})
    assert (error.param, error.message) == (name, f"{name} is not supported: {instead}")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": ["Hi"]}, "input[0]"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role"),
        ({"input": [{"content": "x"}]}, "input[0].role"),
        ({"input": [{"type": "web_search_call", "id": "ws_1"}]}, "input[0].type"),
        ({"input": [{"type": 5}]}, "input[0].type"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": [{"id": "msg_1"}]}, "input[0]"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
            "input[0].content[0].type",
        ),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            "input[0].content[0].file_id",
        ),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input[0].content[0].image_url"),
        (
            {"input": [{"role": "assistant", "content": [{"type": "input_image", "image_url": "u"}]}]},
            "input[0].content[0].type",
        ),
        ({"input": [{"type": "function_call", "call_id": "c", "name": "f"}]}, "input[0].arguments"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].call_id"),
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": {}}]}, "input[0].output"),
        ({"instructions": ["x"]}, "instructions"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": True}, "max_output_tokens"),
        ({"temperature": "1"}, "temperature"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"include": ["everything"]}, "include[0]"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [FUNCTION, {"type": "custom", "name": "patch"}]}, "tools[1].type"),
        ({"tools": [{"name": "weather"}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{**FUNCTION, "parameters": []}]}, "tools[0].parameters"),
        ({"tool_choice": "weather"}, "tool_choice"),
        ({"tool_choice": {"type": "web_search"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "allowed_tools", "mode": "none", "tools": []}}, "tool_choice.mode"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema"),
        ({"text": "json"}, "text"),
        ({"truncation": "middle"}, "truncation"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"stream": "yes"}, "stream"),
        ({"metadata": "x"}, "metadata"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"reasoning": {"effort": "much"}}, "reasoning.effort"),
        ({"prompt_cache_retention": "1h"}, "prompt_cache_retention"),
    ],
)
def test_a_wrong_value_is_refused_by_its_place(body: dict[str, Any], param: str) -> None:
    error = refusal(**body)
    assert error.param == param
    assert error.message.startswith(f"{param}: ")


def test_without_input_nothing_is_answered() -> None:
    problems = Problems()
    read_request({}, problems, has_efforts=False)
    with pytest.raises(ApiError, match="input: missing field `input`"):
        problems.raise_if_any()


def test_all_problems_are_reported_together() -> None:
    error = refusal(input=[{"type": "x"}], tools=[{"type": "mcp"}], conversation="c", n=2)
    assert [sentence.split(":")[0].split(" ")[0] for sentence in error.message.split("; ")] == [
        *("input[0].type", "tools[0].type", "conversation", "n")
    ]
