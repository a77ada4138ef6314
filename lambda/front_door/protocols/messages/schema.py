"""The types of Anthropic's requests.

Sources: the `anthropic` package's `MessageCreateParams` and `MessageCountTokensParams`, 2.14, with the members of older
versions that clients still send (temperature, top_p, top_k, output_format).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from front_door.generation.request import Problems, some_of
from front_door.http.json_schema import (
    BOOLEAN,
    STRING,
    Field,
    Problem,
    Type,
    array,
    integer,
    one_of,
    string_or,
    struct,
    tagged,
    wrong_type,
)

_OBJECT = struct({})
# They change nothing in the answer here; docs/front-door.md says what Anthropic does with them.
_PASSED_OVER = frozenset(
    (
        *("model", "metadata", "service_tier", "cache_control", "diagnostics", "inference_geo", "speed"),
        *("context_management", "compaction", "billing_policy", "fallbacks", "fallback_credit_token"),
        *("user_profile_id", "betas", "anthropic_beta", "anthropic_version"),
    )
)
_NEEDS_A_SERVER = {
    "container": "nothing is run here, give the model the tools that your client runs",
    "mcp_servers": "no server is called here, give the model the tools that your client runs",
    "thread": "nothing is stored here, send the whole conversation",
}


def _between(low: int, high: int) -> Type:
    def check(value: Any, path: str) -> Sequence[Problem]:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return ((path, wrong_type(value, "a number")),)
        return () if low <= value <= high else ((path, f"{value} is not a number from {low} to {high}"),)

    return check


def _filled(type_: Type) -> Type:
    return lambda value, path: ((path, "must not be empty"),) if value in ("", []) else type_(value, path)


def _needs(**types: Type) -> Type:
    """An object with these members."""
    return struct({name: Field(type_, is_required=True) for name, type_ in types.items()})


def _refused(problem: str) -> Type:
    return lambda _value, path: ((f"{path}.type", problem),)


_TEXT_BLOCK = _needs(text=STRING)
_TEXT_BLOCKS = array(tagged({"text": _TEXT_BLOCK}, "a block of text"), "a string or an array of blocks")
_IMAGE = _needs(
    source=tagged(
        {
            "base64": _needs(
                media_type=one_of("image/jpeg", "image/png", "image/gif", "image/webp"), data=_filled(STRING)
            ),
            "url": _needs(url=_filled(STRING)),
            "file": _refused("no files are stored here, send the image as `base64` or `url`"),
        },
        "an object with `type`",
    )
)
_NO_PDF = _refused("PDF is not read here, send the document's text with `type` `text`")
_DOCUMENT = struct(
    {
        "source": Field(
            tagged(
                {
                    "text": _needs(data=STRING),
                    "content": _needs(content=string_or(_TEXT_BLOCKS)),
                    "base64": _NO_PDF,
                    "url": _NO_PDF,
                    "file": _refused("no files are stored here, send the document's text with `type` `text`"),
                },
                "an object with `type`",
            ),
            is_required=True,
        ),
        "title": Field(STRING),
        "context": Field(STRING),
    }
)
_SHOWN = {
    "text": _TEXT_BLOCK,
    "image": _IMAGE,
    "document": _DOCUMENT,
    "search_result": _needs(source=STRING, title=STRING, content=_TEXT_BLOCKS),
}
_TOOL_RESULT = struct(
    {
        "tool_use_id": Field(STRING, is_required=True),
        "content": Field(
            string_or(array(tagged({**_SHOWN, "tool_reference": _needs(tool_name=STRING)}, "a block"), "blocks"))
        ),
        "is_error": Field(BOOLEAN),
    }
)
_BLOCKS = {
    "user": {**_SHOWN, "tool_result": _TOOL_RESULT},
    "assistant": {
        "text": _TEXT_BLOCK,
        "tool_use": _needs(id=STRING, name=STRING, input=_OBJECT),
        "thinking": _OBJECT,
        "redacted_thinking": _OBJECT,
    },
    "system": {"text": _TEXT_BLOCK},
}
_CONTENT = {
    role: string_or(array(tagged(blocks, "an object with `type`"), "a string or an array of blocks"))
    for role, blocks in _BLOCKS.items()
}


def _message(value: Any, path: str) -> Sequence[Problem]:
    if not isinstance(value, dict):
        return ((path, wrong_type(value, "an object with `role` and `content`")),)
    role = value.get("role")
    if not isinstance(role, str) or role not in _CONTENT:
        return one_of(*_CONTENT)(role, f"{path}.role")
    content = _filled(_CONTENT[role]) if role == "user" else _CONTENT[role]
    return _needs(content=content)(value, path)


def _tool(value: Any, path: str) -> Sequence[Problem]:
    """A tool of the client's; one of Anthropic's own is, if it has a schema."""
    if isinstance(value, dict) and value.get("type") not in (None, "custom") and value.get("input_schema") is None:
        problem = "a tool without `input_schema` is run or known by Anthropic's models only: describe it with a schema"
        return ((f"{path}.type", problem),)
    return _TOOL(value, path)


_TOOL = struct(
    {
        "name": Field(STRING, is_required=True),
        "input_schema": Field(_OBJECT, is_required=True),
        "description": Field(STRING),
    },
    "an object with `name` and `input_schema`",
)
_CHOICE = {"disable_parallel_tool_use": Field(BOOLEAN)}
_FORMAT = tagged({"json_schema": _needs(schema=_OBJECT)}, "an object with `type`")

COUNT_TOKENS: dict[str, Field] = {
    "messages": Field(_filled(array(_message, "an array of messages")), is_required=True),
    "system": Field(string_or(_TEXT_BLOCKS)),
    "tools": Field(array(_tool, "an array of tools")),
    "tool_choice": Field(
        tagged(
            {
                "auto": struct(_CHOICE),
                "any": struct(_CHOICE),
                "tool": struct({"name": Field(STRING, is_required=True), **_CHOICE}),
                "none": _OBJECT,
            },
            "an object with `type`",
        )
    ),
    "thinking": Field(
        tagged(dict.fromkeys(("enabled", "adaptive", "between_tools", "disabled"), _OBJECT), "an object with `type`")
    ),
    "output_config": Field(struct({"format": Field(_FORMAT)})),
    "output_format": Field(_FORMAT),
}
"""The members that decide what the prompt is."""

MESSAGES: dict[str, Field] = {
    **COUNT_TOKENS,
    "max_tokens": Field(integer(1, 2**31, "a number of tokens, at least 1"), is_required=True),
    "stream": Field(BOOLEAN),
    "stop_sequences": Field(array(_filled(STRING), "an array of strings")),
    "temperature": Field(_between(0, 1)),
    "top_p": Field(_between(0, 1)),
    "top_k": Field(integer(0, 2**31, "a number of tokens")),
}
"""The members of a message."""


def valid_members(body: Mapping[str, Any], fields: Mapping[str, Field], problems: Problems) -> dict[str, Any]:
    """The members of a body that have the right type and change the answer.

    Args:
        body: The request. A null means the default.
        fields: The members that its route knows.
        problems: Receives what is wrong with the others.
    """
    valid = {}
    for name, field in fields.items():
        if body.get(name) is None:
            if field.is_required:
                problems.add(name, f"{name}: missing field `{name}`")
            continue
        found = field.type(body[name], name)
        for path, problem in found:
            problems.add(path, f"{path}: {problem}")
        if not found:
            valid[name] = body[name]
    unknown = []
    for name, value in body.items():
        if name in _NEEDS_A_SERVER and value:
            problems.add(name, f"{name} is not supported: {_NEEDS_A_SERVER[name]}")
        elif not (value is None or name in MESSAGES or name in _PASSED_OVER or name in _NEEDS_A_SERVER):
            unknown.append(name[:100])
    if unknown:
        problems.add(unknown[0], f"Unrecognized request arguments supplied: {some_of(unknown)}")
    return valid
