"""The requests whose cold start, processor time and memory are measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bench.functions import BUFFERED, CHAT, STREAMED, Route, proxy_event

MAX_EVENT_BYTES = 6 * 2**20
"""Lambda's limit for the event of a synchronous invocation (Lambda guide, "Lambda quotas": 6 MB)."""

_EVENT_BYTES = 8 * 2**20 - 65536  # one event may have 8 MiB: lambda/front_door/http/sse.py
_ANSWER_BYTES = 25 * 2**20 - 65536  # what cannot be streamed: lambda/front_door/sagemaker/client.py
_LONGEST_ANSWER = 48_000  # tokens: 100 a second for the 8 minutes after which SageMaker ends a stream

_NAME = "llama"


_ROOM = 1024
"""How many bytes the largest requests may leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request to a new sandbox.

    Args:
        name: What the table calls it.
        route: The route and the request.
        answer: What the upstream sends, as the name of its endpoint.
    """

    name: str
    route: Route
    answer: str


def cold_starts() -> list[Case]:
    """A short request on each path through the function."""
    completion = {"model": _NAME, "prompt": "What is deep learning?", "stream": True}
    return [
        _case("`/generate`", BUFFERED),
        _case("`/generate_stream`", STREAMED),
        _case("`/v1/chat/completions`, streaming", CHAT),
        _case("`/v1/chat/completions`", replace(CHAT, request=CHAT.request | {"stream": False})),
        _case("`/v1/completions`, streaming", replace(CHAT, path="/v1/completions", request=completion)),
    ]


def largest_requests() -> list[Case]:
    """Requests of the largest event that Lambda accepts.

    Python holds a text with one character beyond the Basic Multilingual Plane with four bytes for each character: all
    but the first have an emoji. Of other values than texts, empty objects take the most memory.
    """
    return [
        _largest("`/generate`, one text", BUFFERED, lambda size: {"inputs": "x" * size}),
        _largest("`/generate`, one text with an emoji", BUFFERED, lambda size: {"inputs": _text(size)}),
        _largest("`/generate_stream`, one text with an emoji", STREAMED, lambda size: {"inputs": _text(size)}),
        _largest("chat, one message with an emoji", CHAT, lambda size: {"messages": [_message(_text(size))]}),
        _largest("the same with `n` = 8", CHAT, lambda size: {"messages": [_message(_text(size))], "n": 8}),
        _largest(
            "the same with `n` = 8 and a seed",
            CHAT,
            lambda size: {"messages": [_message(_text(size))], "n": 8, "seed": 1},
        ),
        _largest("chat, 160,000 messages", CHAT, lambda size: {"messages": [_message("🧸")] * (size // 32)}),
        _largest("chat, 40,000 tools", CHAT, lambda size: {"messages": [_message("🧸")], "tools": _tools(size)}),
        _largest(
            "`/generate`, a member that TGI ignores", BUFFERED, lambda size: {"inputs": "🧸", "x": [{}] * (size // 3)}
        ),
    ]


def largest_answers() -> list[Case]:
    """The largest and the longest answers that the function accepts."""
    chat, tokens = replace(CHAT, request=CHAT.request | {"stream": False}), f"-{_LONGEST_ANSWER}"
    whole = {**BUFFERED.request, "parameters": {"best_of": 2, "do_sample": True}}
    details = {**BUFFERED.request, "parameters": {"details": True}}
    return [
        Case(name="one event of 8 MiB", route=STREAMED, answer=f"large-generate-{_EVENT_BYTES}"),
        Case(
            name="25 MiB that cannot be streamed",
            route=replace(BUFFERED, request=whole, end=b"}"),
            answer=f"large-generate-{_ANSWER_BYTES}",
        ),
        Case(
            name="48,000 tokens, `/generate` with details",
            route=replace(BUFFERED, request=details, end=b"}"),
            answer="burst-generate" + tokens,
        ),
        Case(name="48,000 tokens, chat", route=replace(chat, end=b"}"), answer="burst-chat" + tokens),
    ]


def _case(name: str, route: Route) -> Case:
    """With an answer of 20 tokens. A chat that is not streamed ends like a chat."""
    end = route.end if route.request.get("stream", True) else b"}"
    return Case(name=name, route=replace(route, end=end), answer=f"burst-{route.stream_format}-20")


def _largest(name: str, route: Route, body: Callable[[int], dict[str, Any]]) -> Case:
    """The case whose body is as large as an event allows.

    Args:
        name: Its name.
        route: A route, and the members that its request has beside those of the body.
        body: Returns members of a body with about as many bytes as it is given.
    """
    size = MAX_EVENT_BYTES // 2
    while True:
        filled = replace(route, request={**route.request, **body(size)})
        taken = event_bytes(filled)
        if MAX_EVENT_BYTES - _ROOM < taken <= MAX_EVENT_BYTES:
            return _case(name, filled)
        # Events grow in proportion to the body, but for a few bytes.
        size += (MAX_EVENT_BYTES - _ROOM // 2 - taken) * size // taken


def event_bytes(route: Route) -> int:
    """The size of the event with a route's request."""
    return len(json.dumps(proxy_event(route), ensure_ascii=False).encode())


def _text(size: int) -> str:
    return "x" * size + "🧸"


def _message(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _tools(size: int) -> list[dict[str, Any]]:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
    return [
        {"type": "function", "function": {"name": f"f{number}", "parameters": schema}} for number in range(size // 140)
    ]
