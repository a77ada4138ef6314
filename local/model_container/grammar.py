"""Generates texts for a grammar: an instance of a JSON schema, or a match of a regular expression."""

from __future__ import annotations

import re
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "toy@example.com",
    "uri": "https://example.com/toy",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "ipv4": "192.0.2.1",
}
_MAX_DEPTH = 12


class InstanceGenerator:
    """Generates values for a (simple) JSON schema from the words of a prompt.

    Args:
        root: The schema that `$ref`s refer to.
        words: The words for strings.
    """

    def __init__(self, root: dict[str, Any], words: list[str]) -> None:
        self._root = root
        self._words = words or ["toy"]
        self._next = 0

    def generate(self, schema: Any, depth: int = 0) -> Any:
        """A value that satisfies a schema."""
        if not isinstance(schema, dict) or depth > _MAX_DEPTH:
            return None
        if "$ref" in schema:
            return self.generate(self._resolve(schema["$ref"]), depth + 1)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][0]
        for keyword in ("anyOf", "oneOf"):
            if schema.get(keyword):
                return self.generate(schema[keyword][0], depth + 1)
        if schema.get("allOf"):
            return self.generate(self._merge_all_of(schema), depth + 1)
        return self._typed(schema, depth)

    def _typed(self, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((k for k in kind if k != "null"), "null")
        if kind == "object" or (kind is None and "properties" in schema):
            return {name: self.generate(each, depth + 1) for name, each in schema.get("properties", {}).items()}
        if kind == "array":
            if schema.get("prefixItems"):
                return [self.generate(each, depth + 1) for each in schema["prefixItems"]]
            minimum = schema.get("minItems", 1)
            length = min(minimum, schema.get("maxItems", minimum))
            return [self.generate(schema.get("items", {"type": "string"}), depth + 1) for _ in range(length)]
        if kind in ("integer", "number"):
            return _number(schema, integer=kind == "integer")
        if kind == "boolean":
            return True
        return None if kind == "null" else self._string(schema)

    def _string(self, schema: dict[str, Any]) -> str:
        if "pattern" in schema:
            return generate_match(schema["pattern"])
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        text = self._words[self._next % len(self._words)]
        self._next += 1
        while len(text) < schema.get("minLength", 0):
            text += " toy"
        return text[: schema.get("maxLength", len(text))]

    def _merge_all_of(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Merges a schema with the schemas of its allOf."""
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for each in map(self._dereference, schema["allOf"]):
            if isinstance(each, dict):
                more = self._merge_all_of(each) if "allOf" in each else each
                properties = {**merged.get("properties", {}), **more.get("properties", {})}
                merged |= more | ({"properties": properties} if properties else {})
        return merged

    def _dereference(self, schema: Any) -> Any:
        return self._resolve(schema["$ref"]) if isinstance(schema, dict) and "$ref" in schema else schema

    def _resolve(self, reference: str) -> Any:
        node: Any = self._root
        for part in reference.removeprefix("#").strip("/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            node = node.get(key) if isinstance(node, dict) else None
        return node


def _number(schema: dict[str, Any], *, integer: bool) -> float:
    step = schema.get("multipleOf", 1 if integer else 0.5)
    low = schema.get("minimum")
    if low is None and "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + step
    high = schema.get("maximum")
    if high is None and "exclusiveMaximum" in schema:
        high = schema["exclusiveMaximum"] - step
    value: float = low if low is not None else step
    if high is not None and value > high:
        value = high
    if value % step:
        value = -(-value // step) * step
    return int(value) if integer else value


def generate_match(pattern: str) -> str:
    """A short text that matches a regular expression.

    Raises:
        re.error: The pattern is invalid.
    """
    return _generate(_parser.parse(pattern), {})


def _generate(parsed: Any, groups: dict[int, str]) -> str:
    return "".join(_one(operation, argument, groups) for operation, argument in parsed)


def _one(operation: Any, argument: Any, groups: dict[int, str]) -> str:
    if operation is _constants.LITERAL:
        return chr(argument)
    if operation is _constants.ANY:
        return "a"
    if operation in (_constants.NOT_LITERAL, _constants.IN):
        return _character(operation, argument)
    if operation in (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT):
        minimum, maximum, inner = argument
        return "".join(_generate(inner, groups) for _ in range(max(minimum, min(1, maximum))))
    if operation is _constants.BRANCH:
        return _generate(argument[1][0], groups)
    if operation is _constants.SUBPATTERN:
        text = _generate(argument[3], groups)
        groups[argument[0]] = text
        return text
    if operation is _constants.GROUPREF:
        return groups.get(argument, "")
    return ""  # anchors and look-arounds add no text


def _character(operation: Any, argument: Any) -> str:
    """A character that a class allows, preferably a vowel."""
    category = re.compile("")
    if operation is _constants.NOT_LITERAL:
        return "a" if argument != ord("a") else "b"
    allowed = set()
    negated = any(kind is _constants.NEGATE for kind, _ in argument)
    for kind, value in argument:
        if kind is _constants.LITERAL:
            allowed.add(chr(value))
        elif kind is _constants.RANGE:
            allowed.update(chr(code) for code in range(value[0], min(value[1], value[0] + 128) + 1))
        elif kind is _constants.CATEGORY:
            category = re.compile({"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[str(value).rsplit("_", 1)[-1]])
            inverse = "NOT" in str(value)
            allowed.update(chr(c) for c in range(32, 127) if bool(category.match(chr(c))) != inverse)
    candidates = "aeiou" + "".join(chr(code) for code in range(32, 127))
    if negated:
        return next(c for c in candidates if c not in allowed)
    return next((c for c in candidates if c in allowed), min(allowed))
