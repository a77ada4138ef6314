"""A chat's tools as TGI reads them (router/src/infer/tool_grammar.rs, 3.3.6)."""

from typing import Any

from front_door.engines.tgi.tool_arguments import Arguments
from front_door.generation.request import GenerationRequest, Problems

# TGI offers the model this tool beside the others.
_NO_TOOL = "no_tool"


def build_tools(request: GenerationRequest, problems: Problems) -> dict[str, Any]:
    """The members of the body that say which tools the model may call; none if it may call none."""
    tools = [
        _build_tool(request, tool, at, problems)
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
