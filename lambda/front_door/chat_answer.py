"""TGI's buffered chat completion, put together from its stream (router/src/chat.rs, router/src/lib.rs)."""

import json
from typing import Any

from front_door.errors import Failure, compact, tgi_failure


class ChatAnswer:
    """Collects the chunks of one streamed chat completion.

    Args:
        with_logprobs: Whether the request asked for them.
    """

    def __init__(self, *, with_logprobs: bool) -> None:
        self._with_logprobs = with_logprobs
        self._content: list[str] = []
        self._logprobs: list[Any] = []
        self._tool: str | None = None
        self._arguments: list[str] = []
        self._finish_reason: str | None = None
        self._usage: dict[str, Any] | None = None
        self._chunk: dict[str, Any] = {}

    def add(self, chunk: dict[str, Any]) -> None:
        """Take one chunk.

        Raises:
            Failure: It is an error instead.
        """
        if "error" in chunk:
            failure = tgi_failure(chunk)
            if failure.kind == "incomplete_generation_stream":
                raise Failure("incomplete_generation", "Incomplete generation", cause=failure.cause)
            raise failure
        self._chunk = chunk
        self._usage = chunk.get("usage") or self._usage
        for choice in chunk.get("choices") or []:
            delta = choice.get("delta") or {}
            self._content.append(delta.get("content") or "")
            for call in delta.get("tool_calls") or []:
                self._tool = self._tool or call["function"].get("name")
                self._arguments.append(call["function"].get("arguments") or "")
            self._logprobs += (choice.get("logprobs") or {}).get("content") or []
            self._finish_reason = choice.get("finish_reason") or self._finish_reason

    def completion(self) -> dict[str, Any]:
        """The whole answer.

        Raises:
            Failure: The stream had no end.
        """
        if self._usage is None:
            raise Failure("incomplete_generation", "Incomplete generation", cause="no end")
        message: dict[str, Any] = {"role": "assistant"}
        if self._tool is None:
            message["content"] = "".join(self._content)
        else:
            message["tool_calls"] = [self._tool_call(self._tool)]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": {"content": self._logprobs} if self._with_logprobs else None,
            # After the last brace of a tool call TGI streams no chunk that could carry the reason.
            "finish_reason": self._finish_reason or "stop",
        }
        return {
            "object": "chat.completion",
            "id": self._chunk.get("id", ""),
            "created": self._chunk.get("created"),
            "model": self._chunk.get("model"),
            "system_fingerprint": self._chunk.get("system_fingerprint"),
            "choices": [choice],
            "usage": self._usage,
        }

    def _tool_call(self, name: str) -> dict[str, Any]:
        """The call as TGI's buffered route writes it: always with id "0", its arguments as compact JSON."""
        text = "".join(self._arguments)
        for ending in ("", "}"):  # TGI's stream leaves the last brace out where the call has no arguments
            try:
                arguments = json.loads(text + ending)
            except ValueError:
                continue
            function = {"description": None, "name": name, "arguments": compact(arguments).decode()}
            return {"id": "0", "type": "function", "function": function}
        message = "Tool error: Failed to parse generated text: the tool call is not complete JSON"
        raise Failure("tool_error", message, cause="cut tool call")
