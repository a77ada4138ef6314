"""The routes of the front door as Markdown, from the description that it serves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from scripts.site.outside import ROOT

DOCUMENT = ROOT / "constructs_lib" / "front_door" / "openapi.json"


def text() -> str:
    """A section for each route, those of one model after those that all models share."""
    description = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return _Routes(description).text()


_TITLES = {
    "OpenAI": "OpenAI's routes",
    "Anthropic": "Anthropic's routes",
    "TGI": "TGI's routes",
    "API": "Service routes",
}


class _Routes:
    def __init__(self, description: dict[str, Any]) -> None:
        self._paths = description["paths"]
        self._components = description["components"]

    def text(self) -> str:
        lines: list[str] = []
        for tag, title in _TITLES.items():
            lines += [f"## {title}", ""]
            errors: dict[str, str] = {}
            for path, methods in self._paths.items():
                for method, operation in methods.items():
                    if tag in operation["tags"] and not self._is_of_one_model(path, method):
                        lines += self._route(path, method, operation)
                        errors |= self._errors(operation)
            lines += [f"### Errors: {title}", "", "| status | response |", "|---|---|"]
            lines += [f"| {status} | {says} |" for status, says in sorted(errors.items())]
            lines.append("")
        lines += ["## Bodies", ""]
        for name, schema in sorted(self._components["schemas"].items()):
            lines += [f"### {name}", "", *self._schema(schema), ""]
        return "\n".join(lines)

    def _is_of_one_model(self, path: str, method: str) -> bool:
        """Whether it is another route with the name of a model before it."""
        return path.startswith("/models/{model}") and method in self._paths.get(
            path.removeprefix("/models/{model}") or "/", {}
        )

    def _route(self, path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
        yield f"### {method.upper()} {path}"
        yield ""
        yield _sentence(operation["summary"])
        yield ""
        if "description" in operation:
            yield operation["description"]
            yield ""
        other = "/models/{model}" + ("" if path == "/" else path)
        if not path.startswith("/models/") and method in self._paths.get(other, {}):
            yield f"Of one model by its path: `{method.upper()} {other}`."
            yield ""
        body = operation.get("requestBody")
        if body:
            yield f"Request: {self._content(body['content'])}"
            yield ""
        yield "| status | response |"
        yield "|---|---|"
        for status, response in operation["responses"].items():
            if not _is_error(status):
                yield f"| {status} | {self._response(response)} |"
        yield ""
        yield f"Errors: {', '.join(self._errors(operation))}."
        yield ""

    def _errors(self, operation: dict[str, Any]) -> dict[str, str]:
        return {
            status: self._response(response) for status, response in operation["responses"].items() if _is_error(status)
        }

    def _response(self, response: dict[str, Any]) -> str:
        response = self._resolved(response)
        content = self._content(response["content"]) if "content" in response else ""
        return _cell(f"{response['description']} {content}".strip())

    def _resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in value:
            return value
        _, _, kind, name = value["$ref"].split("/")
        resolved: dict[str, Any] = self._components[kind][name]
        return resolved

    def _content(self, content: dict[str, Any]) -> str:
        return ", ".join(f"`{kind}`: {_type(body.get('schema', {}))}" for kind, body in content.items())

    def _schema(self, schema: dict[str, Any]) -> Iterator[str]:
        if "description" in schema:
            yield _sentence(schema["description"])
            yield ""
        alternatives = [each for key in ("oneOf", "anyOf") for each in schema.get(key, ()) if "properties" in each]
        if alternatives:
            yield "One of these:"
            yield ""
        elif "properties" not in schema:
            yield _type(schema)
        for each in alternatives or [schema]:
            if "properties" in each:
                yield from ("| field | type | |", "|---|---|---|")
                yield from self._fields(each, "")
                yield ""

    def _fields(self, schema: dict[str, Any], before: str) -> Iterator[str]:
        """A row for each field, those of objects without a name of their own below them."""
        for name, value in schema["properties"].items():
            required = ", **required**" if name in schema.get("required", ()) else ""
            yield f"| `{before}{name}` | {_cell(_type(value))}{required} | {_cell(_says(value))} |"
            items = value.get("items", {})
            for inner, end in ((value, "."), (items, "[].")):
                if "properties" in inner:
                    yield from self._fields(inner, f"{before}{name}{end}")


def _type(schema: dict[str, Any]) -> str:
    """The type of a value in words, with links to the bodies that it consists of."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for word, key in ((" or ", "oneOf"), (" or ", "anyOf"), (" and ", "allOf")):
        if key in schema:
            return word.join(dict.fromkeys(map(_type, schema[key])))
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    kinds = schema.get("type", "object" if "properties" in schema else "any")
    if kinds == "array":
        return f"array of {_type(schema.get('items', {}))}"
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)


def _says(schema: dict[str, Any]) -> str:
    says = [_sentence(schema["description"])] if "description" in schema else []
    says += [f"{word} {json.dumps(schema[key])}." for key, word in _LIMITS.items() if key in schema]
    return " ".join(says)


_LIMITS = {
    "minimum": "At least",
    "exclusiveMinimum": "More than",
    "maximum": "At most",
    "exclusiveMaximum": "Less than",
    "maxItems": "Items: at most",
    "minItems": "Items: at least",
    "default": "Default:",
}


def _is_error(status: str) -> bool:
    return status >= "400"


def _sentence(says: str) -> str:
    return says if says.endswith((".", "!", "?", ":")) else f"{says}."


def _cell(says: str) -> str:
    return says.replace("|", "\\|").replace("\n", " ")
