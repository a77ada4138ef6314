"""The types of TGI's generate request (router/src/lib.rs, GenerateParameters), checked in serde's words.

`/invocations` accepts three protocols, and says about a wrong type only that the body fits none of them.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from front_door.http.json_schema import BOOLEAN, STRING, Field, Problem, Type, instance, integer, struct, wrong_type

_integer = partial(integer, out_of_range="invalid value: integer `{value}`, expected {expected}")
_FLOAT = instance((int, float), "f32")
_U32, _U64, _I32 = _integer(0, 2**32, "u32"), _integer(0, 2**64, "u64"), _integer(-(2**31), 2**31, "i32")
_USIZE = _integer(0, 2**64, "usize")


def _strings(value: Any, path: str) -> Sequence[Problem]:
    if not isinstance(value, list):
        return ((path, wrong_type(value, "a sequence")),)
    wrong = [
        (f"{path}[{at}]", wrong_type(item, "a string")) for at, item in enumerate(value) if not isinstance(item, str)
    ]
    return wrong[:1]


def _grammar(value: Any, path: str) -> Sequence[Problem]:
    if not isinstance(value, dict):
        return ((path, wrong_type(value, "adjacently tagged enum GrammarType")),)
    for name in ("type", "value"):
        if name not in value:
            return ((path, f"missing field `{name}`"),)
    if value["type"] in ("json", "json_object", "regex", "json_schema"):
        return ()
    return ((f"{path}.type", "unknown variant, expected one of `json`, `json_object`, `regex`, `json_schema`"),)


def _never_null(type_: Type) -> Field:
    return Field(type_, is_nullable=False)


PARAMETERS = {
    "best_of": Field(_USIZE),
    "temperature": Field(_FLOAT),
    "repetition_penalty": Field(_FLOAT),
    "frequency_penalty": Field(_FLOAT),
    "top_k": Field(_I32),
    "top_p": Field(_FLOAT),
    "typical_p": Field(_FLOAT),
    "do_sample": _never_null(BOOLEAN),
    "max_new_tokens": Field(_U32),
    "return_full_text": Field(BOOLEAN),
    "stop": _never_null(_strings),
    "truncate": Field(_USIZE),
    "watermark": _never_null(BOOLEAN),
    "details": _never_null(BOOLEAN),
    "decoder_input_details": _never_null(BOOLEAN),
    "seed": Field(_U64),
    "top_n_tokens": Field(_U32),
    "grammar": Field(_grammar),
    "adapter_id": Field(STRING),
}
"""The members of `parameters`."""
_FIELDS = {
    "inputs": Field(STRING, is_required=True),
    "parameters": _never_null(struct(PARAMETERS, "struct GenerateParameters")),
}
GENERATE = struct(_FIELDS)
"""The body of `/generate` and `/generate_stream`."""
COMPAT = struct(_FIELDS | {"stream": _never_null(BOOLEAN)})
"""The body of `/`."""


def problems(body: dict[str, Any], type_: Type) -> list[str]:
    """Everything in a generate request that TGI could not read; names that it does not know are ignored."""
    found = type_(body, "")
    return [text if path == "inputs" and path not in body else f"{path}: {text}" for path, text in found]
