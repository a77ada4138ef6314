"""A chat request's tools as TGI takes them (router/src/infer/tool_grammar.rs, 3.3.6)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from front_door.engines.tgi.grammar import written
from front_door.generation.request import Problems

_NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}
# TGI offers the model this one beside the others, and puts the tool's name among the arguments.
_NO_TOOL, _NAME = "no_tool", "_name"


class Tools(NamedTuple):
    """What TGI gets, and by the name of each tool what its arguments must have."""

    members: dict[str, Any]
    required: dict[str, list[str]]


def offered(body: Mapping[str, Any], problems: Problems) -> Tools:
    """The tools that the model may call.

    Args:
        body: The request, of the right types.
        problems: Where is noted what cannot be honoured.
    """
    tools: list[dict[str, Any]] = body.get("tools") or []
    names = [tool["function"]["name"] for tool in tools]
    choice = body.get("tool_choice", "auto")
    allowed = names
    if isinstance(choice, dict) and choice["type"] == "allowed_tools":
        allowed = _names(choice["allowed_tools"]["tools"])
        choice = choice["allowed_tools"]["mode"]
    elif not isinstance(choice, str):
        allowed = [choice["function"]["name"]]
    elif choice not in ("auto", "none", "required"):
        allowed = [choice]
    if problems.is_about("tools") or problems.is_about("tool_choice"):
        return Tools({}, {})
    if not tools and choice not in ("auto", "none"):
        problems.add("tool_choice", "tool_choice is allowed with tools only: give `tools` or leave it out")
    elif any(name not in names for name in allowed):
        problems.add("tool_choice", f"tool_choice names a function that is not among the tools: {', '.join(names)}")
    usable = [_tool(tool["function"], f"tools[{index}]", problems) for index, tool in enumerate(tools)]
    usable = [tool for tool in usable if tool["function"]["name"] in allowed]
    if choice == "none" or not usable:
        return Tools({}, {})
    told = {"tools": usable, "tool_choice": choice}
    if "tool_prompt" in body:
        told["tool_prompt"] = body["tool_prompt"]
    return Tools(told, {tool["function"]["name"]: _required(tool["function"]["parameters"]) for tool in usable})


def _names(tools: list[dict[str, Any]]) -> list[str]:
    return [tool["function"]["name"] for tool in tools]


def _tool(function: dict[str, Any], where: str, problems: Problems) -> dict[str, Any]:
    where = f"{where}.function"
    parameters = function.get("parameters") or function.get("arguments") or _NO_ARGUMENTS
    if function["name"] == _NO_TOOL:
        problems.add(f"{where}.name", f"{where}.name: {_NO_TOOL} is what this model's server calls no tool, rename it")
    properties = parameters.get("properties")
    if isinstance(properties, dict) and _NAME in properties:
        problems.add(f"{where}.parameters", f"{where}.parameters: rename {_NAME}, which holds the tool's own name")
    told = {"name": function["name"], "parameters": written(parameters, f"{where}.parameters", problems)}
    if function.get("description") is not None:
        told["description"] = function["description"]
    return {"type": "function", "function": told}


def _required(parameters: dict[str, Any]) -> list[str]:
    required = parameters.get("required")
    return [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
