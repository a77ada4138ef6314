"""The toy's chat template, similar to Llama 3's, and TGI's handling of templates (infer/chat_template.rs)."""

from __future__ import annotations

import re
from typing import Any

from local.model_container.serde.types import compact
from local.model_container.tokenizer import BOS

DEFAULT_TOOL_PROMPT = (
    "\nGiven the functions available, please respond with a JSON for a function call with its proper arguments that "
    "best answers the given prompt. Respond in the format {name: function name, parameters: dictionary of argument "
    "name and its value}.Do not use variables.\n"
)
_TURN = re.compile(
    r"<\|start_header_id\|>(\w+)<\|end_header_id\|>\n\n(.*?)(?:<\|eot_id\|>|(?=<\|start_header_id\|>)|\Z)", re.DOTALL
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
    rendered = BOS + "".join(
        f"<|start_header_id|>{role}<|end_header_id|>\n\n{text.strip()}<|eot_id|>" for role, text in turns
    )
    rendered += "<|start_header_id|>assistant<|end_header_id|>\n\n"
    if turns and turns[-1][0] == "assistant":
        # The last message is the beginning of the response, which the model continues.
        text = turns[-1][1]
        at = rendered.rfind(text)
        rendered = rendered[: at + len(text)].rstrip() if at >= 0 else rendered
    return rendered


def last_user_text(prompt: str) -> str:
    """The last user message in a rendered conversation, or the complete text if it is not one."""
    turns = [(role, text) for role, text in _TURN.findall(prompt) if role not in ("assistant", "system")]
    return turns[-1][1].split("\n---\n", 1)[0] if turns else prompt


def last_role(prompt: str) -> str | None:
    """The role of the last message in a rendered conversation; None if it is not one."""
    turns: list[tuple[str, str]] = _TURN.findall(prompt)
    if turns[-1:] == [("assistant", "")]:
        turns.pop()  # the response that is to follow
    return turns[-1][0] if turns else None


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
