"""JSON schemas and JSON mode as TGI's grammars.

TGI 3.3.6 converts a schema to a regular expression with outlines-core at commit ba10c619 (Cargo.toml,
src/json_schema), which supports less of JSON Schema than OpenAI's structured outputs do. What it would misread is
rewritten here.
"""

from collections.abc import Mapping
from typing import Any

from front_door.generation.request import Problems

_MAX_NODES = 5000
_SPACE = "[ ]?"
_STRING = r'"([^"\\\x00-\x1F\x7F-\x9F]|\\["\\/bfnrt])*"'
_NUMBER = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?"
_OBJECT_LEVELS = 3

_OF_ONE = ("items", "additionalProperties")
_OF_MANY = ("anyOf", "oneOf", "allOf", "prefixItems")
# outlines-core looks for these, in this order, and rejects a schema that has none of them.
_KEYWORDS = ("properties", "allOf", "anyOf", "oneOf", "prefixItems", "enum", "const", "$ref", "type")
# The type that a keyword implies in a schema without a type.
_IMPLIED = {
    **dict.fromkeys(("items", "minItems", "maxItems"), "array"),
    **dict.fromkeys(("additionalProperties", "required", "minProperties", "maxProperties"), "object"),
    **dict.fromkeys(("pattern", "format", "minLength", "maxLength"), "string"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "number"),
}
# An empty schema allows everything too, but outlines-core puts no parentheses around its alternatives.
_ANYTHING = {"anyOf": [{"type": name} for name in ("string", "number", "boolean", "null", "object", "array")]}


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


def response_format(requested: Mapping[str, Any], problems: Problems) -> dict[str, Any] | None:
    """TGI's grammar for a `response_format` in OpenAI's or TGI's form; None if the text is free."""
    kind, value = requested["type"], requested.get("value")
    if kind == "text":
        return None
    if kind == "regex" or isinstance(value, str):
        return {"type": kind, "value": value}
    if kind == "json_schema":
        path = "response_format." + ("value" if requested.get("json_schema") is None else "json_schema")
        wrapped = requested.get("json_schema") or value or {}
        name = {"name": wrapped["name"]} if wrapped.get("name") is not None else {}
        schema = normalize_schema(wrapped["schema"], f"{path}.schema", problems)
        return {"type": kind, "value": {**name, "schema": schema}}
    if value is None:
        return {"type": "regex", "value": JSON_OBJECT}
    return {"type": "json", "value": normalize_schema(value, "response_format.value", problems)}


def normalize_schema(schema: dict[str, Any], path: str, problems: Problems) -> dict[str, Any]:
    """A schema that outlines-core reads correctly: without references, type lists and empty schemas.

    Args:
        schema: A JSON schema.
        path: Where it is in the request.
        problems: Receives references to itself, which TGI would follow without end, and to what does not exist.
    """
    try:
        return _Normalizer(schema).root()
    except _UnusableError as error:
        problems.add(path, f"{path}: {error}")
    return schema


class _UnusableError(Exception):
    pass


class _Normalizer:
    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._nodes = 0

    def root(self) -> dict[str, Any]:
        members = {name: value for name, value in self._root.items() if name not in ("$defs", "definitions")}
        node = self._resolve(members, ())
        return self._members(*node)

    def _node(self, node: Any, within: tuple[str, ...]) -> Any:
        if node is True:
            return _ANYTHING
        if not isinstance(node, dict):
            return node
        node, within = self._resolve(node, within)
        if not any(keyword in node for keyword in _KEYWORDS):
            implied = next((_IMPLIED[name] for name in node if name in _IMPLIED), None)
            if implied is None:
                return {**node, **_ANYTHING}
            node = {**node, "type": implied}
        if isinstance(node.get("type"), list) and "enum" not in node and "const" not in node:
            return {"anyOf": [self._members(_of_type(node, kind), within) for kind in node["type"]]}
        return self._members(node, within)

    def _members(self, node: dict[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise _UnusableError(f"the schema has more than {_MAX_NODES} parts once its references are followed")
        node = dict(node)
        if isinstance(node.get("properties"), dict):
            node["properties"] = {name: self._node(each, within) for name, each in node["properties"].items()}
        elif node.get("type") == "object" and node.get("additionalProperties") is False:
            node["properties"] = {}
        for keyword in _OF_ONE:
            if isinstance(node.get(keyword), dict) or (keyword == "items" and node.get(keyword) is True):
                node[keyword] = self._node(node[keyword], within)
        for keyword in _OF_MANY:
            if isinstance(node.get(keyword), list):
                node[keyword] = [self._node(each, within) for each in node[keyword]]
        return node

    def _resolve(self, node: dict[str, Any], within: tuple[str, ...]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The target of a reference, merged with the members beside it, and the references that led there."""
        while isinstance(node.get("$ref"), str):
            reference = node["$ref"]
            if reference in within:
                raise _UnusableError("the schema refers to itself, which this model's server does not support")
            within = (*within, reference)
            beside = {name: value for name, value in node.items() if name != "$ref"}
            node = {**self._target(reference), **beside}
        return node, within

    def _target(self, reference: str) -> dict[str, Any]:
        target: Any = self._root
        base, _, pointer = reference.partition("#")
        if base and base != self._root.get("$id"):
            raise _UnusableError("a $ref must point into the same schema, such as #/$defs/Name")
        for part in filter(None, pointer.split("/")):
            target = target.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
        if not isinstance(target, dict):
            raise _UnusableError("a $ref points to something that is not in the schema")
        return target


def _of_type(node: dict[str, Any], kind: object) -> dict[str, Any]:
    """The schema for one of its types, without the keywords of other types that outlines-core looks for first."""
    others = [("object", "properties"), ("array", "prefixItems")]
    foreign = {keyword for owner, keyword in others if owner != kind}
    return {name: value for name, value in node.items() if name not in foreign} | {"type": kind}
