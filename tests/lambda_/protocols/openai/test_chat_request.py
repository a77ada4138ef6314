"""From OpenAI's chat request to TGI's: what is sent, and what is rejected with which message."""

import json
import time
from typing import Any

import pytest
from front_door.engines.tgi.tools import arguments_of
from front_door.errors import ApiError
from front_door.generation.request import Problems
from front_door.protocols.openai.chat import parse_chat

from tests.lambda_.protocols.openai.bodies import chat_bodies
from tests.lambda_.protocols.openai.events import HI, TOOLS

FACTS = {"max_stop_sequences": 4, "max_top_n_tokens": 5}
ALWAYS = {"stream": True, "stream_options": {"include_usage": True}}


def bodies(body: dict[str, Any], facts: dict[str, Any] = FACTS) -> list[dict[str, Any]]:
    return chat_bodies({**HI, **body}, facts)


def sent(body: dict[str, Any]) -> dict[str, Any]:
    """What differs from the members that are always sent."""
    (only,) = bodies(body)
    assert {name: only[name] for name in ALWAYS} == ALWAYS
    return {name: value for name, value in only.items() if name not in (*ALWAYS, "messages")}


def rejection(body: dict[str, Any], facts: dict[str, Any] = FACTS) -> tuple[str | None, str]:
    with pytest.raises(ApiError) as raised:
        bodies(body, facts)
    assert (raised.value.kind, raised.value.status) == ("bad_request", 400)
    return raised.value.param, raised.value.message


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {}),
        ({"temperature": None, "stop": None, "stream": None, "tools": None, "n": None, "response_format": None}, {}),
        ({"temperature": 0}, {"temperature": 0}),
        ({"top_p": 1}, {}),
        ({"temperature": 0, "top_p": 0.5}, {"temperature": 0}),
        ({"top_p": 1.0}, {}),
        ({"top_p": 0.5}, {"top_p": 0.5}),
        ({"top_p": 0}, {"top_p": 1e-6}),
        ({"stop": "a"}, {"stop": ["a"]}),
        ({"stop": ["a", "b", "a"]}, {"stop": ["a", "b"]}),
        ({"stop": []}, {}),
        ({"seed": 2**64 - 1}, {"seed": 2**64 - 1}),
        ({"seed": -1}, {"seed": 2**64 - 1}),
        ({"frequency_penalty": 0.5}, {"frequency_penalty": 0.5}),
        ({"presence_penalty": 0}, {}),
        ({"presence_penalty": 0.0}, {}),
        ({"logit_bias": {}}, {}),
        ({"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_completion_tokens": 5}, {"max_tokens": 5}),
        ({"max_tokens": 5, "max_completion_tokens": 5}, {"max_tokens": 5}),
        ({"logprobs": False}, {}),
        ({"logprobs": True}, {"logprobs": True}),
        ({"logprobs": True, "top_logprobs": 0}, {"logprobs": True}),
        ({"logprobs": True, "top_logprobs": 5}, {"logprobs": True, "top_logprobs": 5}),
        ({"response_format": {"type": "text"}}, {}),
        ({"service_tier": "default", "verbosity": "medium", "modalities": ["text"], "store": True}, {}),
        ({"user": "u", "metadata": {"a": "b"}, "parallel_tool_calls": False, "safety_identifier": "s"}, {}),
        ({"prompt_cache_key": "k", "prompt_cache_options": {"ttl": "30m"}, "prompt_cache_retention": "24h"}, {}),
    ],
)
def test_openais_parameters_are_sent_as_tgi_accepts_them(body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert sent(body) == expected


@pytest.mark.parametrize(
    ("body", "param", "expected_message"),
    [
        ({"logit_bias": {"50256": -100}}, "logit_bias", "logit_bias is not supported"),
        ({"logit_bias": [1]}, "logit_bias", "logit_bias is not supported"),
        ({"presence_penalty": -0.1}, "presence_penalty", "presence_penalty is supported as 0 only"),
        ({"max_tokens": 1, "max_completion_tokens": 2}, "max_tokens", "are the same parameter and differ"),
        ({"top_logprobs": 2}, "top_logprobs", "top_logprobs is allowed with logprobs only"),
        ({"logprobs": True, "top_logprobs": 6}, "top_logprobs", "top_logprobs is 6, this model returns at most 5"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "stop has 5 sequences, this model accepts at most 4"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "stream_options is allowed with stream only"),
        ({"n": 9}, "n", "n (9) is more than the 8 choices that one request may have"),
        ({"functions": [{"name": "f"}]}, "functions", "functions is not supported: use `tools`"),
        ({"function_call": "auto"}, "function_call", "function_call is not supported: use `tool_choice`"),
        ({"audio": {"voice": "alloy"}}, "audio", "audio is not supported: the answer is text"),
        ({"prediction": {"type": "content"}}, "prediction", "prediction is not supported"),
        ({"web_search_options": {}}, "web_search_options", "web_search_options is not supported"),
        ({"reasoning_effort": "low"}, "reasoning_effort", "reasoning_effort is not supported"),
        ({"moderation": {"model": "m"}}, "moderation", "moderation is not supported"),
        ({"service_tier": "flex"}, "service_tier", "service_tier is supported as `auto` or `default` only"),
        ({"verbosity": "low"}, "verbosity", "verbosity is supported as `medium` only"),
        ({"modalities": ["text", "audio"]}, "modalities", 'modalities is supported as `["text"]` only'),
        ({"min_p": 5}, "min_p", "Unrecognized request argument supplied: min_p"),
        ({"prompt": "x"}, "prompt", "Unrecognized request argument supplied: prompt"),
        ({"inputs": "x", "parameters": {}}, "inputs", "Unrecognized request arguments supplied: inputs, parameters"),
    ],
)
def test_parameters_that_tgi_does_not_support_are_rejected_by_name(
    body: dict[str, Any], param: str, expected_message: str
) -> None:
    assert rejection(body)[0] == param
    assert expected_message in rejection(body)[1]


def test_an_unknown_limit_is_left_to_the_container() -> None:
    body = {"stop": ["a", "b", "c", "d", "e"], "logprobs": True, "top_logprobs": 20}
    (only,) = bodies(body, {})
    assert (only["stop"], only["top_logprobs"]) == (body["stop"], 20)


def test_each_choice_is_a_request_with_its_own_seed() -> None:
    assert [body["seed"] for body in bodies({"n": 3, "seed": 2**64 - 2})] == [2**64 - 2, 2**64 - 1, 0]
    unseeded = bodies({"n": 2})
    assert len(unseeded) == 2
    assert all("seed" not in body for body in unseeded)


def test_the_form_of_the_response_is_parsed() -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}, "stop": "x", "logprobs": True, "n": 2}
    request = parse_chat({**HI, **options}, Problems(), strict=True)
    assert (request.stream, request.include_usage, request.stop_sequences, request.logprobs, request.n) == (
        True,
        True,
        ("x",),
        True,
        2,
    )


CALL = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": '{"zone":"é"}'}}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"role": "developer", "content": "Be kind."}, {"role": "system", "content": "Be kind."}),
        ({"role": "user", "content": "Hi", "name": "David"}, {"role": "user", "content": "Hi", "name": "David"}),
        ({"role": "tool", "content": "5", "tool_call_id": "call_1"}, {"role": "tool", "content": "5"}),
        (
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        ),
        (
            {"role": "assistant", "content": None, "refusal": None, "tool_calls": [CALL]},
            {"role": "assistant", "tool_calls": [CALL]},
        ),
        ({"role": "assistant", "content": "", "tool_calls": [CALL]}, {"role": "assistant", "tool_calls": [CALL]}),
        ({"role": "assistant", "content": "Hi", "tool_calls": None}, {"role": "assistant", "content": "Hi"}),
        ({"role": "assistant", "content": "Hi", "tool_calls": []}, {"role": "assistant", "content": "Hi"}),
    ],
)
def test_messages_are_translated(message: dict[str, Any], expected: dict[str, Any]) -> None:
    (only,) = bodies({"messages": [message]})
    assert only["messages"] == [expected]


@pytest.mark.parametrize("content", ["Let me see.", [{"type": "text", "text": "Let me see."}]])
def test_a_message_with_text_and_tool_calls_keeps_both(content: Any) -> None:
    """TGI reads only the text; when it reads tool calls, it shows the model their JSON."""
    (only,) = bodies({"messages": [{"role": "assistant", "content": content, "tool_calls": [CALL]}]})
    (message,) = only["messages"]
    result = message["content"] if isinstance(content, str) else "".join(part["text"] for part in message["content"])
    first, shown = result.split("\n")
    function = {"description": None, "name": "now", "arguments": json.dumps('{"zone":"é"}', ensure_ascii=False)}
    assert (first, json.loads(shown)) == ("Let me see.", [{**CALL, "function": function}])


NOW = {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def allowed(mode: str, *names: str) -> dict[str, Any]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [named(name) for name in names]}}


@pytest.mark.parametrize(
    ("choice", "names", "result"),
    [
        (None, ["weather", "now"], "auto"),
        ("auto", ["weather", "now"], "auto"),
        ("required", ["weather", "now"], "required"),
        ("now", ["now"], "now"),
        (named("now"), ["now"], named("now")),
        (allowed("auto", "now"), ["now"], "auto"),
        (allowed("required", "now", "weather"), ["weather", "now"], "required"),
    ],
)
def test_a_tool_choice_decides_which_tools_are_sent(choice: object, names: list[str], result: object) -> None:
    body = sent({"tools": TOOLS, "tool_choice": choice})
    assert [tool["function"]["name"] for tool in body["tools"]] == names
    assert body["tool_choice"] == result
    assert body["tools"][-1 if names[-1] == "now" else 0] == NOW


@pytest.mark.parametrize(
    "body",
    [
        {"tools": TOOLS, "tool_choice": "none"},
        {"tools": [], "tool_choice": "auto"},
        {"tools": []},
        {"tool_choice": "none"},
    ],
)
def test_without_a_tool_to_call_none_is_sent(body: dict[str, Any]) -> None:
    assert sent(body) == {}


def test_a_tool_is_sent_with_the_members_that_tgi_knows() -> None:
    function = {
        "name": "f",
        "description": "d",
        "strict": True,
        "parameters": {"type": "object", "properties": {"a": {}}},
    }
    (tool,) = sent({"tools": [{"type": "function", "function": function}], "tool_prompt": "p"})["tools"]
    assert tool["function"].keys() == {"name", "description", "parameters"}
    assert tool["function"]["parameters"]["properties"]["a"].keys() == {"anyOf"}


def test_a_tool_prompt_is_sent_with_tools_only() -> None:
    assert sent({"tools": TOOLS, "tool_prompt": "p"})["tool_prompt"] == "p"
    assert sent({"tool_prompt": "p"}) == {}


def test_stop_sequences_are_not_sent_with_tools_as_they_would_end_a_call_in_the_middle() -> None:
    assert "stop" not in sent({"tools": TOOLS, "stop": "e"})
    assert sent({"tools": TOOLS, "tool_choice": "none", "stop": "e"}) == {"stop": ["e"]}


def test_the_required_arguments_of_a_tool_are_known() -> None:
    request = parse_chat({**HI, "tools": TOOLS}, Problems(), strict=True)
    found = [arguments_of(request, name) for name in ("weather", "now")]
    assert [arguments.required for arguments in found if arguments is not None] == [["city"], []]
    assert arguments_of(request, "then") is None


def test_a_tool_that_is_given_twice_is_sent_once() -> None:
    assert [tool["function"]["name"] for tool in sent({"tools": [*TOOLS, *TOOLS]})["tools"]] == ["weather", "now"]


def test_many_tools_take_no_longer_each() -> None:
    started = time.process_time()
    assert len(sent({"tools": [named(f"t{at}") for at in range(20_000)]})["tools"]) == 20_000
    assert time.process_time() - started < 8


def test_of_many_names_a_message_has_the_first() -> None:
    tools = [named(f"t{at}") for at in range(22)]
    for body in ({f"t{at}": 1 for at in range(22)}, {"tools": tools, "tool_choice": "no"}):
        assert rejection(body)[1].endswith("t0, " + ", ".join(f"t{at}" for at in range(1, 20)) + ", and 2 more")


def test_two_tools_of_one_name_are_rejected() -> None:
    other = {"type": "function", "function": {"name": "weather", "description": "another"}}
    param, message = rejection({"tools": [*TOOLS, other]})
    assert param == "tools[2].function.name"
    assert message == f"{param}: an earlier tool has this name and another definition, rename one"


@pytest.mark.parametrize(
    ("body", "param", "expected_message"),
    [
        ({"tool_choice": "required"}, "tool_choice", "tool_choice is allowed with tools only"),
        ({"tool_choice": named("now")}, "tool_choice", "tool_choice is allowed with tools only"),
        ({"tools": TOOLS, "tool_choice": named("then")}, "tool_choice", "not among the tools: weather, now"),
        ({"tools": TOOLS, "tool_choice": allowed("auto", "then")}, "tool_choice", "not among the tools: weather, now"),
        (
            {"tools": TOOLS, "tool_choice": allowed("required")},
            "tool_choice",
            "tool_choice requires a call but allows no tool: name one in `allowed_tools.tools`",
        ),
        ({"tools": [named("no_tool")]}, "tools[0].function.name", "no_tool is reserved by this model's server"),
        (
            {
                "tools": [
                    {
                        "type": "function",
                        "function": {"name": "f", "parameters": {"properties": {"a": {"$ref": "#/$defs/A"}}}},
                    }
                ]
            },
            "tools[0].function.parameters",
            "a $ref points to something that is not in the schema",
        ),
    ],
)
def test_unsupported_tools_are_rejected(body: dict[str, Any], param: str, expected_message: str) -> None:
    assert rejection(body)[0] == param
    assert expected_message in rejection(body)[1]


def test_a_response_format_is_allowed_with_tools_if_none_may_be_called() -> None:
    body = sent({"tools": TOOLS, "tool_choice": "none", "response_format": {"type": "json_object"}})
    assert body.keys() == {"response_format"}
