"""Arguments that TGI cannot take as they are, or would lose a part of.

TGI compiles nothing but the `properties` and `required` of a tool's parameters (router/src/infer/tool_grammar.rs), and
streams arguments only from the first token that begins after the tool's name or, where that token also began the
first argument, after the first argument (router/src/chat.rs, 3.3.6). So arguments of which it must not lose any begin
with one that says nothing.
"""

from typing import Any

from front_door.engines.tgi.schema import is_object, normalize_schema
from front_door.engines.tgi.schema_rules import names_in
from front_door.generation.members import Members
from front_door.generation.request import GenerationRequest, Problems

_NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}
# TGI puts the name of the called tool among its arguments.
_NAME, _FIRST, _WRAPPER = "_name", "_ready", "arguments"


class Arguments:
    """How the arguments of one tool are sent and read.

    Args:
        request: The request.
        tool: One of its tools.
        at: The tool's position.
        problems: Receives what is wrong with the parameters.

    Attributes:
        parameters: The parameters as TGI gets them.
        required: The names of the arguments that a call must have.
    """

    def __init__(self, request: GenerationRequest, tool: dict[str, Any], at: int, problems: Problems) -> None:
        function = tool["function"]
        answer = request.final_answer
        self._is_final = answer is not None and function["name"] == answer.name
        path = answer.path if answer is not None and self._is_final else f"tools[{at}].function.parameters"
        given = function.get("parameters") or function.get("arguments") or _NO_ARGUMENTS
        schema = normalize_schema(given, path, problems)
        if schema.get("type") == "object" and not is_object(schema) and "additionalProperties" not in schema:
            schema = {**schema, "properties": {}}
        self._is_wrapped = not is_object(schema) or any(name in schema["properties"] for name in (_NAME, _FIRST))
        if self._is_wrapped and not _has_members(schema):
            problems.add(path, f"{path}: schema must be a JSON Schema of 'type: \"object\"'")
        self.required = names_in(schema.get("required"))
        self.parameters = self._rewrite(schema)

    def members(self) -> Members | None:
        """Reads the tool's own arguments out of what TGI sends; None if they are the same."""
        if self._is_wrapped:
            return Members(only=_WRAPPER)
        return Members(without=_FIRST) if self._is_final else None

    def _rewrite(self, schema: dict[str, Any]) -> dict[str, Any]:
        if not self._is_wrapped and not self._is_final:
            return schema
        if self._is_wrapped:
            schema = {"type": "object", "properties": {_WRAPPER: schema}, "required": [_WRAPPER]}
        properties = {_FIRST: {"const": True}, **schema["properties"]}
        return {**schema, "properties": properties, "required": [_FIRST, *names_in(schema.get("required"))]}


def _has_members(schema: Any) -> bool:
    """Whether all that a normalized schema allows is an object."""
    if "properties" in schema or schema.get("type") == "object":
        return True
    alternatives = schema.get("anyOf")
    return isinstance(alternatives, list) and all(
        isinstance(each, dict) and _has_members(each) for each in alternatives
    )
