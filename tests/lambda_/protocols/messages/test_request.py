"""From the body of a message to that of a chat: what is read, and what is refused with which sentence."""

from typing import Any

import pytest
from front_door.engines.openai.engine import OpenAiEngine
from front_door.engines.openai.lmi import LmiEngine
from front_door.engines.openai.sglang import SglangEngine
from front_door.engines.openai.vllm import VllmEngine
from front_door.errors import ApiError
from front_door.generation.openai_server import OpenAiServer
from front_door.generation.request import Problems
from front_door.protocols.messages.request import MessagesRequest, read_count, read_message

HI: dict[str, Any] = {"max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"name": "weather", "description": "The weather.", "input_schema": SCHEMA}
FUNCTION = {"name": "weather", "description": "The weather.", "parameters": SCHEMA}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
BEGUN = [*HI["messages"], {"role": "assistant", "content": "The sum is"}]


def read(body: dict[str, Any], server: OpenAiServer | None = None) -> MessagesRequest:
    problems = Problems()
    request = read_message({**HI, **body}, server, problems)
    problems.raise_if_any()
    return request


def added(body: dict[str, Any], server: OpenAiServer | None = None) -> dict[str, Any]:
    """What a member adds to the chat."""
    chat = read(body, server).chat
    same = {"max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
    return {name: value for name, value in chat.items() if value != same.get(name)}


def refusal(body: dict[str, Any], server: OpenAiServer | None = None) -> str:
    with pytest.raises(ApiError) as raised:
        read(body, server)
    assert (raised.value.kind, raised.value.status) == ("bad_request", 400)
    return raised.value.message


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {}),
        ({"max_tokens": 7}, {"max_tokens": 7}),
        ({"temperature": 0, "top_p": 1.0}, {"temperature": 0, "top_p": 1.0}),
        ({"temperature": None, "top_k": None, "stop_sequences": None, "tools": None, "stream": None}, {}),
        ({"top_k": 0, "stop_sequences": [], "tools": []}, {}),
        ({"stop_sequences": ["a", "b"]}, {"stop": ["a", "b"]}),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, {}),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}, {}),
        ({"metadata": {"user_id": "u"}, "service_tier": "auto", "cache_control": {"type": "ephemeral"}}, {}),
        ({"context_management": {"edits": []}, "betas": ["b"], "anthropic_version": "bedrock-2023-05-31"}, {}),
        ({"container": None, "mcp_servers": [], "inference_geo": None, "speed": "standard"}, {}),
    ],
)
def test_parameters_of_a_chat(body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert added(body) == expected


def test_top_k_goes_to_the_servers_that_have_it() -> None:
    for server in (VllmEngine(), SglangEngine(), LmiEngine(), OpenAiEngine()):
        assert added({"top_k": 5}, server) == {"top_k": 5}
    assert refusal({"top_k": 5}) == "top_k is not supported by this model's server: leave it out"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, {}),
        ({"type": "auto"}, {"tool_choice": "auto"}),
        ({"type": "any"}, {"tool_choice": "required"}),
        ({"type": "none"}, {"tool_choice": "none"}),
        (
            {"type": "tool", "name": "weather"},
            {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
        ),
        (
            {"type": "auto", "disable_parallel_tool_use": True},
            {"tool_choice": "auto", "parallel_tool_calls": False},
        ),
        ({"type": "any", "disable_parallel_tool_use": False}, {"tool_choice": "required"}),
    ],
)
def test_the_choice_of_a_tool(choice: dict[str, Any] | None, expected: dict[str, Any]) -> None:
    tools = [{"type": "function", "function": FUNCTION}]
    assert added({"tools": [TOOL], "tool_choice": choice}) == {"tools": tools, **expected}


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        (TOOL, FUNCTION),
        ({**TOOL, "type": "custom", "cache_control": {"type": "ephemeral"}, "strict": True}, FUNCTION),
        ({**TOOL, "type": "bash_20250124"}, FUNCTION),
        ({"name": "now", "input_schema": {"type": "object"}}, {"name": "now", "parameters": {"type": "object"}}),
    ],
)
def test_tools_with_a_schema_are_functions(tool: dict[str, Any], expected: dict[str, Any]) -> None:
    request = read({"tools": [tool]})
    assert request.chat["tools"] == [{"type": "function", "function": expected}]
    assert request.names["tools[0].function.parameters"] == "tools[0].input_schema"


@pytest.mark.parametrize("name", ["output_config", "output_format"])
def test_a_format_is_a_response_format(name: str) -> None:
    form = {"type": "json_schema", "schema": SCHEMA}
    request = read({name: {"format": form} if name == "output_config" else form})
    assert request.chat["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "response", "schema": SCHEMA},
    }
    path = {"output_config": "output_config.format", "output_format": "output_format"}[name]
    assert request.names["response_format.json_schema"] == request.names["response_format"] == path


@pytest.mark.parametrize(
    ("thinking", "expected"),
    [
        (None, False),
        ({"type": "disabled"}, False),
        ({"type": "enabled", "budget_tokens": 2000}, True),
        ({"type": "adaptive"}, True),
        ({"type": "adaptive", "display": "summarized"}, True),
        ({"type": "adaptive", "display": "omitted"}, False),
    ],
)
def test_only_a_client_that_asks_for_it_is_shown_what_the_model_thinks(thinking: Any, expected: bool) -> None:
    assert read({"thinking": thinking}).shows_thinking is expected


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (None, {}),
        (VllmEngine(), {"continue_final_message": True, "add_generation_prompt": False}),
        (LmiEngine(), {"continue_final_message": True, "add_generation_prompt": False}),
        (SglangEngine(), {"continue_final_message": True}),
    ],
)
def test_the_beginning_of_an_answer_is_continued(server: OpenAiServer | None, expected: dict[str, Any]) -> None:
    assert added({"messages": BEGUN}, server) == {"messages": BEGUN, **expected}


@pytest.mark.parametrize(
    ("body", "server", "expected"),
    [
        ({}, OpenAiEngine(), "messages[1]: this model's server may not continue the beginning of an answer"),
        ({"tools": [TOOL]}, None, "messages[1]: the beginning of an answer is not supported beside tools"),
        (
            {"output_format": {"type": "json_schema", "schema": SCHEMA}},
            VllmEngine(),
            "messages[1]: the beginning of an answer is not supported with a format",
        ),
        (
            {"messages": [*HI["messages"], {"role": "assistant", "content": "a "}]},
            VllmEngine(),
            "messages[1]: the last message begins or ends with white space",
        ),
        (
            {"messages": [*HI["messages"], {"role": "assistant", "content": [CALL]}]},
            VllmEngine(),
            "messages[1]: a `tool_use` needs a `tool_result` in the user's message behind it",
        ),
    ],
)
def test_a_beginning_that_would_not_be_continued_is_refused(
    body: dict[str, Any], server: OpenAiServer | None, expected: str
) -> None:
    assert refusal({"messages": BEGUN, **body}, server).startswith(expected)


def test_tgi_continues_a_beginning_if_no_tool_may_be_called() -> None:
    body = {"messages": BEGUN, "tools": [TOOL], "tool_choice": {"type": "none"}}
    assert read(body).chat["messages"] == BEGUN


def blocks(*content: Any, role: str = "user") -> dict[str, Any]:
    return {"messages": [*HI["messages"], {"role": role, "content": list(content)}]}


def document(**source: Any) -> dict[str, Any]:
    return blocks({"type": "document", "source": source})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"max_tokens": None}, "max_tokens: missing field `max_tokens`"),
        ({"max_tokens": 0}, "max_tokens: 0 is not a number of tokens, at least 1"),
        ({"max_tokens": "5"}, "max_tokens: invalid type: string, expected a number of tokens, at least 1"),
        ({"messages": None}, "messages: missing field `messages`"),
        ({"messages": []}, "messages: must not be empty"),
        ({"messages": ["Hi"]}, "messages[0]: invalid type: string, expected an object with `role` and `content`"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "messages[0].role: must be `user` or `assistant` or"),
        ({"messages": [{"role": "user"}]}, "messages[0].content: missing field `content`"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages[0].content: must not be empty"),
        ({"messages": [{"role": "assistant", "content": ""}]}, "messages: there is nothing in them that the model"),
        (blocks({"type": "text"}), "messages[1].content[0].text: missing field `text`"),
        (blocks({"type": "tool_use"}), "messages[1].content[0].type: must be `text` or"),
        (blocks({"type": "server_tool_use"}, role="assistant"), "messages[1].content[0].type: must be `text` or"),
        (blocks({"type": "tool_result"}), "messages[1].content[0].tool_use_id: missing field"),
        (
            blocks({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "video"}]}),
            "messages[1].content[0].content[0].type: must be",
        ),
        (blocks({**CALL, "input": "{}"}, role="assistant"), "messages[1].content[0].input: invalid type: string"),
        (
            blocks({"type": "image", "source": {"type": "file", "file_id": "f"}}),
            "messages[1].content[0].source.type: no files are stored here, send the image as `base64` or `url`",
        ),
        (
            blocks({"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": "a"}}),
            "messages[1].content[0].source.media_type: must be `image/jpeg` or",
        ),
        (document(type="base64", data="a"), "messages[1].content[0].source.type: PDF is not read here, send the"),
        (document(type="url", url="a"), "messages[1].content[0].source.type: PDF is not read here, send the"),
        (document(type="file", file_id="a"), "messages[1].content[0].source.type: no files are stored here, send"),
        ({"system": 1}, "system: invalid type: integer, expected a string or an array of blocks"),
        ({"system": [{"type": "image"}]}, "system[0].type: must be `text`"),
        ({"temperature": 1.1}, "temperature: 1.1 is not a number from 0 to 1"),
        ({"temperature": True}, "temperature: invalid type: boolean, expected a number"),
        ({"top_p": -1}, "top_p: -1 is not a number from 0 to 1"),
        ({"top_k": -1}, "top_k: -1 is not a number of tokens"),
        ({"stop_sequences": "a"}, "stop_sequences: invalid type: string, expected an array of strings"),
        ({"stop_sequences": ["a", ""]}, "stop_sequences[1]: must not be empty"),
        ({"stream": 1}, "stream: invalid type: integer, expected a boolean"),
        ({"tools": [{"input_schema": {}}]}, "tools[0].name: missing field `name`"),
        ({"tools": [{"name": "a"}]}, "tools[0].input_schema: missing field `input_schema`"),
        (
            {"tools": [TOOL, {"type": "web_search_20250305", "name": "web_search"}]},
            "tools[1].type: a tool without `input_schema` is run or known by Anthropic's models only: describe it",
        ),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "tools[0].type: a tool without `input_schema`"),
        ({"tool_choice": "auto"}, "tool_choice: invalid type: string, expected an object with `type`"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name: missing field `name`"),
        ({"tool_choice": {"type": "required"}}, "tool_choice.type: must be `auto` or `any` or `tool` or `none`"),
        ({"thinking": {"type": "on"}}, "thinking.type: must be `enabled` or"),
        ({"output_config": {"format": {"type": "json"}}}, "output_config.format.type: must be `json_schema`"),
        ({"output_format": {"type": "json_schema"}}, "output_format.schema: missing field `schema`"),
        ({"container": "c_1"}, "container is not supported: nothing is run here"),
        ({"mcp_servers": [{"name": "a"}]}, "mcp_servers is not supported: no server is called here"),
        ({"thread": {"id": "a"}}, "thread is not supported: nothing is stored here, send the whole conversation"),
        ({"logprobs": True, "n": 2}, "Unrecognized request arguments supplied: logprobs, n"),
    ],
)
def test_invalid_requests_are_refused_by_name(body: dict[str, Any], expected: str) -> None:
    message = refusal(body, VllmEngine())
    assert message.startswith(expected)
    assert "; " not in message


def test_all_problems_are_reported_together() -> None:
    body = {"max_tokens": 0, "top_k": 4, "messages": [{"role": "user"}], "tools": [{}], "foo": 1}
    assert refusal(body).split("; ") == [
        "messages[0].content: missing field `content`",
        "tools[0].name: missing field `name`",
        "tools[0].input_schema: missing field `input_schema`",
        "max_tokens: 0 is not a number of tokens, at least 1",
        "Unrecognized request arguments supplied: foo",
        "top_k is not supported by this model's server: leave it out",
    ]


@pytest.mark.parametrize("value", [float("inf"), "\ud800"])
def test_the_input_of_a_tool_that_cannot_be_written_again_is_the_clients_fault(value: Any) -> None:
    body = blocks({**CALL, "input": {"a": value}}, role="assistant")
    body["messages"].append({"role": "user", "content": "b"})
    if isinstance(value, str):
        arguments = read(body).chat["messages"][1]["tool_calls"][0]["function"]["arguments"]
        assert arguments == f'{{"a":"{value}"}}'  # refused where the body is written
    else:
        assert refusal(body) == "Failed to parse the request body as JSON: number out of range"


def test_a_count_has_what_the_prompt_has_and_one_token() -> None:
    body = {
        **HI,
        "system": "Be brief.",
        "tools": [TOOL],
        "tool_choice": {"type": "any"},
        "thinking": {"type": "adaptive"},
        "temperature": 0.5,
        "stop_sequences": ["a"],
        "stream": True,
        "top_k": 3,
    }
    counted, problems = read_count(body, None, Problems()), Problems()
    message = read_message({**body, "top_k": None}, None, problems)
    assert counted.chat["max_tokens"] == 1
    assert (counted.stream, counted.shows_thinking) == (False, False)
    for name in ("messages", "tools", "tool_choice"):
        assert counted.chat[name] == message.chat[name]
    assert set(counted.chat) == {"messages", "tools", "tool_choice", "max_tokens"}
