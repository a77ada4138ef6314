"""A request for a response as a chat, and the settings that the response repeats."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from front_door.generation.request import Problems
from front_door.http.json_schema import struct
from front_door.protocols.responses.items import Messages
from front_door.protocols.responses.schema import FIELDS, LOGPROBS

_NEEDS_STORE = {
    "previous_response_id": "send the whole conversation as `input`",
    "conversation": "send the whole conversation as `input`",
    "prompt": "send its text as `instructions` and `input`",
    "background": "leave it out, and stream the response if it takes long",
}
_UNSUPPORTED = {
    "context_management": "nothing is compacted here, shorten `input`",
    "moderation": "nothing is moderated here",
    "n": "a response has one answer",
    "logprobs": f"put `{LOGPROBS}` into `include`",
    "messages": "use `input`",
    "max_tokens": "use `max_output_tokens`",
    "max_completion_tokens": "use `max_output_tokens`",
    "response_format": "use `text.format`",
    "reasoning_effort": "use `reasoning.effort`",
    "verbosity": "use `text.verbosity`",
}
# They change nothing in the answer: who the client is, and what OpenAI caches or allows.
_IGNORED = ("access_programs", "client_metadata", "prompt_cache_options")
_SAME = ("temperature", "top_p", "parallel_tool_calls")
_FUNCTION = ("name", "description", "parameters", "strict")
_NAMES = {
    "messages": "input",
    "max_tokens": "max_output_tokens",
    "logprobs": "include",
    "reasoning_effort": "reasoning.effort",
    "response_format": "text.format",
    "response_format.json_schema": "text.format",
}
# So that the rest of a request is checked although its input has the wrong type.
_NO_INPUT = "-"


class ResponseRequest(NamedTuple):
    """A request as it is answered.

    Attributes:
        chat: The chat.
        names: Where the members of the chat are in the request.
        stream: Whether the client wants a stream.
        settings: The members of the response that say how it was made.
    """

    chat: dict[str, Any]
    names: dict[str, str]
    stream: bool
    settings: dict[str, Any]


def read_request(body: Mapping[str, Any], problems: Problems, *, has_efforts: bool) -> ResponseRequest:
    """Check a request and translate it.

    Args:
        body: The client's body. A null means the default.
        problems: Receives what is wrong.
        has_efforts: Whether the model's server reads how much the model is to think; elsewhere that is passed over.
    """
    valid = _valid_members(body, problems)
    if not has_efforts:
        valid.pop("reasoning", None)
    messages = Messages(valid.get("instructions"), valid.get("input", _NO_INPUT))
    chat = {
        "messages": messages.messages,
        **{name: valid[name] for name in _SAME if name in valid},
        **_own_names(valid),
        **_read_others(body, problems),
    }
    names = {**_NAMES, **messages.names}
    names |= {f"tools[{at}].function": f"tools[{at}]" for at in range(len(chat.get("tools", ())))}
    return ResponseRequest(chat, names, bool(valid.get("stream")), _settings(valid))


def _valid_members(body: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    found = struct(FIELDS)({name: value for name, value in body.items() if value is not None}, "")
    for path, problem in found:
        problems.add(path, f"{path}: {problem}")
    wrong = {path.partition(".")[0].partition("[")[0] for path, _ in found}
    return {name: body[name] for name in FIELDS if body.get(name) is not None and name not in wrong}


def _read_others(body: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """The members that a chat has too, such as `seed`; those that only OpenAI could honour are problems."""
    others = {}
    for name, value in body.items():
        if value is None or name in _IGNORED:
            continue
        if (instead := _NEEDS_STORE.get(name)) is not None:
            if value is not False:
                problems.add(name, f"{name} needs a store, and nothing is stored here: {instead}")
        elif (instead := _UNSUPPORTED.get(name)) is not None:
            problems.add(name, f"{name} is not supported: {instead}")
        elif name not in FIELDS:
            others[name] = value
    return others


def _own_names(valid: Mapping[str, Any]) -> dict[str, Any]:
    """The members of the chat that have another name or form in the request."""
    chat: dict[str, Any] = {}
    if "max_output_tokens" in valid:
        chat["max_tokens"] = valid["max_output_tokens"]
    if LOGPROBS in valid.get("include", ()):
        chat |= {"logprobs": True, "top_logprobs": valid.get("top_logprobs", 0)}
    if valid.get("tools"):
        chat["tools"] = [_tool(tool) for tool in valid["tools"]]
    if "tool_choice" in valid:
        chat["tool_choice"] = _tool_choice(valid["tool_choice"])
    form = valid.get("text", {}).get("format") or {"type": "text"}
    if form["type"] == "json_schema":
        members = {name: value for name, value in form.items() if name != "type" and value is not None}
        chat["response_format"] = {"type": "json_schema", "json_schema": members}
    elif form["type"] == "json_object":
        chat["response_format"] = {"type": "json_object"}
    if (effort := valid.get("reasoning", {}).get("effort")) is not None:
        chat["reasoning_effort"] = effort
    return chat


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {name: tool[name] for name in _FUNCTION if tool.get(name) is not None}}


def _tool_choice(choice: str | dict[str, Any]) -> str | dict[str, Any]:
    if isinstance(choice, str):
        return choice
    if choice["type"] == "function":
        return {"type": "function", "function": {"name": choice["name"]}}
    tools = [_tool_choice(tool) for tool in choice["tools"]]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice["mode"], "tools": tools}}


def _settings(valid: Mapping[str, Any]) -> dict[str, Any]:
    """What was done, where that differs from what was requested."""
    nullable = {
        name: valid.get(name)
        for name in (
            *("instructions", "max_output_tokens", "max_tool_calls", "temperature", "top_p"),
            *("prompt_cache_key", "prompt_cache_retention", "safety_identifier", "user"),
        )
    }
    text = valid.get("text", {})
    return {
        **nullable,
        "background": False,
        "metadata": valid.get("metadata", {}),
        "parallel_tool_calls": valid.get("parallel_tool_calls", True),
        "previous_response_id": None,
        "reasoning": {"effort": valid.get("reasoning", {}).get("effort"), "summary": None},
        "service_tier": "default",
        "store": False,
        "text": {"format": text.get("format") or {"type": "text"}, "verbosity": "medium"},
        "tool_choice": valid.get("tool_choice", "auto"),
        "tools": [
            {"type": "function", **{name: tool.get(name) for name in _FUNCTION}} for tool in valid.get("tools", ())
        ],
        "top_logprobs": valid.get("top_logprobs", 0),
        "truncation": "disabled",
    }
