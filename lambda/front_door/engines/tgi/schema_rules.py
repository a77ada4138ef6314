"""The rules of a JSON schema, and what two schemas both allow."""

from typing import Any

# outlines-core looks for these, in this order, and rejects a schema that has none of them.
KEYWORDS = ("properties", "allOf", "anyOf", "oneOf", "prefixItems", "enum", "const", "$ref", "type")
# The type that a keyword implies in a schema without a type.
IMPLIED = {
    **dict.fromkeys(("items", "minItems", "maxItems"), "array"),
    **dict.fromkeys(("additionalProperties", "required", "minProperties", "maxProperties"), "object"),
    **dict.fromkeys(("pattern", "format", "minLength", "maxLength"), "string"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "number"),
}
# The keywords that decide what is allowed; the others only describe it.
RULES = frozenset((*KEYWORDS, *IMPLIED))


def names_in(required: object) -> list[str]:
    """The names in a schema's `required`, whatever it is."""
    return [name for name in required if isinstance(name, str)] if isinstance(required, list) else []


class UnusableError(Exception):
    """A part cannot be rewritten; the message says why."""


class ImpossibleError(Exception):
    """Nothing matches a part, or it is too deep."""


def combine(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What both schemas allow."""
    both = {**other, **one}
    for name, second in other.items():
        first = both[name]
        if first == second or name not in RULES or name == "properties":
            continue
        if name == "required":
            both[name] = list(dict.fromkeys([*required_names(one), *required_names(other)]))
        elif name == "const":
            raise ImpossibleError
        elif name == "type":
            both[name] = _both_types(listed_types(first), listed_types(second))
        elif name == "enum" and isinstance(first, list) and isinstance(second, list):
            both[name] = _common(first, second)
        elif name in ("items", "additionalProperties"):
            both[name] = _all(first, second)
        else:
            raise UnusableError(f"parts of the schema that hold together have different values of `{name}`")
    names = [name for node in (one, other) if isinstance(node.get("properties"), dict) for name in node["properties"]]
    if names:
        both["properties"] = {name: _all(property_of(one, name), property_of(other, name)) for name in names}
    return both


def required_names(node: dict[str, Any]) -> list[str]:
    """The names in `required`; raises UnusableError if it is anything else."""
    names = names_in(node.get("required"))
    if node.get("required") not in (None, names):
        raise UnusableError("`required` must be an array of strings")
    return names


def _common(first: list[Any], second: list[Any]) -> list[Any]:
    """The values in both lists; of scalars there may be many."""
    objects = [each for each in second if isinstance(each, (dict, list))]
    scalars = {each for each in second if not isinstance(each, (dict, list))}
    return [each for each in first if each in (objects if isinstance(each, (dict, list)) else scalars)]


def property_of(node: dict[str, Any], name: str) -> Any:
    """The schema of a property, which may be that of all others."""
    properties = node.get("properties")
    others = node.get("additionalProperties", True)
    return properties.get(name, others) if isinstance(properties, dict) else others


def _all(first: Any, second: Any) -> Any:
    if first == second or second is True:
        return first
    return second if first is True else {"allOf": [first, second]}


def listed_types(kinds: Any) -> list[Any]:
    """The types of `type`; a number may be an integer."""
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return [*kinds, "integer"] if "number" in kinds else kinds


def _both_types(first: list[Any], second: list[Any]) -> list[Any]:
    both = [each for each in first if each in second]
    if not both:
        raise ImpossibleError
    return [each for each in both if each != "integer" or "number" not in both]
