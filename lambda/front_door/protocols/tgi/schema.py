"""The types of TGI's generate request (router/src/lib.rs, GenerateParameters), checked in serde's words.

`/invocations` accepts three protocols and says of a wrong type only that the body fits none of them.
"""

from collections.abc import Callable
from typing import Any

from front_door.http.request import json_type

Check = Callable[[Any], str | None]
"""What is wrong with a value, or None; the value itself is not told, unless it is a number out of range."""

Fields = dict[str, Check]
_U32, _U64, _I32 = 2**32, 2**64, 2**31


def _integer(expected: str, low: int, high: int) -> Check:
    def check(value: Any) -> str | None:
        if type(value) is not int:
            return wrong_type(value, expected)
        return None if low <= value < high else f"invalid value: integer `{str(value)[:21]}`, expected {expected}"

    return check


def _of(kind: type | tuple[type, ...], expected: str) -> Check:
    def check(value: Any) -> str | None:
        is_bool_for_number = isinstance(value, bool) and kind is not bool
        return None if isinstance(value, kind) and not is_bool_for_number else wrong_type(value, expected)

    return check


def _strings(value: Any) -> str | None:
    if not isinstance(value, list):
        return wrong_type(value, "a sequence")
    return next((wrong_type(item, "a string") for item in value if not isinstance(item, str)), None)


def _grammar(value: Any) -> str | None:
    if not isinstance(value, dict):
        return wrong_type(value, "adjacently tagged enum GrammarType")
    for name in ("type", "value"):
        if name not in value:
            return f"missing field `{name}`"
    if value["type"] in ("json", "json_object", "regex", "json_schema"):
        return None
    return "unknown variant, expected one of `json`, `regex`, `json_schema`"


def wrong_type(value: Any, expected: str) -> str:
    """Serde's words for a value of the wrong type, without the value."""
    return f"invalid type: {json_type(value)}, expected {expected}"


UNSIGNED, LONG, _SIGNED = _integer("u32", 0, _U32), _integer("u64", 0, _U64), _integer("i32", -_I32, _I32)
_SIZE = _integer("usize", 0, _U64)
FLOAT, BOOLEAN, TEXT = _of((int, float), "f32"), _of(bool, "a boolean"), _of(str, "a string")

_MAY_BE_NULL = {
    "best_of": _SIZE,
    "temperature": FLOAT,
    "repetition_penalty": FLOAT,
    "frequency_penalty": FLOAT,
    "top_k": _SIGNED,
    "top_p": FLOAT,
    "typical_p": FLOAT,
    "max_new_tokens": UNSIGNED,
    "return_full_text": BOOLEAN,
    "truncate": _SIZE,
    "seed": LONG,
    "top_n_tokens": UNSIGNED,
    "grammar": _grammar,
    "adapter_id": TEXT,
}
_NEVER_NULL = {
    "do_sample": BOOLEAN,
    "stop": _strings,
    "watermark": BOOLEAN,
    "details": BOOLEAN,
    "decoder_input_details": BOOLEAN,
}


GENERATE: Fields = {"inputs": TEXT, "parameters": _of(dict, "struct GenerateParameters")}
COMPAT: Fields = GENERATE | {"stream": BOOLEAN}


def problems(body: dict[str, Any], fields: Fields) -> list[str]:
    """Everything in a generate request that TGI could not read; values are not repeated, they may be prompts.

    Args:
        body: The request; names that TGI does not know are fine, it ignores them.
        fields: What its route reads: `GENERATE` or `COMPAT`.
    """
    found = [] if "inputs" in body else ["missing field `inputs`"]
    for name, check in fields.items():
        if name in body and (problem := check(body[name])):
            found.append(f"{name}: {problem}")
    parameters = body.get("parameters")
    if not isinstance(parameters, dict):
        return found
    for name, value in parameters.items():
        reads = _NEVER_NULL.get(name) or (_MAY_BE_NULL.get(name) if value is not None else None)
        if reads and (problem := reads(value)):
            found.append(f"parameters.{name}: {problem}")
    return found
