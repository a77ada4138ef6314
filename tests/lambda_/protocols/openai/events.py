"""What a TGI container sends on its OpenAI routes, and the parsed stream of the front door."""

import json
from dataclasses import dataclass, field
from typing import Any

DONE = b"data: [DONE]\n\n"
HI: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}
HEAD = {"object": "chat.completion.chunk", "id": "", "created": 17, "model": "hub/llama", "system_fingerprint": "3.3.6"}
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
FUNCTION = {
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TOOLS = [{"type": "function", "function": FUNCTION}, {"type": "function", "function": {"name": "now"}}]


def sse(value: object) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def chunk(delta: dict[str, Any], finish_reason: str | None = None, logprobs: object = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
    return sse({**HEAD, "choices": [choice], "usage": None})


def text(content: str, *more: Any) -> bytes:
    return chunk({"role": "assistant", "content": content}, *more)


def tool(arguments: str, name: str | None = None, finish_reason: str | None = None) -> bytes:
    call = {"index": 0, "id": "3", "type": "function", "function": {"name": name, "arguments": arguments}}
    return chunk({"role": "assistant", "tool_calls": [call]}, finish_reason)


def used(prompt: int = 9, generated: int = 2) -> bytes:
    usage = {"prompt_tokens": prompt, "completion_tokens": generated, "total_tokens": prompt + generated}
    return sse({**HEAD, "choices": [], "usage": usage})


def error(message: str) -> bytes:
    return sse({"error": {"message": message, "http_status_code": 422}})


ANSWER = [text("Un été"), text(" 🧸"), text("", "stop"), used(), DONE]
"""Two tokens and the end."""


def completion_text(content: str, finish_reason: str = "", index: int = 0) -> bytes:
    choice = {"index": index, "text": content, "logprobs": None, "finish_reason": finish_reason}
    if not finish_reason:
        return sse({"object": "text_completion", "id": "", "created": 17, "choices": [choice], "model": "m"} | FINGER)
    return sse(
        {"object": "text_completion", "id": "", "created": 17, "model": "m", **FINGER, "choices": [choice]}
        | {"usage": USAGE}
    )


FINGER = {"system_fingerprint": "3.3.6"}
COMPLETION = [completion_text("Un été"), completion_text(" 🧸"), completion_text("</s>", "eos_token"), DONE]


@dataclass
class Read:
    """A stream of the front door, read as a client reads it."""

    chunks: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    is_done: bool = False

    @classmethod
    def of(cls, body: bytes) -> "Read":
        read = cls()
        for event in body.decode().split("\n\n"):
            if not event or event.startswith(":"):
                continue
            assert not read.is_done, "nothing follows [DONE]"
            data = event.removeprefix("data: ")
            read.is_done = data == "[DONE]"
            if not read.is_done:
                value = json.loads(data)
                (read.errors if "error" in value else read.chunks).append(value)
        return read

    def choices(self, index: int = 0) -> list[dict[str, Any]]:
        return [choice for chunk in self.chunks for choice in chunk["choices"] if choice["index"] == index]

    def text(self, index: int = 0) -> str:
        return "".join(
            choice["text"] if "text" in choice else choice["delta"].get("content") or ""
            for choice in self.choices(index)
        )

    def finish_reasons(self, index: int = 0) -> list[str]:
        return [choice["finish_reason"] for choice in self.choices(index) if choice["finish_reason"] is not None]

    def calls(self) -> list[dict[str, Any]]:
        return [call for choice in self.choices() for call in choice["delta"].get("tool_calls", [])]

    def arguments(self) -> str:
        return "".join(call["function"]["arguments"] for call in self.calls())

    def usage(self) -> list[Any]:
        return [chunk.get("usage", "absent") for chunk in self.chunks]
