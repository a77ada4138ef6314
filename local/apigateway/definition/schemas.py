"""The models of request bodies: the schemas of an API's document, in JSON Schema draft 4."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jsonschema import Draft4Validator, SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = re.compile(r"[a-zA-Z0-9]+")
PREFIX = "#/components/schemas/"


class Schemas:
    """The document's `components.schemas`.

    Args:
        schemas: The schemas by name.
        problems: Receives a message for everything that API Gateway would reject.
    """

    def __init__(self, schemas: Mapping[str, Mapping[str, Any]], problems: list[str]) -> None:
        self._schemas = schemas
        self._problems = problems
        for name, schema in schemas.items():
            where = f"Unable to create model for '{name}'"
            if not NAME.fullmatch(name):
                problems.append(f"{where}: Model name must be alphanumeric: {name}")
            self._check(schema, where)

    def model(self, schema: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The JSON schema of a body, including the schemas that it references."""
        self._check(schema, where)
        return {"allOf": [schema], "components": {"schemas": self._schemas}}

    def _check(self, schema: Mapping[str, Any], where: str) -> None:
        try:
            Draft4Validator.check_schema(schema)
        except SchemaError as error:
            self._problems.append(f"{where}: Invalid model schema specified: {error.message}")
        for reference in _references(schema):
            if reference.removeprefix(PREFIX) not in self._schemas or not reference.startswith(PREFIX):
                self._problems.append(f"{where}: Invalid model specified: {reference}")


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
