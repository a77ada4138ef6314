"""Tool calls: TGI's grammar for tools (infer/tool_grammar.rs), and the toy's choice of a tool."""

from __future__ import annotations

from typing import Any

from local.model_container import toy
from local.model_container.tgi.errors import ToolError

NO_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "description": "Open ended response with no specific tool selected",
        "name": "no_tool",
        "arguments": {"type": "object"},
    },
}

NO_CALL = "{ }"
"""What small models write for a call: the grammar does not require the member `function`."""


def allowed_tools(tools: list[dict[str, Any]], tool_choice: str) -> list[dict[str, Any]]:
    """The tools that the model may call; with `auto` it may also choose none.

    Raises:
        ToolError: tool_choice is not one of the tools.
    """
    if tool_choice.startswith("function:"):
        name = tool_choice.removeprefix("function:")
        named = [tool for tool in tools if tool["function"]["name"] == name]
        if not named:
            raise ToolError(f"Tool with name {name} not found")
        return named[:1]
    if tool_choice == "none":
        return []
    return [*tools, NO_TOOL] if tool_choice == "auto" else tools


def tool_schema(tools: list[dict[str, Any]]) -> dict[str, Any]:
    """The JSON schema of a tool call."""
    return {
        "$functions": {tool["function"]["name"]: _call_schema(tool["function"]) for tool in tools},
        "properties": {"function": {"anyOf": [{"$ref": f"#/$functions/{tool['function']['name']}"} for tool in tools]}},
    }


def _call_schema(function: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": function["description"] or ""}
    properties: dict[str, Any] = {"_name": {"type": "string", "const": function["name"]}}
    required = ["_name"]
    arguments = function["arguments"]
    if isinstance(arguments, dict):
        if isinstance(arguments.get("properties"), dict):
            properties |= arguments["properties"]
        if isinstance(arguments.get("required"), list):
            required += arguments["required"]
        schema["additionalProperties"] = arguments.get("additionalProperties") == "true"
    return {**schema, "properties": properties, "required": required}


def choose_tool(
    schema: dict[str, Any], words: list[str], preferred: str | None = None, *, has_result: bool = False
) -> dict[str, Any]:
    """Narrows the schema to the tool that the toy calls: the preferred one, or one whose name is in the prompt.

    If there is no such tool, it is none if that is allowed, else the first. After the result of a call it is none, or
    else the last, so that a loop of calls ends.
    """
    names = list(schema["$functions"])
    matching = toy.tools_in_prompt([name for name in names if name != "no_tool"], words)
    if has_result:
        matching = names[-1:]  # TGI appends no_tool
    if preferred is not None and preferred in names:
        matching = [preferred]
    name = matching[0] if matching else ("no_tool" if "no_tool" in names else names[0])
    return {**schema, "properties": {"function": {"$ref": f"#/$functions/{name}"}}}
