"""References inside a schema: those that lead nowhere are refused in TGI's words, whatever an engine makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from front_door.errors import ApiError
from front_door.generation.generate_request import Grammar
from front_door.protocols.tgi.grammar import read_grammar

NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "all": {"items": {"$ref": "#/$defs/a~1b"}}}}
DEFINITIONS: dict[str, Any] = {"node": NODE, "a/b": {"type": "integer"}, "unused": {"$ref": "#/$defs/none"}}


def schema(reference: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": {"anyOf": [{"$ref": reference}]}}, "$defs": DEFINITIONS, **more}


@pytest.mark.parametrize(
    "reference", ["#/$defs/node", "#/$defs/a~1b", "#/properties/a", "#/properties/a/anyOf/0", "#", "https://a.b/c"]
)
def test_a_reference_may_lead_to_any_part_of_the_schema_or_out_of_it(reference: str) -> None:
    value = schema(reference)
    assert read_grammar({"type": "json", "value": value}) == Grammar(schema=value)


@pytest.mark.parametrize(
    ("reference", "name"),
    [("#/$defs/none", "none"), ("#/none/node", "none"), ("#/$defs/unused", "none"), ("#/$defs/node/a", "a")],
)
def test_one_that_leads_nowhere_is_refused_in_tgis_words(reference: str, name: str) -> None:
    with pytest.raises(ApiError) as raised:
        read_grammar({"type": "json", "value": schema(reference)})
    assert (raised.value.kind, raised.value.message) == (
        "validation",
        f"Input validation error: cannot compile regex from schema: Invalid reference path: {name}",
    )


def test_no_part_of_a_schema_is_looked_at_twice() -> None:
    """However many references lead to it, or to what it is in: a body of 2 MB has room for both."""
    looks = []

    class Part(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            looks.append(key)
            return super().get(key, default)

    deep = Part(anyOf=[Part() for _ in range(100)])
    path = "#/$defs/a"
    references = [Part({"$ref": path})]
    for _ in range(50):
        path += "/properties/a"
        references.append(Part({"$ref": path}))
        deep = Part(properties={"a": deep})
    value = Part(properties={"a": Part(anyOf=references)}, **{"$defs": {"a": deep}})
    looks.clear()
    assert read_grammar({"type": "json", "value": value}) == Grammar(schema=value)
    assert looks.count("$ref") <= 100 + 3 * 51 + 2
