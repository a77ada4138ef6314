"""A request of each protocol that is made of a chat's answer, streamed and not."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tests.conformance.stream_rules import check_message_events, check_response_events, read_events


class Asked(NamedTuple):
    """A request.

    Args:
        path: Its path.
        body: Its body.
    """

    path: str
    body: dict[str, Any]

    @property
    def is_message(self) -> bool:
        """Whether it is one of Anthropic's."""
        return self.path.endswith("/messages")

    @property
    def is_streamed(self) -> bool:
        """Whether the response is a stream."""
        return bool(self.body.get("stream"))

    def text(self, body: bytes) -> str:
        """The text of a complete response; fails if it has failed or has no end."""
        answer = json.loads(body) if not self.is_streamed else self._accumulate(read_events(body))
        if self.is_message:
            return "".join(block["text"] for block in answer["content"])
        assert answer["status"] in ("completed", "incomplete")
        return "".join(part["text"] for item in answer["output"] for part in item["content"])

    def error(self, body: bytes) -> dict[str, Any]:
        """The error of a response, which is its last event if it is a stream."""
        last = read_events(body)[-1] if body.startswith((b"event:", b":")) else json.loads(body)
        found: dict[str, Any] = last["response"]["error"] if "response" in last else last["error"]
        return found

    def _accumulate(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        if not self.is_message:
            return check_response_events(events)
        check_message_events(events)
        assert events[-1]["type"] == "message_stop"
        texts = [event["delta"]["text"] for event in events if event["type"] == "content_block_delta"]
        return {"content": [{"text": "".join(texts)}]}


_RESPONSE = {"model": "llama", "input": "Hi", "max_output_tokens": 100}
_MESSAGE = {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 100}
CONVERSATIONS = {
    "response": Asked("/v1/responses", _RESPONSE),
    "response streamed": Asked("/models/llama/v1/responses", {**_RESPONSE, "stream": True}),
    "message": Asked("/models/llama/v1/messages", _MESSAGE),
    "message streamed": Asked("/v1/messages", {**_MESSAGE, "stream": True}),
}
