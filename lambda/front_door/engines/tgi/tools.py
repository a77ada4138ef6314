"""A chat's tools as TGI reads them (router/src/infer/tool_grammar.rs, 3.3.6)."""

from typing import Any

from front_door.engines.tgi.grammar import normalize_schema
from front_door.generation.request import GenerationRequest, Problems

_NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}
# TGI offers the model this tool beside the others, and puts the name of the called tool among its arguments.
_NO_TOOL, _NAME = "no_tool", "_name"


def build_tools(request: GenerationRequest, problems: Problems) -> dict[str, Any]:
    """The members of the body that say which tools the model may call; none if it may call none."""
    tools = [
        _build_tool(tool["function"], f"tools[{at}]", problems)
        for at, tool in enumerate(request.tools)
        if _is_first(tool["function"], at, request, problems)
    ]
    tools = [tool for tool in tools if tool["function"]["name"] in request.allowed_tools]
    if request.tool_choice == "none" or not tools:
        return {}
    body = {"tools": tools, "tool_choice": request.tool_choice}
    return body if request.tool_prompt is None else body | {"tool_prompt": request.tool_prompt}


def _is_first(function: dict[str, Any], at: int, request: GenerationRequest, problems: Problems) -> bool:
    """Whether no earlier tool has this name; TGI takes the arguments of the last one, of a named function the first."""
    earlier = [tool["function"] for tool in request.tools[:at] if tool["function"]["name"] == function["name"]]
    if earlier and earlier[0] != function:
        path = f"tools[{at}].function.name"
        problems.add(path, f"{path}: an earlier tool has this name and another definition, rename one")
    return not earlier


def required_arguments(request: GenerationRequest, name: str) -> list[str]:
    """The arguments that a call of the tool must have."""
    function = next((tool["function"] for tool in request.tools if tool["function"]["name"] == name), None)
    if function is None:
        return []
    required = normalize_schema(_parameters(function), "", Problems()).get("required")
    return [name for name in required if isinstance(name, str)] if isinstance(required, list) else []


def _build_tool(function: dict[str, Any], path: str, problems: Problems) -> dict[str, Any]:
    path = f"{path}.function"
    parameters = _parameters(function)
    if function["name"] == _NO_TOOL:
        problems.add(f"{path}.name", f"{path}.name: {_NO_TOOL} is reserved by this model's server, rename it")
    properties = parameters.get("properties")
    if isinstance(properties, dict) and _NAME in properties:
        problems.add(f"{path}.parameters", f"{path}.parameters: rename {_NAME}, which holds the tool's own name")
    body = {"name": function["name"], "parameters": normalize_schema(parameters, f"{path}.parameters", problems)}
    if function.get("description") is not None:
        body["description"] = function["description"]
    return {"type": "function", "function": body}


def _parameters(function: dict[str, Any]) -> dict[str, Any]:
    parameters: dict[str, Any] = function.get("parameters") or function.get("arguments") or _NO_ARGUMENTS
    return parameters
