"""SageMaker's complete responses for a model that always generates the same three tokens."""

from __future__ import annotations

import json
from typing import Any

from local.sagemaker_runtime.event_stream import part
from tests.robustness.fake_sagemaker import Received, WireResponse

TOKENS = (" Grüße", " an", " 你好")
TEXT = "".join(TOKENS)
TOOL_TOKENS = ('{"word":', ' "été', ' 你"}')
USAGE = {"prompt_tokens": 6, "completion_tokens": len(TOKENS), "total_tokens": 6 + len(TOKENS)}
DONE = b"data: [DONE]\n\n"
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\n"
    b"X-Amzn-SageMaker-Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
_COMMON = {"id": "", "created": 1760000000, "model": "m", "system_fingerprint": "3.3.6-sha"}
_CHAT = {"object": "chat.completion.chunk", **_COMMON}


def sse(value: object) -> bytes:
    """A server-sent event."""
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def generate_events() -> list[bytes]:
    """The events of TGI's `/generate_stream`."""
    events = []
    for at, text in enumerate(TOKENS, 1):
        token = {"id": at, "text": text, "logprob": -0.25, "special": False}
        event: dict[str, Any] = {"index": at, "token": token, "generated_text": None, "details": None}
        if at == len(TOKENS):
            details = {"finish_reason": "length", "generated_tokens": at, "seed": None, "input_length": 6}
            event |= {"generated_text": TEXT, "details": details}
        events.append(sse(event))
    return events


def chat_events() -> list[bytes]:
    """The events of TGI's streamed chat, with usage."""
    events = []
    for at, text in enumerate(TOKENS, 1):
        delta = {"role": "assistant", "content": text}
        reason = "length" if at == len(TOKENS) else None
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        events.append(sse({**_CHAT, "choices": [choice], "usage": None}))
    return [*events, sse({**_CHAT, "choices": [], "usage": USAGE}), DONE]


def tool_events() -> list[bytes]:
    """The events of TGI's streamed chat with a tool call."""
    events = []
    for at, arguments in enumerate(TOOL_TOKENS):
        function = {"name": None if at else "look_up", "arguments": arguments}
        call = {"index": 0, "id": "0", "type": "function", "function": function}
        choice = {"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}, "logprobs": None}
        events.append(sse({**_CHAT, "choices": [{**choice, "finish_reason": None}], "usage": None}))
    return [*events, sse({**_CHAT, "choices": [], "usage": USAGE}), DONE]


def completion_events() -> list[bytes]:
    """The events of TGI's streamed completion."""
    events = []
    for at, text in enumerate(TOKENS, 1):
        reason = "length" if at == len(TOKENS) else ""
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}
        event = {"object": "text_completion", "id": "", "created": 1760000000, "choices": [choice]}
        event |= {"model": "m", "system_fingerprint": "3.3.6-sha"}
        events.append(sse(event | {"usage": USAGE} if reason else event))
    return [*events, DONE]


def events_for(request: Received) -> list[bytes]:
    """The events that TGI's `/invocations` streams for a body."""
    body = request.json()
    if "inputs" in body:
        return generate_events()
    if "tools" in body:
        return tool_events()
    return chat_events() if "messages" in body else completion_events()


def chunk(data: bytes) -> bytes:
    """A chunk of HTTP's chunked transfer coding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def stream_response(events: list[bytes]) -> bytes:
    """A response with an event stream: a PayloadPart and an HTTP chunk for each event."""
    return HEAD + b"".join(chunk(part(event)) for event in events) + b"0\r\n\r\n"


def json_response(body: bytes, status: int = 200, headers: str = "") -> bytes:
    """A response with a JSON body."""
    head = f"HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def healthy_response(request: Received) -> WireResponse:
    """The response to a request when nothing fails."""
    if request.path == "/":
        return WireResponse(json_response(b'{"EndpointStatus":"InService"}'))
    if request.is_streamed:
        return WireResponse(stream_response(events_for(request)))
    if "messages" in request.json():
        message = {"role": "assistant", "content": TEXT}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "length"}
        completion = {"object": "chat.completion", **_COMMON, "choices": [choice], "usage": USAGE}
        return WireResponse(json_response(json.dumps(completion).encode()))
    return WireResponse(json_response(json.dumps([{"generated_text": TEXT}]).encode()))


def error_response(status: int, code: str, **members: object) -> bytes:
    """An error response of SageMaker Runtime."""
    return json_response(
        json.dumps(members).encode(), status, f"x-amzn-ErrorType: {code}:http://internal.amazon.com/\r\n"
    )
