"""The types of a response's request: the `openai` package's `ResponseCreateParams`, as of 3.54.

What becomes a part of the chat is checked here as far as it is translated; the rest is the chat's to check.
"""

from collections.abc import Sequence
from typing import Any

from front_door.http.json_schema import (
    BOOLEAN,
    NUMBER,
    STRING,
    Field,
    Problem,
    Type,
    any_of,
    anything,
    array,
    integer,
    one_of,
    string_or,
    struct,
    tagged,
    wrong_type,
)

LOGPROBS = "message.output_text.logprobs"
INCLUDABLE = (
    LOGPROBS,
    "reasoning.encrypted_content",
    "message.input_image.image_url",
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
)
_TEXT = struct({"text": Field(STRING, is_required=True)})


def _image(value: Any, path: str) -> Sequence[Problem]:
    if value.get("file_id") is not None:
        return ((f"{path}.file_id", "no files are stored here: give `image_url`, which may be a data URL"),)
    return struct({"image_url": Field(STRING, is_required=True), "detail": Field(STRING)})(value, path)


_TEXTS: dict[str, Type] = {
    "input_text": _TEXT,
    "output_text": _TEXT,
    "refusal": struct({"refusal": Field(STRING, is_required=True)}),
}
_PARTS = "a string or an array of parts"
_ONLY_TEXT = string_or(array(tagged(_TEXTS, "an object with `type`"), _PARTS))
_CONTENT = string_or(array(tagged({**_TEXTS, "input_image": _image}, "an object with `type`"), _PARTS))


def _message(value: dict[str, Any], path: str) -> Sequence[Problem]:
    """Only users show images."""
    content = _CONTENT if value.get("role") == "user" else _ONLY_TEXT
    role = one_of("user", "assistant", "system", "developer")
    return struct({"role": Field(role, is_required=True), "content": Field(content, is_required=True)})(value, path)


def _reference(value: dict[str, Any], path: str) -> Sequence[Problem]:
    """Reasoning is passed over, also where it is referred to, as Vercel's AI SDK does by default."""
    if str(value.get("id")).startswith("rs_"):
        return ()
    hint = "clients do so with `store` false"
    return ((path, f"an item_reference needs a store, and nothing is stored here: send the item itself; {hint}"),)


_ITEMS: dict[str, Type] = {
    "message": _message,
    "function_call": struct({name: Field(STRING, is_required=True) for name in ("call_id", "name", "arguments")}),
    "function_call_output": struct(
        {"call_id": Field(STRING, is_required=True), "output": Field(_CONTENT, is_required=True)}
    ),
    "reasoning": anything,
}


def item_type(item: dict[str, Any]) -> object:
    """The type of an item of `input`, which messages and references may leave out."""
    kind = item.get("type")
    return kind if kind is not None else "item_reference" if "role" not in item and "id" in item else "message"


def _item(value: Any, path: str) -> Sequence[Problem]:
    if not isinstance(value, dict):
        return ((path, wrong_type(value, "an object with `type`")),)
    kind = item_type(value)
    if kind == "item_reference":
        return _reference(value, path)
    if isinstance(kind, str) and kind in _ITEMS:
        return _ITEMS[kind](value, path)
    return ((f"{path}.type", f"must be {any_of(_ITEMS)}"),)


_INPUT_ITEMS = array(_item, "a string or an array of items")


def _input(value: Any, path: str) -> Sequence[Problem]:
    if value == []:
        return ((path, "must be a string or an array with at least one item"),)
    return string_or(_INPUT_ITEMS)(value, path)


_OBJECT = struct({})
_FUNCTION = struct(
    {
        "name": Field(STRING, is_required=True),
        "description": Field(STRING),
        "parameters": Field(_OBJECT),
        "strict": Field(BOOLEAN),
    }
)


def _tool(value: Any, path: str) -> Sequence[Problem]:
    if isinstance(value, dict) and "type" in value and value["type"] != "function":
        return ((f"{path}.type", "must be `function`, no other tools are served here: leave it out"),)
    return tagged({"function": _FUNCTION}, "an object with `type`")(value, path)


_NAMED = struct({"name": Field(STRING, is_required=True)})
_CHOICE = tagged(
    {
        "function": _NAMED,
        "allowed_tools": struct(
            {
                "mode": Field(one_of("auto", "required"), is_required=True),
                "tools": Field(
                    array(tagged({"function": _NAMED}, "an object with `type`"), "an array"), is_required=True
                ),
            }
        ),
    },
    "a string or an object with `type`",
)


def _tool_choice(value: Any, path: str) -> Sequence[Problem]:
    return one_of("auto", "none", "required")(value, path) if isinstance(value, str) else _CHOICE(value, path)


def _metadata(value: Any, path: str) -> Sequence[Problem]:
    values = value.items() if isinstance(value, dict) else ()
    return _OBJECT(value, path) or [
        problem for name, each in values for problem in STRING(each, f"{path}.{name[:100]}")
    ]


_TEXT_SETTINGS = struct(
    {
        "format": Field(
            tagged(
                {
                    "text": anything,
                    "json_object": anything,
                    "json_schema": struct(
                        {
                            "name": Field(STRING, is_required=True),
                            "schema": Field(_OBJECT, is_required=True),
                            "description": Field(STRING),
                            "strict": Field(BOOLEAN),
                        }
                    ),
                },
                "an object with `type`",
            )
        ),
        "verbosity": Field(one_of("low", "medium", "high")),
    }
)
_TOKENS = integer(1, 2**32, "a number of tokens, at least 1")
_MEMBERS: dict[str, Type] = {
    "model": anything,
    "instructions": STRING,
    "max_output_tokens": _TOKENS,
    "max_tool_calls": integer(1, 2**32, "a number of calls, at least 1"),
    "temperature": NUMBER,
    "top_p": NUMBER,
    "top_logprobs": integer(0, 21, "a number of alternatives from 0 to 20"),
    "include": array(one_of(*INCLUDABLE), "an array of strings"),
    "tools": array(_tool, "an array of tools"),
    "tool_choice": _tool_choice,
    "parallel_tool_calls": BOOLEAN,
    "text": _TEXT_SETTINGS,
    "reasoning": struct({"effort": Field(one_of("none", "minimal", "low", "medium", "high", "xhigh", "max"))}),
    "truncation": one_of("auto", "disabled"),
    "service_tier": one_of("auto", "default"),
    "store": BOOLEAN,
    "background": BOOLEAN,
    "stream": BOOLEAN,
    "stream_options": struct({"include_obfuscation": Field(BOOLEAN)}),
    "metadata": _metadata,
    "user": STRING,
    "safety_identifier": STRING,
    "prompt_cache_key": STRING,
    "prompt_cache_retention": one_of("in_memory", "24h"),
}
FIELDS: dict[str, Field] = {
    "input": Field(_input, is_required=True),
    **{name: Field(type_) for name, type_ in _MEMBERS.items()},
}
"""The members of a request; those that are null are as if they were left out."""
