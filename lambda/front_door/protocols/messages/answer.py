"""A model's answer as Anthropic's message object."""

from collections.abc import Mapping
from typing import Any, Protocol

from front_door.errors import ApiError
from front_door.generation.events import Delta
from front_door.http.json import parse_object
from front_door.protocols.messages.request import MessagesRequest


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
        kind = block_type(delta, request)
        if kind is None:
            continue
        if delta.tool_name is not None or not blocks or blocks[-1]["type"] != kind:
            blocks.append({**empty_block(kind, delta), **({"signature": signature} if kind == "thinking" else {})})
        if kind == "tool_use":
            blocks[-1]["input"] += delta.arguments or ""
        else:
            blocks[-1][kind] += delta.text or delta.reasoning
    for block in blocks:
        if block["type"] == "tool_use":
            block["input"] = _read_input(block["input"], is_cut=is_cut and block is blocks[-1])
    return blocks


def block_type(delta: Delta, request: MessagesRequest) -> str | None:
    """The type of the block that a delta belongs to; None if it adds nothing to what the client sees."""
    if delta.arguments is not None or delta.tool_name is not None:
        return "tool_use"
    if delta.text:
        return "text"
    return "thinking" if delta.reasoning and request.shows_thinking else None


def empty_block(kind: str, delta: Delta) -> dict[str, Any]:
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
