"""What a request allows as a text: JSON of a schema, a match of a regular expression, or one of several texts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import jsonschema

from local.model_container import grammar
from local.model_container.openai.errors import ApiError
from local.model_container.openai.requests import ChatRequest, CompletionRequest, ResponseFormat, StructuredOutputs

_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
_LOOK_AROUND = re.compile(r"\(\?<?[=!]")
_TERMINAL = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Constraint:
    """A text that is allowed: it is one of `texts`, an instance of `schema`, or a match of `regex`."""

    schema: dict[str, Any] | None = None
    regex: str | None = None
    texts: tuple[str, ...] = ()

    def generate(self, words: list[str]) -> str:
        """The toy's text for a prompt with these words."""
        if self.schema is not None:
            return json.dumps(grammar.InstanceGenerator(self.schema, words).generate(self.schema), ensure_ascii=False)
        return self.texts[0] if self.regex is None else grammar.generate_match(self.regex)


def read_constraint(request: ChatRequest | CompletionRequest) -> Constraint | None:
    """The constraint of a request; None for any text.

    Raises:
        ApiError: It cannot be compiled.
    """
    if request.structured_outputs is not None:
        return _structured(request.structured_outputs)
    form = request.response_format
    if not isinstance(form, ResponseFormat) or form.type == "text":
        return None
    if form.type == "json_object" or form.json_schema is None:
        return Constraint({"type": "object"})
    return Constraint(_checked(form.json_schema.json_schema or {"type": "object"}))


def _structured(given: StructuredOutputs) -> Constraint | None:
    if given.json_ is not None:
        return Constraint(_checked(_parsed(given.json_) if isinstance(given.json_, str) else given.json_))
    if given.regex is not None:
        _check_regex(given.regex)
        return Constraint(regex=given.regex)
    if given.choice is not None:
        if not given.choice:
            raise ApiError(f"Choice '{given.choice}' cannot be an empty list")
        return Constraint(texts=tuple(given.choice))
    if given.grammar is not None:
        return Constraint(texts=(_first_terminal(given.grammar),))
    return Constraint({"type": "object"}) if given.json_object else None


def _parsed(text: str) -> dict[str, Any]:
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise ApiError("Invalid JSON grammar specification.") from error
    return schema if isinstance(schema, dict) else {}


def _checked(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if isinstance(kind, str) and kind not in _TYPES:
        raise ApiError(f"Grammar error: Invalid type: {kind}")
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise ApiError(f"Grammar error: {error.message}") from error
    return schema


def _check_regex(pattern: str) -> None:
    """The engine has another library; its message begins with the same words and shows where."""
    begin = f'Grammar error: at 1(8): invalid regex "{pattern}" (in regex): regex parse error:\n    {pattern}\n'
    if found := _LOOK_AROUND.search(pattern):
        marks = " " * found.start() + "^" * len(found[0])
        raise ApiError(
            f"{begin}    {marks}\nerror: look-around, including look-ahead and look-behind, is not supported\n"
            f"   1 | start: /{pattern}/\n              ^"
        )
    try:
        re.compile(pattern)
    except re.error as error:
        raise ApiError(f"{begin}error: {error.msg}") from error


def _first_terminal(text: str) -> str:
    """The first quoted text of a context-free grammar: the toy knows no more of it."""
    found = _TERMINAL.search(text)
    if found is None:
        raise ApiError("Grammar error: no terminal")
    return found[1]
