"""A choice of a chat completion, streamed in OpenAI's chunks or buffered."""

import json
from typing import Any

from front_door.generation.choice import Choice
from front_door.generation.events import Delta
from front_door.generation.request import GenerationRequest
from front_door.http.json import compact
from front_door.protocols.openai.chunks import Chunks


class ChatChunks(Chunks):
    """Writes the chunks of a choice of a chat completion; the first one has the role."""

    def __init__(self, choice: Choice, request: GenerationRequest, index: int, head: dict[str, Any]) -> None:
        super().__init__(choice, request, index, head)
        self._first: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None}

    def translate_deltas(self, deltas: list[Delta]) -> list[bytes]:
        """The chunks for some deltas."""
        return [self._translate(delta) for delta in deltas]

    def last_chunk(self) -> bytes:
        """The chunk that says why the text ended."""
        return self.chunk({"delta": self._take_role()}, finish_reason=self.choice.finish_reason)

    def text_members(self, text: object) -> dict[str, Any]:
        """The members of a choice that has nothing but text."""
        return {"delta": {"content": text}}

    def _take_role(self) -> dict[str, Any]:
        first, self._first = self._first, {}
        return first

    def _translate(self, delta: Delta) -> bytes:
        if delta.arguments is None:
            logprobs = {"content": delta.logprobs, "refusal": None} if delta.logprobs else None
            return self.chunk({"delta": self._take_role() | {"content": delta.text}}, logprobs=logprobs)
        call: dict[str, Any] = {"index": 0, "function": {"arguments": delta.arguments}}
        if delta.tool_name is None:
            return self.chunk({"delta": {"tool_calls": [call]}})
        call = {"index": 0, "id": delta.call_id, "type": "function"}
        call["function"] = {"name": delta.tool_name, "arguments": delta.arguments}
        return self.chunk({"delta": self._take_role() | {"content": None, "tool_calls": [call]}})


def chat_members(deltas: list[Delta], request: GenerationRequest, _index: int) -> dict[str, Any]:
    """The members of a choice of a buffered response."""
    text = "".join(delta.text for delta in deltas)
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    call = next((delta for delta in deltas if delta.tool_name is not None), None)
    if call is not None:
        arguments = "".join(delta.arguments or "" for delta in deltas)
        function = {"name": call.tool_name, "arguments": _normalize_arguments(arguments)}
        message["content"] = text or None
        message["tool_calls"] = [{"id": call.call_id, "type": "function", "function": function}]
    entries = [entry for delta in deltas for entry in delta.logprobs]
    logprobs = {"content": entries, "refusal": None} if request.logprobs and call is None else None
    return {"message": message, "logprobs": logprobs}


def _normalize_arguments(arguments: str) -> str:
    """Arguments as TGI's buffered route writes them; unchanged if they were cut off."""
    try:
        return compact(json.loads(arguments)).decode()
    except (ValueError, RecursionError):
        return arguments
