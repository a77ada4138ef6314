"""A choice of a chat completion in OpenAI's chunks, and in one piece."""

import json
from typing import Any

from front_door.engines.tgi.chat_choice import ChatChoice
from front_door.errors import compact
from front_door.generation.choice import Piece
from front_door.generation.request import Asked
from front_door.protocols.openai.chunks import Chunks, Marks


class ChatChunks(Chunks):
    """Makes the chunks of a choice of a chat completion; the first has the role."""

    marks = Marks(
        b'data: {"object":"chat.completion.chunk"',
        b'"choices":[{"index":0,"delta":{"role":"assistant","content":',
        b'},"logprobs":null,"finish_reason":null}],"usage":null}',
    )

    def __init__(self, choice: ChatChoice, asked: Asked, index: int, head: dict[str, Any]) -> None:
        super().__init__(choice, asked, index, head)
        self._chat = choice
        self._first: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None}

    def pieces(self, pieces: list[Piece]) -> list[bytes]:
        """The chunks of some pieces."""
        return [self._piece(piece) for piece in pieces]

    def end(self) -> bytes:
        """The chunk that says why the text ended."""
        return self.chunk({"delta": self._role()}, finish_reason=self.choice.finish_reason)

    def text(self, text: object) -> dict[str, Any]:
        """What a choice with nothing but text has."""
        return {"delta": {"content": text}}

    def _role(self) -> dict[str, Any]:
        first, self._first = self._first, {}
        return first

    def _piece(self, piece: Piece) -> bytes:
        if piece.arguments is None:
            logprobs = {"content": piece.logprobs, "refusal": None} if piece.logprobs else None
            return self.chunk({"delta": self._role() | {"content": piece.text}}, logprobs=logprobs)
        call: dict[str, Any] = {"index": 0, "function": {"arguments": piece.arguments}}
        if piece.tool is None:
            return self.chunk({"delta": {"tool_calls": [call]}})
        call = {"index": 0, "id": self._chat.call_id, "type": "function"}
        call["function"] = {"name": piece.tool, "arguments": piece.arguments}
        return self.chunk({"delta": self._role() | {"content": None, "tool_calls": [call]}})


def message(choice: ChatChoice, pieces: list[Piece], asked: Asked, _index: int) -> dict[str, Any]:
    """What a choice of an answer in one piece has."""
    text = "".join(piece.text for piece in pieces)
    told: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if choice.tool is not None:
        function = {"name": choice.tool, "arguments": _plain(choice.arguments)}
        told["content"] = text or None
        told["tool_calls"] = [{"id": choice.call_id, "type": "function", "function": function}]
    entries = [entry for piece in pieces for entry in piece.logprobs]
    has_logprobs = asked.logprobs and choice.tool is None
    return {"message": told, "logprobs": {"content": entries, "refusal": None} if has_logprobs else None}


def _plain(arguments: str) -> str:
    """Arguments as TGI's buffered route writes them; where they were cut off, as they are."""
    try:
        return compact(json.loads(arguments)).decode()
    except (ValueError, RecursionError):
        return arguments
