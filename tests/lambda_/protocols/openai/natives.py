"""Models whose containers speak OpenAI's protocol, and what those send."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.lambda_.conftest import LLAMA
from tests.lambda_.protocols.openai.events import DONE, sse
from tests.lambda_.sagemaker_double import Reply, chunk, error, part

NAME = "/opt/ml/model"
"""What vLLM calls a model that it is not told a name for."""

VLLM, SGLANG, LMI = (replace(LLAMA, engine=engine) for engine in ("vllm", "sglang", "lmi"))
CONTAINER = replace(LLAMA, engine="openai")
HI: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}
USAGE = {"prompt_tokens": 9, "total_tokens": 11, "completion_tokens": 2}


def chat_chunk(delta: dict[str, Any], finish_reason: str | None = None, index: int = 0, **more: Any) -> bytes:
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason, **more}
    return sse(
        {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 17, "model": NAME, "choices": [choice]}
    )


def usage_chunk(**more: Any) -> bytes:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 17, "model": NAME}
    return sse({**head, "choices": [], "usage": {**USAGE, **more}})


FIRST = chat_chunk({"role": "assistant", "content": ""})
ANSWER = [FIRST, chat_chunk({"content": "Un été"}), chat_chunk({"content": " 🧸"}, "stop"), usage_chunk(), DONE]


def renamed(events: list[bytes], name: str = "llama") -> bytes:
    return b"".join(events).replace(f'"model":"{NAME}"'.encode(), f'"model":"{name}"'.encode())


def refused(status: int, body: object) -> Reply:
    """The container's error."""
    text = body if isinstance(body, str) else json.dumps(body)
    return error(424, "ModelError", OriginalStatusCode=status, OriginalMessage=text)


def lines(*payloads: bytes) -> Reply:
    """A stream as DJL writes it."""
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\n"
        b"X-Amzn-SageMaker-Content-Type: application/jsonlines\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    return Reply([head, *[chunk(part(payload)) for payload in payloads], b"0\r\n\r\n"])
