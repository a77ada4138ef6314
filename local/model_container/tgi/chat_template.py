"""TGI's handling of chat templates (infer/chat_template.rs)."""

from __future__ import annotations

from typing import Any

from local.model_container.conversation import GENERATION_PROMPT, render_turns
from local.model_container.serde.types import compact

DEFAULT_TOOL_PROMPT = (
    "\nGiven the functions available, please respond with a JSON for a function call with its proper arguments that "
    "best answers the given prompt. Respond in the format {name: function name, parameters: dictionary of argument "
    "name and its value}.Do not use variables.\n"
)


def render(messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None, tool_prompt: str | None) -> str:
    """Renders the prompt of a conversation.

    Args:
        messages: The messages, each with `role` and either `content` or `tool_calls`.
        tools: The tools, which are appended to the last message.
        tool_prompt: The instructions for the tools. Default: TGI's.
    """
    turns = [(str(message["role"]), _text(message)) for message in messages]
    if tools is not None and turns and "content" in messages[-1]:
        role, text = turns[-1]
        turns[-1] = (role, f"{text}\n---\n{_tools_json(tools)}\n{tool_prompt or DEFAULT_TOOL_PROMPT}")
    rendered = render_turns(turns) + GENERATION_PROMPT
    if turns and turns[-1][0] == "assistant":
        # The last message is the beginning of the response, which the model continues.
        text = turns[-1][1]
        at = rendered.rfind(text)
        rendered = rendered[: at + len(text)].rstrip() if at >= 0 else rendered
    return rendered


def _tools_json(tools: list[dict[str, Any]]) -> str:
    return compact([{"type": tool["type"], "function": function_json(tool["function"])} for tool in tools])


def function_json(function: dict[str, Any]) -> dict[str, Any]:
    """A function definition in TGI's format: the arguments are a JSON string."""
    return {
        "description": function["description"],
        "name": function["name"],
        "arguments": compact(function["arguments"]),
    }


def _text(message: dict[str, Any]) -> str:
    if "content" in message:
        return str(message["content"])
    return compact([{**call, "function": function_json(call["function"])} for call in message["tool_calls"]])
