"""JSON schemas and JSON mode as TGI's grammars."""

from typing import Any

from front_door.engines.tgi.schema import is_object, normalize_schema
from front_door.generation.members import Members
from front_door.generation.request import Problems, ResponseFormat

_SPACE = "[ ]?"
_STRING = r'"([^"\\\x00-\x1F\x7F-\x9F]|\\["\\/bfnrt])*"'
_NUMBER = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?"
_OBJECT_LEVELS = 3
_WRAPPER = "value"


def _list(opening: str, item: str, closing: str) -> str:
    return rf"\{opening}{_SPACE}({item}({_SPACE},{_SPACE}{item})*)?{_SPACE}\{closing}"


def _value(levels: int) -> str:
    values = [_STRING, _NUMBER, "true", "false", "null"]
    if levels > 1:
        values += [_object(levels - 1), _list("[", _value(levels - 1), "]")]
    return f"({'|'.join(values)})"


def _object(levels: int) -> str:
    return _list("{", f"{_STRING}{_SPACE}:{_SPACE}{_value(levels)}", "}")


JSON_OBJECT = _object(_OBJECT_LEVELS)
"""A JSON object whose values nest two levels deeper, as outlines-core translates `{"type": "object"}`.

TGI's `json` grammar cannot express "any object": it requires `properties` and allows no others. A regular expression
cannot nest without limit, and each level makes the model's server compile it four times as long, once.
"""


def build_grammar(form: ResponseFormat, problems: Problems) -> tuple[dict[str, Any], bool]:
    """TGI's grammar for a response format, and whether the text is wrapped in an object, which TGI requires."""
    if form.regex is not None:
        return {"type": "regex", "value": form.regex}, False
    schema = {"type": "object"} if form.schema is None else normalize_schema(form.schema, form.path, problems)
    if is_object(schema):
        if form.name is not None:
            return {"type": "json_schema", "value": {"name": form.name, "schema": schema}}, False
        return {"type": "json", "value": schema}, False
    if _is_any_object(schema):
        return {"type": "regex", "value": JSON_OBJECT}, False
    wrapped = {"type": "object", "properties": {_WRAPPER: schema}, "required": [_WRAPPER]}
    return {"type": "json", "value": wrapped}, True


def unwrap(form: ResponseFormat) -> Members | None:
    """Reads the text out of the object around it; None if there is none."""
    _, is_wrapped = build_grammar(form, Problems())
    return Members(only=_WRAPPER) if is_wrapped else None


def _is_any_object(schema: dict[str, Any]) -> bool:
    limits = ("minProperties", "maxProperties")
    is_open = schema.get("additionalProperties", True) is True
    return schema.get("type") == "object" and is_open and not any(name in schema for name in limits)
