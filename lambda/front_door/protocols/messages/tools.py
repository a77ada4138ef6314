"""Anthropic's tools as a chat's functions."""

from collections.abc import Mapping
from typing import Any

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def chat_tools(valid: Mapping[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The members of a chat that say which tools the model may call.

    Args:
        valid: The valid members of the client's request.
        names: Receives where members of the chat are in the client's request.
    """
    members: dict[str, Any] = {}
    if tools := valid.get("tools"):
        members["tools"] = [_function(tool) for tool in tools]
        for at in range(len(tools)):
            names[f"tools[{at}].function"] = f"tools[{at}]"
            names[f"tools[{at}].function.parameters"] = f"tools[{at}].input_schema"
    choice = valid.get("tool_choice")
    if choice is not None:
        members["tool_choice"] = _CHOICES.get(choice["type"]) or {
            "type": "function",
            "function": {"name": choice["name"]},
        }
        if choice.get("disable_parallel_tool_use"):
            members["parallel_tool_calls"] = False
    return members


def _function(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": tool["name"], "parameters": tool["input_schema"]}
    if tool.get("description") is not None:
        function["description"] = tool["description"]
    return {"type": "function", "function": function}
