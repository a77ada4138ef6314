"""Random values that a JSON schema of the API description allows."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import Any

_TEXTS = [
    "",
    " ",
    "Hello",
    "Grüße 你好 🐤",
    '"quoted" \\',
    "line\nbreak",
    "a\u0000b",
    "\u2028",
    "<b>&amp;</b>",
    "data: x",
]
_JSON_SCHEMA: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
_SMALL = {"max_tokens", "max_output_tokens", "max_new_tokens", "max_completion_tokens", "truncate"}


class SchemaValues:
    """Draws values; those of some names are more useful than the schema alone would make them.

    Args:
        components: The schemas of the description by name.
        generator: The source of randomness.
        word: A word that all texts of the value contain that clients choose freely.
        models: The names that a request may give its model.
    """

    def __init__(self, components: Mapping[str, Any], generator: random.Random, word: str, models: list[str]) -> None:
        self._components = components
        self._random = generator
        self._word = word
        self._by_name: dict[str, Callable[[], Any]] = {
            "model": lambda: generator.choice(models),
            "role": lambda: generator.choice(["system", "user", "user", "assistant", "tool", "developer"]),
            "schema": lambda: _JSON_SCHEMA,
            "parameters of a tool": lambda: _JSON_SCHEMA,
            "n": lambda: generator.choice([1, 1, 2, 8]),
            "best_of": lambda: generator.choice([1, 1, 2]),
            "seed": lambda: generator.choice([0, 1, 2**31, 2**63 - 1]),
            "url": lambda: "https://example.com/" + word,
            "regex": lambda: "[a-z]{3}",
            **{name: lambda: generator.randint(1, 24) for name in _SMALL},
        }

    def value(self, schema: Mapping[str, Any] | bool, name: str = "") -> Any:
        """A value of a schema, which is that of a member with this name."""
        if schema is True or name in self._by_name:
            return self._by_name[name]() if name in self._by_name else self._any()
        assert isinstance(schema, Mapping), f"no value is valid for {name}"
        if "$ref" in schema:
            schema = self._components[schema["$ref"].rpartition("/")[2]]
        if "anyOf" in schema:
            return self.value(_merged(schema, self._random.choice(schema["anyOf"])), name)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        kinds = schema.get("type", "any")
        kind = kinds if isinstance(kinds, str) else self._random.choice(kinds)
        return getattr(self, f"_{kind}")(schema, name)

    def text(self) -> str:
        """A text with the word."""
        return f"{self._random.choice(_TEXTS)} {self._word} {self._random.choice(_TEXTS)}"

    def _object(self, schema: Mapping[str, Any], name: str) -> dict[str, Any]:
        properties, required = schema.get("properties", {}), schema.get("required", [])
        if schema.get("maxProperties") == 0:
            return {}
        few = len(properties) > 8
        found = {
            member: self.value(inner, f"{member} of a tool" if name == "function" else member)
            for member, inner in properties.items()
            if member in required or self._random.random() < (0.08 if few else 0.4)
        }
        if found.get("type") == "regex":
            found["value"] = self._by_name["regex"]()
        elif name == "grammar" and found.get("type") == "json":
            found["value"] = _JSON_SCHEMA
        return found

    def _array(self, schema: Mapping[str, Any], name: str) -> list[Any]:
        least, most = schema.get("minItems", 0), schema.get("maxItems", 3)
        count = self._random.randint(least, max(least, min(most, 3)))
        return [self.value(schema.get("items", True), name) for _ in range(count)]

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        pattern = schema.get("pattern")
        if pattern is None:
            return self.text()
        known = [f"f_{self._word}", "get-weather", "A" * 64, f"rs_{self._word}"]
        found = [each for each in known if re.search(pattern, each)]
        assert found, f"{name}: {pattern}"
        return self._random.choice(found)

    def _integer(self, schema: Mapping[str, Any], _name: str) -> int:
        least = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        return self._random.randint(least, max(least, min(schema.get("maximum", 20), 20)))

    def _number(self, schema: Mapping[str, Any], _name: str) -> float:
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        high = schema.get("maximum", schema.get("exclusiveMaximum", 2))
        return round(self._random.uniform(low, high), 2) or 0.5

    def _boolean(self, _schema: Mapping[str, Any], _name: str) -> bool:
        return self._random.random() < 0.5

    def _null(self, _schema: Mapping[str, Any], _name: str) -> None:
        return None

    def _any(self, _schema: Mapping[str, Any] | None = None, _name: str = "") -> Any:
        return self._random.choice([None, True, 1, 0.5, self._word, [self._word], {"a": self._word}])


def _merged(schema: Mapping[str, Any], chosen: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema with one of its alternatives, which may only add to it."""
    base = {key: value for key, value in schema.items() if key != "anyOf"}
    if "$ref" in chosen or not ({"properties", "type"} & base.keys()):
        return chosen
    properties = {**base.get("properties", {}), **chosen.get("properties", {})}
    return {
        **base,
        **chosen,
        "properties": properties,
        "required": [*base.get("required", []), *chosen.get("required", [])],
    }
