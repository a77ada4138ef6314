"""The types of chats and completions: OpenAI's, and TGI's own forms, which its clients send.

OpenAI's: the `openai` package's `CompletionCreateParams`. TGI's: router/src/lib.rs, `ChatRequest`, as of 3.3.6, whose
`/invocations` says about a wrong type only that the body fits none of its protocols.
"""

import re
from collections.abc import Sequence
from typing import Any

from front_door.http.json import parse_object, type_name
from front_door.http.json_schema import (
    BOOLEAN,
    NUMBER,
    STRING,
    Field,
    Problem,
    Type,
    anything,
    array,
    integer,
    one_of,
    string_or,
    struct,
    tagged,
)

_STRINGS = array(STRING, "a string or an array of strings")


def _stop(value: Any, path: str) -> Sequence[Problem]:
    if isinstance(value, str):
        value = [value]
    found = _STRINGS(value, path)
    if not found and "" in value:
        return ((path, "must not be an empty string"),)
    return found


def _logit_bias(value: Any, path: str) -> Sequence[Problem]:
    if isinstance(value, (dict, list)):
        return ()
    return ((path, f"invalid type: {type_name(value)}, expected an object"),)


def _prompt(value: Any, path: str) -> Sequence[Problem]:
    if isinstance(value, list) and value and all(isinstance(item, (int, list)) for item in value):
        return ((path, "must be a string or an array of strings, arrays of tokens are not supported"),)
    if value == []:
        return ((path, "must be a string or an array with at least one string"),)
    return () if isinstance(value, str) else _STRINGS(value, path)


def _number_of_alternatives(value: Any, path: str) -> Sequence[Problem]:
    """OpenAI's limit; false is what a chat's `logprobs` may be."""
    return () if value is False else integer(0, 6, "a number of alternatives from 0 to 5")(value, path)


_TOKENS = integer(0, 2**32, "a number of tokens")
_COMMON: dict[str, Type] = {
    "model": anything,
    "n": integer(1, 2**32, "a number of choices, at least 1"),
    "stop": _stop,
    "stream": BOOLEAN,
    "stream_options": struct({"include_usage": Field(BOOLEAN), "include_obfuscation": Field(BOOLEAN)}),
    "seed": integer(-(2**63), 2**64, "an integer of 64 bits"),
    "temperature": NUMBER,
    "top_p": NUMBER,
    "frequency_penalty": NUMBER,
    "presence_penalty": NUMBER,
    "logit_bias": _logit_bias,
    "max_tokens": _TOKENS,
    "user": anything,
}
_COMMON_FIELDS: dict[str, Field] = {name: Field(type_) for name, type_ in _COMMON.items()}

COMPLETION: dict[str, Field] = {
    "prompt": Field(_prompt, is_required=True),
    **_COMMON_FIELDS,
    "best_of": Field(integer(1, 2**32, "a number of candidates, at least 1")),
    "echo": Field(BOOLEAN),
    "logprobs": Field(_number_of_alternatives),
    "suffix": Field(STRING),
    "repetition_penalty": Field(NUMBER),
}
"""The members of a completion; `repetition_penalty` is TGI's own."""


def _messages(value: Any, path: str) -> Sequence[Problem]:
    if value == []:
        return ((path, "must be an array with at least one message"),)
    return _MESSAGES(value, path)


def message(value: Any, path: str) -> Sequence[Problem]:
    """`content`, or an assistant's `tool_calls`, or both."""
    found = list(_MESSAGE(value, path))
    if not isinstance(value, dict):
        return found
    for name, instead in (("function_call", "tool_calls"), ("audio", "content")):
        if value.get(name) is not None:
            found.append((f"{path}.{name}", f"is not supported, give the message `{instead}`"))
    if value.get("content") is None and not value.get("tool_calls"):
        found.append((f"{path}.content", "missing field `content` or `tool_calls`"))
    return found


_CONTENT = string_or(
    array(
        tagged(
            {
                "text": struct({"text": Field(STRING, is_required=True)}),
                "image_url": struct(
                    {
                        "image_url": Field(
                            struct({"url": Field(STRING, is_required=True)}, "an object with `url`"), is_required=True
                        )
                    }
                ),
            },
            "an object with `type`",
        ),
        "a string or an array of parts",
    )
)
_TOOL_CALL = tagged(
    {
        "function": struct(
            {
                "id": Field(STRING, is_required=True),
                "function": Field(
                    struct(
                        {"name": Field(STRING, is_required=True), "arguments": Field(anything, is_required=True)},
                        "an object with `name` and `arguments`",
                    ),
                    is_required=True,
                ),
            }
        )
    },
    "an object with `id`, `type` and `function`",
)
_MESSAGE = struct(
    {
        "role": Field(STRING, is_required=True),
        "content": Field(_CONTENT),
        "name": Field(STRING),
        "tool_calls": Field(array(_TOOL_CALL, "an array of tool calls")),
        "tool_call_id": Field(STRING),
    },
    "an object with `role` and `content`",
)
_MESSAGES = array(message, "an array of messages")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _tool_name(value: Any, path: str) -> Sequence[Problem]:
    """OpenAI's rule; TGI's grammar refers to a tool by its name, and fails without a word if that has a slash."""
    if isinstance(value, str) and not _TOOL_NAME.fullmatch(value):
        return ((path, "must be 1 to 64 letters (a-z, A-Z), digits, _ or -"),)
    return STRING(value, path)


_SCHEMA = struct({}, "a JSON schema")
_FUNCTION = struct(
    {
        "name": Field(_tool_name, is_required=True),
        "description": Field(STRING),
        "parameters": Field(_SCHEMA),
        "arguments": Field(_SCHEMA),
    },
    "an object with `name` and `parameters`",
)
_TOOL = tagged({"function": struct({"function": Field(_FUNCTION, is_required=True)})}, "an object with `type`")
_NAMED = struct({"function": Field(struct({"name": Field(STRING, is_required=True)}), is_required=True)})
_ALLOWED = struct(
    {
        "mode": Field(one_of("auto", "required"), is_required=True),
        "tools": Field(array(tagged({"function": _NAMED}, "an object with `type`"), "an array"), is_required=True),
    }
)
_CHOICE = tagged(
    {"function": _NAMED, "allowed_tools": struct({"allowed_tools": Field(_ALLOWED, is_required=True)})},
    "a string or an object with `type`",
)


def _only(fields: dict[str, Field], expected: str = "an object") -> Type:
    """An object with no other members."""
    check = struct(fields, expected)

    def closed(value: Any, path: str) -> Sequence[Problem]:
        found = list(check(value, path))
        if isinstance(value, dict):
            stray = [name for name, member in value.items() if member is not None and name not in fields]
            allowed = f"unknown parameter, allowed are {', '.join(f'`{name}`' for name in fields)}"
            found += [(f"{path}.{name[:100]}", allowed) for name in stray]
        return found

    return closed


_TYPE = {"type": Field(STRING)}
_NAMED_SCHEMA = _only(
    {
        "name": Field(STRING),
        "description": Field(STRING),
        "schema": Field(_SCHEMA, is_required=True),
        "strict": Field(BOOLEAN),
    }
)


def _json_schema(value: Any, path: str) -> Sequence[Problem]:
    """OpenAI's `json_schema`, or TGI's `value`."""
    name = "value" if value.get("json_schema") is None and "value" in value else "json_schema"
    hint = ", an object with `name` and `schema`"
    return _only({**_TYPE, name: Field(_NAMED_SCHEMA, is_required=True, hint=hint)})(value, path)


def schema_or_text(value: Any, path: str) -> Sequence[Problem]:
    """A schema, or the text of one."""
    if isinstance(value, str) and parse_object(value.encode(errors="replace")) is None:
        return ((path, "must be a JSON schema or the text of one"),)
    return string_or(_SCHEMA)(value, path)


def _json_object(value: Any, path: str) -> Sequence[Problem]:
    """OpenAI's JSON mode, whose schema Hugging Face's clients call `schema`; or TGI's `value`."""
    name = "schema" if value.get("value") is None else "value"
    return _only({**_TYPE, name: Field(schema_or_text)})(value, path)


_FORMAT = tagged(
    {
        "text": _only(_TYPE),
        "json_object": _json_object,
        "json_schema": _json_schema,
        "json": _only({**_TYPE, "value": Field(schema_or_text, is_required=True, hint=", the JSON schema")}),
        "regex": _only({**_TYPE, "value": Field(STRING, is_required=True, hint=", the regular expression")}),
    },
    "an object with `type`",
)
CHAT: dict[str, Field] = {
    "messages": Field(_messages, is_required=True),
    **_COMMON_FIELDS,
    "max_completion_tokens": Field(_TOKENS),
    "logprobs": Field(BOOLEAN),
    "top_logprobs": Field(integer(0, 2**32, "a number of alternatives")),
    "tools": Field(array(_TOOL, "an array of tools")),
    "tool_choice": Field(string_or(_CHOICE)),
    "tool_prompt": Field(STRING),
    "response_format": Field(_FORMAT),
}
"""The members of a chat."""
