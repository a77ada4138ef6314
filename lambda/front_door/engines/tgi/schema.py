"""JSON schemas as TGI's grammar compiler reads them correctly.

TGI 3.3.6 converts a schema to a regular expression with outlines-core at commit ba10c619 (Cargo.toml,
src/json_schema; the same as in outlines-core 0.1.17), which supports less of JSON Schema than OpenAI's structured
outputs do. What it would misread or follow without end is rewritten here.
"""

from typing import Any

from front_door.generation.request import Problems

MAX_REPEATS = 3
"""How often a reference is followed within itself, as a regular expression is finite."""
_MAX_PARTS = 5000
# A recursive schema is followed less often if its regular expression would have more parts. One of 100 takes seconds to
# compile, one of 165 four times as long (interegular 0.3.3), in which TGI's server generates nothing.
_MAX_UNROLLED_PARTS = 100

# outlines-core looks for these, in this order, and rejects a schema that has none of them.
_KEYWORDS = ("properties", "allOf", "anyOf", "oneOf", "prefixItems", "enum", "const", "$ref", "type")
# The type that a keyword implies in a schema without a type.
_IMPLIED = {
    **dict.fromkeys(("items", "minItems", "maxItems"), "array"),
    **dict.fromkeys(("additionalProperties", "required", "minProperties", "maxProperties"), "object"),
    **dict.fromkeys(("pattern", "format", "minLength", "maxLength"), "string"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "number"),
}
# The keywords that decide what is allowed; the others only describe it.
_RULES = frozenset((*_KEYWORDS, *_IMPLIED))
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
    except _ImpossibleError:
        problems.add(path, f"{path}: nothing matches the schema, such as where it refers to itself without an end")
    except _UnusableError as error:
        problems.add(path, f"{path}: {error}")
    else:
        return result
    return schema


def is_object(normalized: dict[str, Any]) -> bool:
    """Whether TGI accepts a normalized schema, and compiles all of it, as a grammar or a tool's parameters."""
    return isinstance(normalized.get("properties"), dict)


def names_in(required: object) -> list[str]:
    """The names in a schema's `required`, whatever it is."""
    return [name for name in required if isinstance(name, str)] if isinstance(required, list) else []


class _UnusableError(Exception):
    pass


class _ImpossibleError(Exception):
    """Nothing matches a part, or it is too deep."""


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
            raise _ImpossibleError
        if not isinstance(node, dict):
            return node  # TGI says what is wrong with it
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise _UnusableError(f"the schema has more than {_MAX_PARTS} parts once its references are followed")
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
        rules = {name: value for name, value in beside.items() if name in _RULES}
        kept = []
        for each in node[keyword]:
            try:
                kept.append(self._node({**rules, "allOf": [each]} if rules else each, within))
            except _ImpossibleError:
                continue
        if not kept and node[keyword]:
            raise _ImpossibleError
        return {**{name: value for name, value in beside.items() if name not in rules}, "anyOf": kept}

    def _typed(self, node: dict[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
        if not any(keyword in node for keyword in _KEYWORDS):
            implied = next((_IMPLIED[name] for name in node if name in _IMPLIED), None)
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
        required = _required(node)
        kept = {}
        for name, each in ({**node["properties"], **{name: _property(node, name) for name in required}}).items():
            try:
                kept[name] = self._node(each, within)
            except _ImpossibleError:
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
        except _ImpossibleError:
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
                raise _ImpossibleError
            if isinstance(part, dict):
                merged, within = self._merge(*self._resolve(part, within))
                node = _combine(node, merged)
        return node, within

    def _resolve(self, node: dict[str, Any], within: tuple[str, ...]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The target of a reference, merged with the members beside it, and the references that led there."""
        while isinstance(node.get("$ref"), str):
            reference = node["$ref"]
            if within.count(reference) >= self._repeats:
                self.is_cut = True
                raise _ImpossibleError
            within = (*within, reference)
            beside = {name: value for name, value in node.items() if name != "$ref"}
            node = _combine(beside, self._target(reference))
        return node, within

    def _target(self, reference: str) -> dict[str, Any]:
        target: Any = self._root
        base, _, pointer = reference.partition("#")
        if base and base != self._root.get("$id"):
            raise _UnusableError("a $ref must point into the same schema, such as #/$defs/Name")
        for part in filter(None, pointer.split("/")):
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(target, list) and name.isdecimal():
                target = target[int(name)] if int(name) < len(target) else None
            else:
                target = target.get(name) if isinstance(target, dict) else None
        if not isinstance(target, dict):
            raise _UnusableError("a $ref points to something that is not in the schema")
        return target


def _combine(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What both schemas allow."""
    both = {**other, **one}
    for name, second in other.items():
        first = both[name]
        if first == second or name not in _RULES or name == "properties":
            continue
        if name == "required":
            both[name] = list(dict.fromkeys([*_required(one), *_required(other)]))
        elif name == "const":
            raise _ImpossibleError
        elif name == "type":
            both[name] = _both_types(_listed(first), _listed(second))
        elif name == "enum" and isinstance(first, list) and isinstance(second, list):
            both[name] = _common(first, second)
        elif name in ("items", "additionalProperties"):
            both[name] = _all(first, second)
        else:
            raise _UnusableError(f"parts of the schema that hold together have different values of `{name}`")
    names = [name for node in (one, other) if isinstance(node.get("properties"), dict) for name in node["properties"]]
    if names:
        both["properties"] = {name: _all(_property(one, name), _property(other, name)) for name in names}
    return both


def _required(node: dict[str, Any]) -> list[str]:
    names = names_in(node.get("required"))
    if node.get("required") not in (None, names):
        raise _UnusableError("`required` must be an array of strings")
    return names


def _common(first: list[Any], second: list[Any]) -> list[Any]:
    """The values in both lists; of scalars there may be many."""
    objects = [each for each in second if isinstance(each, (dict, list))]
    scalars = {each for each in second if not isinstance(each, (dict, list))}
    return [each for each in first if each in (objects if isinstance(each, (dict, list)) else scalars)]


def _property(node: dict[str, Any], name: str) -> Any:
    properties = node.get("properties")
    others = node.get("additionalProperties", True)
    return properties.get(name, others) if isinstance(properties, dict) else others


def _all(first: Any, second: Any) -> Any:
    if first == second or second is True:
        return first
    return second if first is True else {"allOf": [first, second]}


def _listed(kinds: Any) -> list[Any]:
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return [*kinds, "integer"] if "number" in kinds else kinds


def _both_types(first: list[Any], second: list[Any]) -> list[Any]:
    both = [each for each in first if each in second]
    if not both:
        raise _ImpossibleError
    return [each for each in both if each != "integer" or "number" not in both]


def _constants(node: dict[str, Any]) -> dict[str, Any]:
    """A schema with `const` or `enum`; outlines-core knows only scalar values, and does not look at their type."""
    values = [node["const"]] if "const" in node else node["enum"]
    described = {name: value for name, value in node.items() if name not in _RULES or name == "type"}
    if "type" in node:
        kinds = _listed(node["type"])
        values = [value for value in values if _TYPES[type(value)] in kinds]
    if not values:
        raise _ImpossibleError
    if any(isinstance(value, (dict, list)) for value in values):
        if any(name in _RULES for name in node if name not in ("type", "const", "enum")):
            raise _UnusableError("an array or object in `const` or `enum` allows no other rules beside it")
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
