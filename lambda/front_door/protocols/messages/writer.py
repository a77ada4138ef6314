"""A model's answer as the events of Anthropic's streams (https://platform.claude.com/docs/en/build-with-claude/streaming)."""

from typing import Any

from front_door.generation.events import Delta
from front_door.http.json import compact
from front_door.protocols.messages import answer
from front_door.protocols.messages.errors import RequestErrors
from front_door.protocols.messages.request import MessagesRequest

_DELTAS = {"text": ("text_delta", "text"), "thinking": ("thinking_delta", "thinking")}


class MessageWriter(RequestErrors):
    """See `AnswerWriter`.

    Args:
        generated: What is known of the answer at its end.
        request: The client's request.
        message: The message, of which nothing has been generated.
        request_id: The request's id.
    """

    def __init__(
        self, generated: answer.Generated, request: MessagesRequest, message: dict[str, Any], request_id: str
    ) -> None:
        super().__init__(request_id)
        self._generated = generated
        self._request = request
        self._message = message
        self._index = -1
        self._open: str | None = None
        self._calls_tools = False
        self._before_text = b""

    def begin(self) -> bytes:
        """See `AnswerWriter`; the prompt's tokens are not counted yet."""
        return _event("message_start", {"message": self._message})

    def write(self, delta: Delta) -> bytes:
        """See `AnswerWriter`."""
        kind = answer.block_type(delta, self._request)
        if kind is None:
            return b""
        begin = self._begin_block(kind, delta) if kind != self._open or delta.tool_name is not None else b""
        if kind == "tool_use":
            return begin + (
                self._delta("input_json_delta", "partial_json", delta.arguments) if delta.arguments else b""
            )
        return begin + self._delta(*_DELTAS[kind], delta.text or delta.reasoning)

    def write_texts(self, texts: list[bytes]) -> bytes:
        """See `AnswerWriter`."""
        begin = self._begin_block("text", Delta()) if self._open != "text" else b""
        before, after = self._before_text, b'"}}\n\n'
        return begin + before + (after + before).join(texts) + after

    def end(self) -> bytes:
        """See `AnswerWriter`."""
        ending = answer.ending(self._generated, self._request, calls_tools=self._calls_tools)
        delta = _event("message_delta", {"delta": ending, "usage": answer.usage(self._generated.usage)})
        return self._end_block() + delta + _event("message_stop", {})

    def _begin_block(self, kind: str, delta: Delta) -> bytes:
        ended = self._end_block()
        self._index += 1
        self._open = kind
        block = answer.empty_block(kind, delta)
        if kind == "tool_use":
            self._calls_tools = True
            block["input"] = {}
        elif kind == "thinking":
            block["signature"] = ""
        else:
            self._before_text = self._delta("text_delta", "text", "\x00").partition(b"\\u0000")[0]
        return ended + _event("content_block_start", {"index": self._index, "content_block": block})

    def _end_block(self) -> bytes:
        if self._open is None:
            return b""
        signature = (
            self._delta("signature_delta", "signature", self._message["id"]) if self._open == "thinking" else b""
        )
        self._open = None
        return signature + _event("content_block_stop", {"index": self._index})

    def _delta(self, kind: str, member: str, value: str | None) -> bytes:
        return _event("content_block_delta", {"index": self._index, "delta": {"type": kind, member: value}})


def _event(name: str, members: dict[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + compact({"type": name, **members}) + b"\n\n"
