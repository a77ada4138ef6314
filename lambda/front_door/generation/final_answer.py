"""A response format beside tools: the message that ends a conversation as one more tool.

With a schema for its text, a model cannot call a tool, or its container refuses both. As a tool, the schema is one of
the model's choices, and the arguments of its call are the content of the message.
"""

from dataclasses import replace
from itertools import count
from typing import Any

from front_door.generation.events import Delta
from front_door.generation.members import Members
from front_door.generation.request import FinalAnswer, GenerationRequest, Problems, ResponseFormat

_NAME = "final_answer"
_DESCRIPTION = (
    "Give the user the final answer. Call this function as soon as no other function is needed: "
    "its arguments are the answer."
)
_WRAPPER = "answer"
# Beside them `properties` is not all that a schema says.
_NOT_ALL = ("$ref", "allOf", "anyOf", "oneOf", "enum", "const")


def with_final_answer(request: GenerationRequest, problems: Problems) -> GenerationRequest:
    """The request with tools or a response format, where the client has given both.

    Args:
        request: The client's request.
        problems: Receives what cannot be an answer by a call.
    """
    form = request.response_format
    if form is None or not request.allowed_tools or request.tool_choice == "none":
        return request
    if request.tool_choice != "auto":
        return replace(request, response_format=None)  # a call is required, so that no message can follow the format
    if form.regex is not None:
        problems.add("response_format", "response_format: `regex` is not supported beside tools, use `json_schema`")
    if request.logprobs:
        problems.add("logprobs", "logprobs is not supported with response_format beside tools: leave one of them out")
    taken = [tool["function"]["name"] for tool in request.tools]
    name = next(name for at in count(1) if (name := f"{_NAME}_{at}" if at > 1 else _NAME) not in taken)
    is_wrapped, parameters = _parameters(form)
    function = {"name": name, "description": _description(form), "parameters": parameters}
    return replace(
        request,
        tools=[*request.tools, {"type": "function", "function": function}],
        allowed_tools=[*request.allowed_tools, name],
        tool_choice="required",
        response_format=None,
        final_answer=FinalAnswer(name, form.path, is_wrapped),
    )


class FinalAnswerReader:
    """Turns the call of the final tool into text.

    Attributes:
        is_called: Whether the call that is read is that of the final tool.
    """

    def __init__(self, answer: FinalAnswer) -> None:
        self._name = answer.name
        self._members = Members(only=_WRAPPER) if answer.is_wrapped else None
        self.is_called = False

    def read(self, deltas: list[Delta]) -> list[Delta]:
        """The deltas, those of the call as text."""
        out = []
        for delta in deltas:
            if delta.tool_name is not None:
                self.is_called = delta.tool_name == self._name
            if not self.is_called or delta.arguments is None:
                out.append(delta)
            elif text := self._members.read(delta.arguments) if self._members else delta.arguments:
                out.append(Delta(text))
        return out


def _description(form: ResponseFormat) -> str:
    return f"{_DESCRIPTION} {form.description}" if form.description else _DESCRIPTION


def _parameters(form: ResponseFormat) -> tuple[bool, dict[str, Any]]:
    """The parameters of the final tool, which must be an object, and whether the schema is wrapped in it."""
    schema = {"type": "object"} if form.schema is None else form.schema
    if isinstance(schema.get("properties"), dict) and not any(name in schema for name in _NOT_ALL):
        return False, schema
    moved = _move(schema, schema.get("$id") or "")
    return True, {"type": "object", "properties": {_WRAPPER: moved}, "required": [_WRAPPER]}


def _move(node: Any, base: str) -> Any:
    """A schema whose references point to where it is in the wrapper."""
    if isinstance(node, list):
        return [_move(each, base) for each in node]
    if not isinstance(node, dict):
        return node
    moved = {name: _move(each, base) for name, each in node.items()}
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.removeprefix(base).startswith("#"):
        moved["$ref"] = f"#/properties/{_WRAPPER}{reference.removeprefix(base)[1:]}"
    return moved
