"""A chat's tools as TGI reads them (router/src/infer/tool_grammar.rs, 3.3.6)."""

from typing import Any

from front_door.engines.tgi.tool_arguments import Arguments
from front_door.generation.request import GenerationRequest, Problems

# TGI offers the model this tool beside the others.
_NO_TOOL = "no_tool"


def build_tools(request: GenerationRequest, problems: Problems) -> dict[str, Any]:
    """The members of the body that say which tools the model may call; none if it may call none."""
    tools, allowed = _distinct_tools(request, problems), set(request.allowed_tools)
    tools = [tool for tool in tools if tool["function"]["name"] in allowed]
    if request.tool_choice == "none" or not tools:
        return {}
    body = {"tools": tools, "tool_choice": request.tool_choice}
    return body if request.tool_prompt is None else body | {"tool_prompt": request.tool_prompt}


def _distinct_tools(request: GenerationRequest, problems: Problems) -> list[dict[str, Any]]:
    """The first tool of each name; TGI takes the arguments of the last one, of a named function the first."""
    first: dict[str, dict[str, Any]] = {}
    tools = []
    for at, tool in enumerate(request.tools):
        function = tool["function"]
        if function["name"] not in first:
            first[function["name"]] = function
            tools.append(_build_tool(request, tool, at, problems))
        elif first[function["name"]] != function:
            path = f"tools[{at}].function.name"
            problems.add(path, f"{path}: an earlier tool has this name and another definition, rename one")
    return tools


def arguments_of(request: GenerationRequest, name: str) -> Arguments | None:
    """The arguments of the tool with this name; None if there is no such tool."""
    found = ((at, tool) for at, tool in enumerate(request.tools) if tool["function"]["name"] == name)
    return next((Arguments(request, tool, at, Problems()) for at, tool in found), None)


def _build_tool(request: GenerationRequest, tool: dict[str, Any], at: int, problems: Problems) -> dict[str, Any]:
    function = tool["function"]
    path = f"tools[{at}].function"
    if function["name"] == _NO_TOOL:
        problems.add(f"{path}.name", f"{path}.name: {_NO_TOOL} is reserved by this model's server, rename it")
    body = {"name": function["name"], "parameters": Arguments(request, tool, at, problems).parameters}
    if function.get("description") is not None:
        body["description"] = function["description"]
    return {"type": "function", "function": body}
