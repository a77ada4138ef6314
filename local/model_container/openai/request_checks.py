"""Checks of the raw body of a request, before pydantic reads it: vLLM's, with its words.

Each raises ParameterError.
"""

from __future__ import annotations

from typing import Any

from local.model_container.openai.errors import ParameterError


def check_response_format(data: dict[str, Any]) -> None:
    """A schema is given where the format is one."""
    form = data.get("response_format")
    if isinstance(form, dict) and form.get("type") == "json_schema" and form.get("json_schema") is None:
        raise ParameterError(
            "When response_format type is 'json_schema', the 'json_schema' field must be provided.", "response_format"
        )


def check_stream_options(data: dict[str, Any]) -> None:
    """Options of a stream are given for a stream only."""
    if data.get("stream_options") and not data.get("stream"):
        raise ParameterError("Stream options can only be defined when `stream=True`.", "stream_options")


def _check_prompt_logprobs(data: dict[str, Any], other: str) -> None:
    for name in ("prompt_logprobs", other):
        value = data.get(name)
        if value is not None and not isinstance(value, int | float):
            raise ParameterError(f"`{name}` must be an integer.", name, value)
    wanted = data.get("prompt_logprobs")
    if wanted is None:
        return
    if data.get("stream") and (wanted > 0 or wanted == -1):
        raise ParameterError("`prompt_logprobs` are not available when `stream=True`.", "prompt_logprobs")
    if wanted < -1:
        raise ParameterError("`prompt_logprobs` must be a positive value or -1.", "prompt_logprobs", wanted)


def check_chat_logprobs(data: dict[str, Any]) -> None:
    """Log probabilities of a chat."""
    _check_prompt_logprobs(data, "top_logprobs")
    top = data.get("top_logprobs")
    if top is None:
        return
    if top < -1:
        raise ParameterError("`top_logprobs` must be a positive value or -1.", "top_logprobs", top)
    if (top == -1 or top > 0) and not data.get("logprobs"):
        raise ParameterError("when using `top_logprobs`, `logprobs` must be set to true.", "top_logprobs")


def check_completion_logprobs(data: dict[str, Any]) -> None:
    """Log probabilities of a completion."""
    _check_prompt_logprobs(data, "logprobs")
    logprobs = data.get("logprobs")
    if logprobs is not None and logprobs < -1:
        raise ParameterError("`logprobs` must be a positive value or -1.", "logprobs", logprobs)


def check_structured_outputs(data: dict[str, Any]) -> None:
    """There is one constraint, and no tool beside it."""
    structured = data.get("structured_outputs")
    if not isinstance(structured, dict):
        return
    count = sum(structured.get(kind) is not None for kind in ("json", "regex", "choice"))
    if count > 1:
        raise ParameterError(
            "You can only use one kind of constraints for structured outputs ('json', 'regex' or 'choice').",
            None if "messages" in data else "structured_outputs",
        )
    if count and "messages" in data and data.get("tool_choice", "none") not in ("none", "auto", "required"):
        raise ParameterError("You can only either use constraints for structured outputs or tools, not both.")


def check_tools(data: dict[str, Any]) -> None:
    """Tools, and which of them is to be called."""
    if data.get("tools") == []:
        raise ParameterError(
            "`tools` must not be an empty array. Either provide at least one tool or omit the field entirely.", "tools"
        )
    if "tool_choice" not in data and data.get("tools"):
        data["tool_choice"] = "auto"
    choice = data.get("tool_choice")
    if choice in (None, "none"):
        return
    if data.get("tools") is None:
        raise ParameterError("When using `tool_choice`, `tools` must be set.", "tool_choice")
    if isinstance(choice, dict):
        _check_named_tool(choice, data["tools"])
    elif choice not in ("auto", "required"):
        raise ParameterError(
            f'Invalid value for `tool_choice`: {choice}! Only named tools, "none", "auto" or "required" are supported.',
            "tool_choice",
        )


_USAGE = 'Correct usage: `{"type": "function", "function": {"name": "my_function"}}`'


def _check_named_tool(choice: dict[str, Any], tools: Any) -> None:
    function = choice.get("function")
    if not isinstance(function, dict):
        raise ParameterError(
            f"Invalid value for `function`: `{function}` in `tool_choice`! {_USAGE}", "tool_choice.function"
        )
    if "name" not in function:
        raise ParameterError(
            f"Expected field `name` in `function` in `tool_choice`! {_USAGE}", "tool_choice.function.name"
        )
    names = [tool.get("function", {}).get("name") for tool in tools if isinstance(tool, dict)]
    if function["name"] not in names:
        raise ParameterError(
            "The tool specified in `tool_choice` does not match any of the specified `tools`", "tool_choice"
        )


def check_generation_prompt(data: dict[str, Any]) -> None:
    """The last message is continued or answered."""
    if data.get("continue_final_message") and data.get("add_generation_prompt"):
        raise ParameterError("Cannot set both `continue_final_message` and `add_generation_prompt` to True.")


def check_prompt(data: dict[str, Any]) -> None:
    """There is a prompt."""
    if data.get("prompt") in (None, "") and not data.get("prompt_embeds"):
        raise ParameterError("Either prompt or prompt_embeds must be provided and non-empty.", "prompt")


def set_max_tokens(data: dict[str, Any]) -> None:
    """The default of a completion."""
    if data.get("max_tokens") is None:
        data["max_tokens"] = 16
