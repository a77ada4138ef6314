"""A model's answer as Anthropic's message, whole or as events.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from front_door.errors import ApiError
from front_door.generation.events import Delta
from front_door.http.json import compact, parse_object
from front_door.protocols.messages.errors import RequestErrors
from front_door.protocols.messages.request import MessagesRequest

_DELTAS = {"text": ("text_delta", "text"), "thinking": ("thinking_delta", "thinking")}


class Generated(Protocol):
    """What is known of an answer at its end; see `Conversation`."""

    @property
    def usage(self) -> dict[str, Any]: ...  # noqa: D102
    @property
    def finish_reason(self) -> str | None: ...  # noqa: D102
    @property
    def stop_sequence(self) -> str | None: ...  # noqa: D102


def message(message_id: str, model: str) -> dict[str, Any]:
    """A message of which nothing has been generated."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage({}),
    }


def ending(generated: Generated, request: MessagesRequest, *, calls_tools: bool) -> dict[str, Any]:
    """Why a message has ended; some containers have OpenAI's `stop` also for calls, or name an end of their own."""
    stop = generated.stop_sequence if generated.stop_sequence in request.stop_sequences else None
    if generated.finish_reason == "length":
        generated_tokens = tokens(generated.usage, "completion_tokens")
        # Less than the client allowed: as much as fits behind its prompt.
        is_full = generated_tokens is not None and generated_tokens < request.max_tokens
        reason = "model_context_window_exceeded" if is_full else "max_tokens"
    elif generated.finish_reason == "content_filter":
        reason = "refusal"
    else:
        reason = "tool_use" if calls_tools else "end_turn" if stop is None else "stop_sequence"
    return {"stop_reason": reason, "stop_sequence": stop if reason == "stop_sequence" else None}


def usage(counts: Mapping[str, Any]) -> dict[str, Any]:
    """The token counts of a chat in Anthropic's form: those from the cache are not among the others."""
    cached = tokens(counts, "prompt_tokens_details", "cached_tokens")
    members = {
        "input_tokens": (tokens(counts, "prompt_tokens") or 0) - (cached or 0),
        "cache_creation_input_tokens": None if cached is None else 0,
        "cache_read_input_tokens": cached,
        "output_tokens": tokens(counts, "completion_tokens") or 0,
    }
    thought = tokens(counts, "completion_tokens_details", "reasoning_tokens")
    return members if thought is None else {**members, "output_tokens_details": {"thinking_tokens": thought}}


def tokens(counts: Mapping[str, Any], *path: str) -> int | None:
    """A token count of a chat; None if the container does not say it."""
    value: Any = counts
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if type(value) is int and value >= 0 else None


def content(deltas: list[Delta], request: MessagesRequest, signature: str, *, is_cut: bool) -> list[dict[str, Any]]:
    """The blocks of a whole answer.

    Args:
        deltas: The answer.
        request: The client's request.
        signature: What clients send back with the model's thinking.
        is_cut: Whether the answer is longer than the client wanted; the last call may then be no JSON.

    Raises:
        ApiError: The model has called a tool with something else than a JSON object.
    """
    blocks: list[dict[str, Any]] = []
    for delta in deltas:
        kind = _block_type(delta, request)
        if kind is None:
            continue
        if delta.tool_name is not None or not blocks or blocks[-1]["type"] != kind:
            blocks.append({**_empty_block(kind, delta), **({"signature": signature} if kind == "thinking" else {})})
        if kind == "tool_use":
            blocks[-1]["input"] += delta.arguments or ""
        else:
            blocks[-1][kind] += delta.text or delta.reasoning
    for block in blocks:
        if block["type"] == "tool_use":
            block["input"] = _read_input(block["input"], is_cut=is_cut and block is blocks[-1])
    return blocks


def _block_type(delta: Delta, request: MessagesRequest) -> str | None:
    """The type of the block that a delta belongs to; None if it adds nothing to what the client sees."""
    if delta.arguments is not None or delta.tool_name is not None:
        return "tool_use"
    if delta.text:
        return "text"
    return "thinking" if delta.reasoning and request.shows_thinking else None


def _empty_block(kind: str, delta: Delta) -> dict[str, Any]:
    """A block of which nothing has been generated; the input of a tool is still a text."""
    if kind == "tool_use":
        return {"type": kind, "id": delta.call_id, "name": delta.tool_name, "input": ""}
    return {"type": kind, kind: ""}


def _read_input(arguments: str, *, is_cut: bool) -> dict[str, Any]:
    parsed = parse_object((arguments or "{}").encode())
    if parsed is None and not is_cut:
        message = "The model has called a tool with something else than a JSON object. Try again."
        raise ApiError("upstream", message, log_detail="arguments of a tool")
    return parsed or {}


class MessageWriter(RequestErrors):
    """See `AnswerWriter`.

    Args:
        generated: What is known of the answer at its end.
        request: The client's request.
        message: The message, of which nothing has been generated.
        request_id: The request's id.
    """

    def __init__(
        self, generated: Generated, request: MessagesRequest, message: dict[str, Any], request_id: str
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
        kind = _block_type(delta, self._request)
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
        last = ending(self._generated, self._request, calls_tools=self._calls_tools)
        delta = _event("message_delta", {"delta": last, "usage": usage(self._generated.usage)})
        return self._end_block() + delta + _event("message_stop", {})

    def _begin_block(self, kind: str, delta: Delta) -> bytes:
        ended = self._end_block()
        self._index += 1
        self._open = kind
        block = _empty_block(kind, delta)
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
