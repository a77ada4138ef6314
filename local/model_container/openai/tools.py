"""Calls of tools: what vLLM requires for them, and the call that the toy makes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from local.model_container import conversation, grammar, toy
from local.model_container.openai.errors import ApiError
from local.model_container.openai.prompt import Prompt
from local.model_container.openai.requests import ChatRequest, NamedToolChoice, Tool
from local.model_container.openai.settings import Settings

_BEFORE_ARGUMENTS = '", "arguments": '


@dataclass(frozen=True, slots=True)
class Call:
    """A call as a model writes it.

    Args:
        name: The function.
        arguments: Its arguments as JSON.
        is_named: Whether the request named the function.
    """

    name: str
    arguments: str
    is_named: bool

    @property
    def text(self) -> str:
        """The text of the model, in Hermes' form."""
        return f"{self._head}{self.arguments}}}\n</tool_call>"

    @property
    def _head(self) -> str:
        return f'<tool_call>\n{{"name": "{self.name}{_BEFORE_ARGUMENTS}'

    def known_arguments(self, text: str) -> str | None:
        """What is known of the arguments when the model has written so much; None before that."""
        head = self._head
        return text[len(head) : len(head) + len(self.arguments)] if len(text) >= len(head) else None

    @property
    def finish_reason(self) -> str:
        """Why the answer ends."""
        return "stop" if self.is_named else "tool_calls"


def check_tools(request: ChatRequest, settings: Settings) -> None:
    """Checks that the server can find calls.

    Raises:
        ApiError: It has no parser.
    """
    choice = request.tool_choice
    if not request.tools or choice in (None, "none"):
        return
    if choice == "auto" and not (settings.auto_tools and settings.tool_parser):
        raise ApiError('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set')
    if settings.tool_parser is None:
        name = f'function "{choice.function.name}"' if isinstance(choice, NamedToolChoice) else f'"{choice}"'
        raise ApiError(f"tool_choice={name} requires --tool-call-parser to be set")


def choose_call(request: ChatRequest, prompt: Prompt, preferred: str | None) -> Call | None:
    """The call that the toy makes; None for none.

    Args:
        request: The request.
        prompt: Its prompt.
        preferred: The tool to call; if empty, none unless it has to be one.
    """
    tools = {tool.function.name: tool for tool in request.tools or ()}
    choice = request.tool_choice
    if not tools or choice in (None, "none"):
        return None
    words = toy.words_of(prompt.text)
    if isinstance(choice, NamedToolChoice):
        name: str | None = choice.function.name
    else:
        name = _choose(tools, words, preferred, has_result=conversation.last_role(prompt.text) == "tool")
        if name is None and choice == "required":
            name = next(iter(tools))
    if name is None:
        return None
    return Call(name, _arguments(tools[name], words), isinstance(choice, NamedToolChoice))


def _choose(tools: dict[str, Tool], words: list[str], preferred: str | None, *, has_result: bool) -> str | None:
    if preferred in tools:
        return preferred
    if preferred == "" or has_result:
        return None
    return next(iter(toy.tools_in_prompt(tools, words)), None)


def _arguments(tool: Tool, words: list[str]) -> str:
    schema = tool.function.parameters or {"type": "object"}
    # The subject of a call is usually at the end of the prompt.
    value = grammar.InstanceGenerator(schema, words[::-1]).generate({**schema, "type": "object"})
    return json.dumps(value, ensure_ascii=False)
