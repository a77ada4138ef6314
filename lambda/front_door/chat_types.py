"""The types of TGI's chat request (router/src/lib.rs, ChatRequest and what it is made of, as of 3.3.6).

`/invocations` accepts three protocols and says of a wrong type only that the body fits none of them.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from front_door.errors import Failure
from front_door.tgi_types import BOOLEAN, FLOAT, LONG, TEXT, UNSIGNED, Check, wrong_type

Problems = Iterator[tuple[str, str]]
"""Where each problem is, such as `messages[0].role`, and what it is."""
Type = Callable[[Any, str], Problems]
_MOST_TOLD = 20


class _Field(NamedTuple):
    type: Type
    is_required: bool = True
    alias: str | None = None
    hint: str = ""


def check(body: dict[str, Any]) -> None:
    """Refuse what TGI could not read.

    Args:
        body: The request without its nulls; names that TGI does not know are fine, it ignores them.

    Raises:
        Failure: TGI's 422 with every problem, up to 20 in words; values are not repeated, they may be prompts.
    """
    found = _CHAT(body, "")
    told = list(islice(found, _MOST_TOLD))
    if not told:
        return
    words = [f"{path}: {problem}" for path, problem in told]
    if more := sum(1 for _ in found):
        words.append(f"and {more} more")
    message = "Failed to deserialize the JSON body into the target type: " + "; ".join(words)
    raise Failure("validation", message, param=told[0][0])


def _is(wrong: Check) -> Type:
    def problems(value: Any, path: str) -> Problems:
        if problem := wrong(value):
            yield path, problem

    return problems


def _anything(_value: Any, _path: str) -> Problems:
    return iter(())


def _nullable(inner: Type) -> Type:
    return lambda value, path: iter(()) if value is None else inner(value, path)


def _array(item: Type, expected: str) -> Type:
    def problems(value: Any, path: str) -> Problems:
        if not isinstance(value, list):
            yield path, wrong_type(value, expected)
            return
        for index, element in enumerate(value):
            yield from item(element, f"{path}[{index}]")

    return problems


def _struct(fields: dict[str, _Field], expected: str = "an object") -> Type:
    """An object, or, as serde allows it too, an array of the fields in order."""

    def problems(value: Any, path: str) -> Problems:
        if isinstance(value, list) and len(value) <= len(fields):
            value = dict(zip(fields, value, strict=False))
        if isinstance(value, dict):
            yield from _members(fields, value, path)
        else:
            yield path, wrong_type(value, expected)

    return problems


def _members(fields: dict[str, _Field], value: dict[str, Any], path: str) -> Problems:
    for name, field in fields.items():
        keys = [key for key in (name, field.alias) if key in value]
        where = f"{path}.{keys[0] if keys else name}".lstrip(".")
        if len(keys) > 1:
            yield where, f"duplicate field, `{field.alias}` is the same"
        elif keys:
            yield from field.type(value[keys[0]], where)
        elif field.is_required:
            yield where, f"missing field `{name}`{field.hint}"


def _tagged(variants: dict[str, Type], expected: str) -> Type:
    """An object whose `type` decides what else it has, or an array with the type in front."""

    def problems(value: Any, path: str) -> Problems:
        rest = value
        if isinstance(value, list) and value:
            tag, *rest = value
        elif isinstance(value, dict) and "type" in value:
            tag = value["type"]
        elif isinstance(value, dict):
            yield f"{path}.type", "missing field `type`"
            return
        else:
            yield path, wrong_type(value, expected)
            return
        if isinstance(tag, str) and tag in variants:
            yield from variants[tag](rest, path)
        else:
            yield f"{path}.type", "unknown variant, expected " + _any_of(variants)

    return problems


def _any_of(names: Iterable[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def _content(value: Any, path: str) -> Problems:
    if not isinstance(value, str):
        yield from _array(_CHUNK, "a string or an array of parts")(value, path)


def _message(value: Any, path: str) -> Problems:
    """A struct with a flattened enum: `content`, or else `tool_calls`; so no array of its fields."""
    if not isinstance(value, dict):
        yield path, wrong_type(value, "an object with `role` and `content`")
        return
    yield from _members(_MESSAGE, value, path)
    of_content = list(_members(_CONTENT, value, path))
    of_calls = list(_members(_CALLS, value, path))
    if of_content and of_calls:
        yield from of_calls if value.get("content") is None and value.get("tool_calls") is not None else of_content


def _messages(value: Any, path: str) -> Problems:
    if value == []:
        yield path, "must be an array with at least one message"
    yield from _array(_message, "an array of messages")(value, path)


def _tool_choice(value: Any, path: str) -> Problems:
    if not isinstance(value, str):
        yield from _CHOICE(value, path)


_STRING, _NUMBER, _U32, _FLAG = _is(TEXT), _is(FLOAT), _is(UNSIGNED), _is(BOOLEAN)
_FUNCTION = _struct(
    {
        "description": _Field(_nullable(_STRING), is_required=False),
        "name": _Field(_STRING),
        "arguments": _Field(_anything, alias="parameters", hint=" or `parameters`"),
    }
)
_TOOL = _struct({"type": _Field(_STRING), "function": _Field(_FUNCTION)})
_TOOL_CALL = _struct({"id": _Field(_STRING), "type": _Field(_STRING), "function": _Field(_FUNCTION)})
_URL = _struct({"url": _Field(_STRING)}, "an object with `url`")
_CHUNK = _tagged(
    {"text": _struct({"text": _Field(_STRING)}), "image_url": _struct({"image_url": _Field(_URL)})},
    "an object with `type`",
)
_MESSAGE = {"role": _Field(_STRING), "name": _Field(_nullable(_STRING), is_required=False)}
_CONTENT = {"content": _Field(_content, hint=" or `tool_calls`")}
_CALLS = {"tool_calls": _Field(_array(_TOOL_CALL, "an array of tool calls"))}
_CHOICE = _tagged(
    {"function": _struct({"function": _Field(_struct({"name": _Field(_STRING)}))})},
    "a string or an object with `type` and `function`",
)
_JSON_SCHEMA = _struct({"name": _Field(_nullable(_STRING), is_required=False), "schema": _Field(_anything)})
_FORMAT = _tagged(
    {
        "json": _struct({"value": _Field(_anything, hint=", the JSON schema")}),
        "json_object": _struct({"value": _Field(_anything, hint=", the JSON schema")}),
        "regex": _struct({"value": _Field(_STRING, hint=", the regular expression")}),
        "json_schema": _struct({"value": _Field(_JSON_SCHEMA, hint=", an object with `name` and `schema`")}),
    },
    "an object with `type` and `value`",
)
_OPTIONAL: dict[str, Type] = {
    "model": _STRING,
    "frequency_penalty": _NUMBER,
    "logit_bias": _array(_NUMBER, "an array of numbers"),
    "logprobs": _FLAG,
    "top_logprobs": _U32,
    "n": _U32,
    "presence_penalty": _NUMBER,
    "stop": _array(_STRING, "an array of strings"),
    "stream": _FLAG,
    "seed": _is(LONG),
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "tools": _array(_TOOL, "an array of tools"),
    "tool_prompt": _STRING,
    "tool_choice": _tool_choice,
    "response_format": _FORMAT,
    "stream_options": _struct({"include_usage": _Field(_FLAG, is_required=False)}),
}
_CHAT = _struct(
    {
        "messages": _Field(_messages),
        "max_tokens": _Field(_U32, is_required=False, alias="max_completion_tokens"),
    }
    | {name: _Field(type_, is_required=False) for name, type_ in _OPTIONAL.items()}
)
