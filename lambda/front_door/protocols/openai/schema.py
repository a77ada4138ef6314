"""The types of the members that a chat and a completion have in common, and of a completion."""

from collections.abc import Sequence
from typing import Any

from front_door.http.json import type_name
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
    struct,
)

_STRINGS = array(STRING, "a string or an array of strings")


def _stop(value: Any, path: str) -> Sequence[Problem]:
    if isinstance(value, str):
        value = [value]
    found = _STRINGS(value, path)
    if not found and "" in value:
        return ((path, "must not be an empty string, where every text would stop at once"),)
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


TOKENS = integer(0, 2**32, "a number of tokens")
_COMMON: dict[str, Type] = {
    "model": STRING,
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
    "max_tokens": TOKENS,
    "user": anything,
}
COMMON: dict[str, Field] = {name: Field(type_) for name, type_ in _COMMON.items()}
"""The members that a chat and a completion have in common."""

COMPLETION: dict[str, Field] = {
    "prompt": Field(_prompt, is_required=True),
    **COMMON,
    "best_of": Field(integer(1, 2**32, "a number of candidates, at least 1")),
    "echo": Field(BOOLEAN),
    "logprobs": Field(anything),
    "suffix": Field(STRING),
    "repetition_penalty": Field(NUMBER),
}
"""The members of a completion; `repetition_penalty` is TGI's own."""
