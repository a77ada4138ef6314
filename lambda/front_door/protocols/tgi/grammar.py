"""TGI's grammars, checked as its router does (router/src/validation.rs, 3.3.6)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from front_door.errors import ApiError
from front_door.generation.generate_request import Grammar
from front_door.http.json import compact, parse
from front_door.http.json_schema import wrong_type

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_NO_PROPERTIES = "Grammar must have a 'properties' field"
_NO_REFERENCE = "cannot compile regex from schema: Invalid reference path: "
_DEFINITIONS = ("$defs", "definitions")
_NAMES: dict[type, str] = {dict: "object", list: "array"}
# What of a schema is schemas: by name, in an array, or by itself.
_PARTS: dict[str, tuple[type | None, Callable[[Any], Iterable[object]]]] = {
    **dict.fromkeys(("properties", *_DEFINITIONS), (dict, dict.values)),
    **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), (list, iter)),
    **dict.fromkeys(("items", "additionalProperties"), (None, lambda part: (part,))),
}


def read_grammar(grammar: Mapping[str, Any]) -> Grammar:
    """The grammar of a request, whose type is one of TGI's.

    Raises:
        ApiError: TGI would not accept it.
    """
    kind, value = grammar["type"], grammar["value"]
    if kind == "regex":
        if not isinstance(value, str):
            raise _unreadable("parameters.grammar.value: " + wrong_type(value, "a string"))
        return Grammar(regex=value)
    if kind == "json_schema":
        if not isinstance(value, dict):
            raise _unreadable("parameters.grammar.value: " + wrong_type(value, "struct JsonSchemaConfig"))
        if "schema" not in value:
            raise _unreadable("parameters.grammar.value: missing field `schema`")
        schema = value["schema"]
    else:
        schema = _read_json(value)
    for problem in _problems(schema):
        raise _invalid(problem)
    if not isinstance(schema, dict) or "properties" not in schema:
        raise _invalid(_NO_PROPERTIES)
    if (missing := _missing_reference(schema)) is not None:
        raise ApiError("validation", f"Input validation error: {_NO_REFERENCE}{missing}")
    return Grammar(schema=schema)


def _read_json(value: object) -> object:
    if isinstance(value, dict):
        return value
    if not isinstance(value, str):
        raise ApiError("validation", "Input validation error: grammar is not supported")
    schema = parse(value.encode(errors="replace"))
    if schema is None:
        raise _invalid("its `value` is not JSON")
    return schema


def _problems(schema: object) -> Iterator[str]:
    """What is wrong with a schema, as far as engines fail at it without a word."""
    if not isinstance(schema, dict):
        if not isinstance(schema, bool):
            yield f'{_shown(schema)} is not of types "boolean", "object"'
        return
    kind = schema.get("type", "object")
    if not (kind in _TYPES if isinstance(kind, str) else _are_types(kind)):
        yield f"{_shown(kind)} is not valid under any of the schemas listed in the 'anyOf' keyword"
    for name in _PARTS.keys() & schema.keys():
        expected, parts_of = _PARTS[name]
        parts = schema[name]
        if expected is not None and not isinstance(parts, expected):
            yield f'{_shown(parts)} is not of type "{_NAMES[expected]}"'
        else:
            for part in parts_of(parts):
                yield from _problems(part)


def _missing_reference(root: dict[str, Any]) -> str | None:
    """The name at which a reference that the schema uses leads nowhere: each engine fails at it in its own way."""
    waiting, seen = [root], set[int]()
    while waiting:
        schema = waiting.pop()
        if id(schema) in seen:
            continue
        seen.add(id(schema))
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            found: Any = root
            for name in reference[2:].split("/"):
                name = name.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901 - the member of that name
                if isinstance(found, dict) and name not in found:
                    return name
                found = found[name] if isinstance(found, dict) else None
            waiting += [found] if isinstance(found, dict) else []
        for name in _PARTS.keys() & schema.keys() - set(_DEFINITIONS):
            waiting += [part for part in _PARTS[name][1](schema[name]) if isinstance(part, dict)]
    return None


def _are_types(kinds: object) -> bool:
    return isinstance(kinds, list) and bool(kinds) and all(isinstance(each, str) and each in _TYPES for each in kinds)


def _shown(value: object) -> str:
    return compact(value).decode()[:100]


def _invalid(problem: str) -> ApiError:
    return ApiError("validation", f"Input validation error: grammar is not valid: {problem}")


def _unreadable(problem: str) -> ApiError:
    return ApiError("validation", f"Failed to deserialize the JSON body into the target type: {problem}")
