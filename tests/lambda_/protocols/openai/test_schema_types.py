"""Which `type` of a JSON schema is none, wherever it is."""

from __future__ import annotations

from typing import Any

import pytest
from front_door.protocols.openai.schema_types import type_problems

WRONG = {"type": "str"}


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        (WRONG, "s.type"),
        ({"type": ["string", "none"]}, "s.type"),
        ({"type": {}}, "s.type"),
        ({"properties": {"a": {"items": WRONG}}}, "s.properties.a.items.type"),
        ({"prefixItems": [{}, WRONG]}, "s.prefixItems[1].type"),
        ({"anyOf": [{"type": "null"}, {"not": WRONG}]}, "s.anyOf[1].not.type"),
        ({"$defs": {"a": WRONG}}, "s.$defs.a.type"),
        ({"additionalProperties": WRONG}, "s.additionalProperties.type"),
    ],
)
def test_a_type_that_json_does_not_have_is_found(schema: dict[str, Any], path: str) -> None:
    ((found, problem),) = type_problems(schema, "s")
    assert found == path
    assert problem.startswith("must be `object` or `array`")


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": {"type": {"type": ["string", "null"]}}, "additionalProperties": False},
        {"enum": [{"type": "str"}], "const": {"type": "str"}, "default": {"type": "str"}},
        {"items": True, "properties": [], "anyOf": None},
    ],
)
def test_what_is_no_type_is_not_taken_for_one(schema: dict[str, Any]) -> None:
    assert list(type_problems(schema, "s")) == []
