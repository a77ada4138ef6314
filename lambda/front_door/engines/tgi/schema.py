"""JSON schemas as TGI's grammar compiler reads them correctly.

TGI 3.3.6 converts a schema to a regular expression with outlines-core at commit ba10c619 (Cargo.toml,
src/json_schema; the same as in outlines-core 0.1.17), which supports less of JSON Schema than OpenAI's structured
outputs do. What it would misread or follow without end is rewritten here.
"""

from typing import Any

from front_door.engines.tgi.schema_rules import (
    IMPLIED,
    KEYWORDS,
    RULES,
    ImpossibleError,
    UnusableError,
    combine,
    listed_types,
    property_of,
    required_names,
)
from front_door.generation.request import Problems

MAX_REPEATS = 3
"""How often a reference is followed within itself, as a regular expression is finite."""
_MAX_PARTS = 5000
# A recursive schema is followed less often if its regular expression would have more parts. One of 100 takes seconds to
# compile, one of 165 four times as long (interegular 0.3.3), in which TGI's server generates nothing.
_MAX_UNROLLED_PARTS = 100

_TYPES: dict[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
    dict: "object",
    list: "array",
}
_FORMATS = ("date-time", "date", "time", "uuid")
# An empty schema allows everything too, but outlines-core puts no parentheses around its alternatives.
_ANYTHING = {"anyOf": [{"type": name} for name in ("string", "number", "boolean", "null", "object", "array")]}


def normalize_schema(schema: dict[str, Any], path: str, problems: Problems) -> dict[str, Any]:
    """A schema that outlines-core reads correctly: without references, `allOf`, lists of types and empty schemas.

    A schema that refers to itself is followed to a limited depth. Beyond it, what may be missing is left out, and
    what may be empty is empty; so whatever the result allows, the schema allows.

    Args:
        schema: A JSON schema.
        path: Where it is in the request.
        problems: Receives references without an end or a target, and what cannot be rewritten.
    """
    try:
        for repeats in range(MAX_REPEATS, 0, -1):
            normalizer = _Normalizer(schema, repeats)
            result: dict[str, Any] = normalizer.root()
            if not normalizer.is_cut or _count_parts(result) <= _MAX_UNROLLED_PARTS:
                break
    except ImpossibleError:
        problems.add(path, f"{path}: nothing matches the schema, such as where it refers to itself without an end")
    except UnusableError as error:
        problems.add(path, f"{path}: {error}")
    else:
        return result
    return schema


def is_object(normalized: dict[str, Any]) -> bool:
    """Whether TGI accepts a normalized schema, and compiles all of it, as a grammar or a tool's parameters."""
    return isinstance(normalized.get("properties"), dict)


class _Normalizer:
    """Rewrites one schema.

    Attributes:
        is_cut: Whether a reference was followed too often.
    """

    def __init__(self, root: dict[str, Any], repeats: int) -> None:
        self._root = root
        self._repeats = repeats
        self._parts = 0
        self.is_cut = False

    def root(self) -> Any:
        return self._node(self._root, ())

    def _node(self, node: Any, within: tuple[str, ...]) -> Any:
        if node is True:
            return _ANYTHING
        if node is False:
            raise ImpossibleError
        if not isinstance(node, dict):
            return node  # TGI says what is wrong with it
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise UnusableError(f"the schema has more than {_MAX_PARTS} parts once its references are followed")
        node, within = self._merge(*self._resolve(node, within))
        node = {name: each for name, each in node.items() if name not in ("$defs", "definitions")}
        for keyword in ("anyOf", "oneOf"):
            if isinstance(node.get(keyword), list):
                return self._alternatives(node, keyword, within)
        if "const" in node or isinstance(node.get("enum"), list):
            return _constants(node)
        return self._typed(node, within)

    def _alternatives(self, node: dict[str, Any], keyword: str, within: tuple[str, ...]) -> dict[str, Any]:
        """The alternatives, each with the rules beside them, without those that nothing matches."""
        beside = {name: value for name, value in node.items() if name != keyword}
        rules = {name: value for name, value in beside.items() if name in RULES}
        kept = []
        for each in node[keyword]:
            try:
                kept.append(self._node({**rules, "allOf": [each]} if rules else each, within))
            except ImpossibleError:
                continue
        if not kept and node[keyword]:
            raise ImpossibleError
        return {**{name: value for name, value in beside.items() if name not in rules}, "anyOf": kept}

    def _typed(self, node: dict[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
        if not any(keyword in node for keyword in KEYWORDS):
            implied = next((IMPLIED[name] for name in node if name in IMPLIED), None)
            if implied is None:
                return {**node, **_ANYTHING}
            node = {**node, "type": implied}
        if isinstance(node.get("type"), list):
            return {"anyOf": [self._one_type(_of_type(node, kind), within) for kind in node["type"]]}
        return self._one_type(_of_type(node, node["type"]) if "type" in node else dict(node), within)

    def _one_type(self, node: dict[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
        if isinstance(node.get("properties"), dict):
            return self._object(node, within)
        if node.get("type") == "object" and (node.get("required") or node.get("additionalProperties") is False):
            return self._object({**node, "properties": {}}, within)
        if isinstance(node.get("items"), list):
            node["prefixItems"] = node.pop("items")
        if isinstance(node.get("prefixItems"), list):
            node["prefixItems"] = [self._node(each, within) for each in node["prefixItems"]]
        self._repeated(node, "items", ("minItems", "maxItems"), within)
        self._repeated(node, "additionalProperties", ("minProperties", "maxProperties"), within)
        return _string(node) if node.get("type") == "string" else node

    def _object(self, node: dict[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
        required = required_names(node)
        kept = {}
        for name, each in ({**node["properties"], **{name: property_of(node, name) for name in required}}).items():
            try:
                kept[name] = self._node(each, within)
            except ImpossibleError:
                if name in required:
                    raise
        others = node.get("additionalProperties")
        # Beside properties outlines-core allows no others.
        return {**node, "properties": kept} | ({"additionalProperties": False} if isinstance(others, dict) else {})

    def _repeated(self, node: dict[str, Any], keyword: str, limits: tuple[str, str], within: tuple[str, ...]) -> None:
        """What may be repeated, or else the limit that lets nothing be there."""
        if node.get(keyword) is None or (keyword == "additionalProperties" and node[keyword] is True):
            return
        try:
            node[keyword] = self._node(node[keyword], within)
        except ImpossibleError:
            if node.get(limits[0]):
                raise
            del node[keyword]
            node[limits[1]] = 0

    def _merge(self, node: dict[str, Any], within: tuple[str, ...]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """A schema with the parts of its `allOf`, which outlines-core would put one behind the other."""
        parts = node.get("allOf")
        if not isinstance(parts, list):
            return node, within
        node = {name: value for name, value in node.items() if name != "allOf"}
        for part in parts:
            if part is False:
                raise ImpossibleError
            if isinstance(part, dict):
                merged, within = self._merge(*self._resolve(part, within))
                node = combine(node, merged)
        return node, within

    def _resolve(self, node: dict[str, Any], within: tuple[str, ...]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The target of a reference, merged with the members beside it, and the references that led there."""
        while isinstance(node.get("$ref"), str):
            reference = node["$ref"]
            if within.count(reference) >= self._repeats:
                self.is_cut = True
                raise ImpossibleError
            within = (*within, reference)
            beside = {name: value for name, value in node.items() if name != "$ref"}
            node = combine(beside, self._target(reference))
        return node, within

    def _target(self, reference: str) -> dict[str, Any]:
        target: Any = self._root
        base, _, pointer = reference.partition("#")
        if base and base != self._root.get("$id"):
            raise UnusableError("a $ref must point into the same schema, such as #/$defs/Name")
        for part in filter(None, pointer.split("/")):
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(target, list) and name.isdecimal():
                target = target[int(name)] if int(name) < len(target) else None
            else:
                target = target.get(name) if isinstance(target, dict) else None
        if not isinstance(target, dict):
            raise UnusableError("a $ref points to something that is not in the schema")
        return target


def _constants(node: dict[str, Any]) -> dict[str, Any]:
    """A schema with `const` or `enum`; outlines-core knows only scalar values, and does not look at their type."""
    values = [node["const"]] if "const" in node else node["enum"]
    described = {name: value for name, value in node.items() if name not in RULES or name == "type"}
    if "type" in node:
        kinds = listed_types(node["type"])
        values = [value for value in values if _TYPES[type(value)] in kinds]
    if not values:
        raise ImpossibleError
    if any(isinstance(value, (dict, list)) for value in values):
        if any(name in RULES for name in node if name not in ("type", "const", "enum")):
            raise UnusableError("an array or object in `const` or `enum` allows no other rules beside it")
        return described | {"anyOf": [_constant(value) for value in values]}
    return described | ({"const": values[0]} if "const" in node else {"enum": values})


def _constant(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        properties = {name: _constant(each) for name, each in value.items()}
        return {"type": "object", "properties": properties, "required": list(value)}
    if isinstance(value, list):
        return {"type": "array"} | ({"prefixItems": [_constant(each) for each in value]} if value else {"maxItems": 0})
    return {"const": value}


def _string(node: dict[str, Any]) -> dict[str, Any]:
    """A string; outlines-core rejects most formats, and takes a pattern for the whole string."""
    if node.get("format") not in _FORMATS:
        node.pop("format", None)
    pattern = node.get("pattern")
    if isinstance(pattern, str):
        pattern = pattern.removeprefix("^")
        if pattern.endswith("$") and not pattern.endswith("\\$"):
            pattern = pattern[:-1]
        node["pattern"] = f"({pattern})" if "|" in pattern else pattern
    return node


def _of_type(node: dict[str, Any], kind: object) -> dict[str, Any]:
    """The schema for one of its types, without the keywords of other types that outlines-core looks for first."""
    others = [("object", "properties"), ("array", "prefixItems")]
    foreign = {keyword for owner, keyword in others if owner != kind}
    return {name: value for name, value in node.items() if name not in foreign} | {"type": kind}


def _count_parts(node: Any) -> int:
    """How many parts the regular expression has: that of an item twice, all properties per optional one."""
    if not isinstance(node, dict):
        return 0
    properties = node.get("properties")
    if isinstance(properties, dict):
        times = 1 if node.get("required") else len(properties)
        return 1 + times * sum(map(_count_parts, properties.values()))
    once = [part for name in ("anyOf", "prefixItems") if isinstance(node.get(name), list) for part in node[name]]
    twice = [node.get("items"), node.get("additionalProperties")]
    return 1 + sum(map(_count_parts, once)) + 2 * sum(map(_count_parts, twice))
