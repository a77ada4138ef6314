"""A choice of a chat completion, from TGI's chunks (router/src/chat.rs, 3.3.6)."""

import os
from typing import Any

from front_door.errors import Failure
from front_door.generation.choice import Choice, Piece
from front_door.generation.request import Asked
from front_door.http.sse import object_of

LOST_ARGUMENTS = "lost arguments"
"""The cause of a failure that TGI's buffered route would not have."""
_LOST = "The model's server lost a part of the tool call. Try again, or without `stream`."
# What OpenAI's API gives for a token that is not among the likely ones; TGI's minus infinity is a null in JSON.
_VERY_UNLIKELY = -9999.0


class ChatChoice(Choice):
    """Reads a choice that is text or a tool call.

    Attributes:
        tool: The name of the tool that the model calls, if it does.
        call_id: The id of that call.
        arguments: What the call has been given so far, JSON in the end.
    """

    def __init__(self, asked: Asked, most: int) -> None:
        super().__init__(asked, most)
        self._required = asked.required
        self.tool: str | None = None
        self.call_id = ""
        self.arguments = ""

    def _pieces(self, choice: dict[str, Any]) -> list[Piece]:
        delta = choice.get("delta") or choice.get("message") or {}
        pieces = [self._call(call["function"]) for call in delta.get("tool_calls") or ()]
        text = delta.get("content") or ""
        logprobs = [] if pieces else (choice.get("logprobs") or {}).get("content") or []
        # The text of a special token, such as the one that ends the answer, is not in the answer.
        told = tuple(logprob(each) for each in logprobs if text or not each["token"])
        return [*pieces, Piece(text, told)] if text or told else pieces

    def _call(self, function: dict[str, Any]) -> Piece:
        name = None
        if self.tool is None:
            name = self.tool = str(function.get("name"))
            self.call_id = f"call_{os.urandom(12).hex()}"
        arguments = function.get("arguments") or ""
        self.arguments += arguments
        return Piece(tool=name, arguments=arguments)

    def _end(self) -> list[Piece]:
        pieces = super()._end()
        if self.tool is None or self.failure is not None or self.finish_reason == "length":
            return pieces
        self.finish_reason = "tool_calls"
        # TGI streams no last brace where a call has no arguments.
        for ending in ("", "}"):
            given = object_of((self.arguments + ending).encode())
            if given is not None and all(name in given for name in self._required.get(self.tool, ())):
                self.arguments += ending
                return [*pieces, Piece(arguments=ending)] if ending else pieces
        # TGI streams arguments only from the first token that begins behind the tool's name.
        self.failure, self.is_done = Failure("upstream", _LOST, cause=LOST_ARGUMENTS), False
        return pieces


def logprob(entry: dict[str, Any]) -> dict[str, Any]:
    """A token's log probability as OpenAI tells it, with those of its alternatives."""
    return {**_one(entry), "top_logprobs": [_one(other) for other in entry.get("top_logprobs") or ()]}


def _one(entry: dict[str, Any]) -> dict[str, Any]:
    token, value = entry["token"], entry.get("logprob")
    # A token that is only a part of a character has no text, and its bytes are not known.
    return {
        "token": token,
        "logprob": _VERY_UNLIKELY if value is None else value,
        "bytes": list(token.encode()) if token else None,
    }
