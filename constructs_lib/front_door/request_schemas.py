"""The light schemas that the gateway holds request bodies against, derived from the OpenAPI description.

Only the required members of a request and their JSON types: the function says everything finer, in the words of the
protocol that the client speaks, and is kinder where TGI or OpenAI are. Pure data: no aws_cdk here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ALTERNATIVES = ("allOf", "anyOf", "oneOf")
_ARTICLES = {"array": "an array", "integer": "an integer", "object": "an object"}


def request_schemas(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The light schema of every request body, by the name that it has in the description.

    Args:
        document: The description, OpenAPI 3.1; each request body refers to one of its schemas.
    """
    names = dict.fromkeys(
        schema_name(operation)
        for item in document["paths"].values()
        for operation in item.values()
        if "requestBody" in operation
    )
    return {name: _light(document, {"$ref": f"#/components/schemas/{name}"}) for name in names}


def schema_name(operation: Mapping[str, Any]) -> str:
    """The name of the schema that an operation's request body refers to."""
    reference: str = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return reference.rsplit("/", 1)[1]


def requirements(document: Mapping[str, Any]) -> str:
    """What the gateway asks of a request body, as a sentence for people."""
    schemas = request_schemas(document)
    paths: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        # The routes below /models/{model} take the same bodies.
        for operation in item.values() if "{" not in path else ():
            if "requestBody" in operation and (members := _members(schemas[schema_name(operation)])):
                paths.setdefault(members, []).append(path)
    wants = "; ".join(f"with {members} for {_listed(routes)}" for members, routes in paths.items())
    return f"The request body must be a JSON object{': ' if wants else ''}{wants}."


def _light(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    schema = _resolved(document, schema)
    required = schema.get("required", [])
    if not required or any(keyword in schema for keyword in _ALTERNATIVES):
        return {"type": "object"}
    types = {name: _resolved(document, schema["properties"][name]).get("type") for name in required}
    # One type: OpenAPI 3.0 and the draft 4 of JSON Schema that the gateway reads agree on no way to write several.
    properties = {name: {"type": kind} for name, kind in types.items() if isinstance(kind, str)}
    return {"type": "object", "required": list(required)} | ({"properties": properties} if properties else {})


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _members(schema: Mapping[str, Any]) -> str:
    types = {name: schema.get("properties", {}).get(name, {}).get("type") for name in schema.get("required", [])}
    return " and ".join(
        f"{_ARTICLES.get(kind, f'a {kind}')} '{name}'" if kind else f"'{name}'" for name, kind in types.items()
    )


def _listed(paths: list[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{', '.join(paths[:-1])} and {paths[-1]}"
