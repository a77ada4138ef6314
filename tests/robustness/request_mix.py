"""A mix of requests, good and bad, for every route, and of upstreams, well and broken, that never comes to an end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count, cycle
from typing import Any

from local.sagemaker_runtime.event_stream import exception, part
from tests.robustness.checked_client import JSON
from tests.robustness.corpus import (
    INVALID_BYTES,
    POST_PATHS,
    VALUES,
    WHOLE,
    minimal_body,
    valid_body,
    with_prompt_text,
    with_unknown_member,
)
from tests.robustness.expected_responses import error, events_for, healthy_response, plain_response, stream_response
from tests.robustness.fake_sagemaker import Received, WireResponse

PAGES = ["/info", "/health", "/v1/models", "/v1/models/llama", "/v1/models/nope", "/openapi.json", "/nope", "/generate"]
BIG = 1_000_000


def mixed_events() -> Iterator[dict[str, Any]]:
    """Proxy events."""
    sources = cycle([_good(), _streamed(), _bad(), _good(), _pages(), _wrong_values(), _big()])
    for at, source in zip(count(), sources, strict=False):
        path, body, more = next(source)
        yield {
            "httpMethod": "POST",
            "path": path,
            "headers": {**JSON, "X-Request-Id": f"request-{at}"},
            "body": body,
            "isBase64Encoded": False,
            "requestContext": {"requestId": f"gateway-{at}", "identity": {"apiKeyId": "key-id"}},
            **more,
        }


Asked = tuple[str, str | None, dict[str, Any]]


def _good() -> Iterator[Asked]:
    for at, path in zip(count(), cycle(POST_PATHS), strict=False):
        yield path, json.dumps(valid_body(path)).replace("Hello", f"Hello {at}"), {}


def _streamed() -> Iterator[Asked]:
    for at, path in zip(count(), cycle(POST_PATHS), strict=False):
        several = {"n": 2} if path.startswith("/v1/") and at % 10 == 0 else {}
        yield path, json.dumps({**minimal_body(path), **several, "stream": True}), {}


def _bad() -> Iterator[Asked]:
    texts = [text for text in [*WHOLE.values(), *VALUES.values()] if text.isascii() or text.isprintable()]
    for path, text in zip(cycle(POST_PATHS), cycle(texts), strict=False):
        yield path, text, {}
        yield path, INVALID_BYTES["FF"].hex(), {"isBase64Encoded": True}


def _pages() -> Iterator[Asked]:
    for path in cycle(PAGES):
        yield path, None, {"httpMethod": "GET"}


def _wrong_values() -> Iterator[Asked]:
    for path, text in zip(cycle(POST_PATHS), cycle(VALUES.values()), strict=False):
        yield path, with_prompt_text(path, text), {}
        yield path, with_unknown_member(path, text), {}


def _big() -> Iterator[Asked]:
    for at, path in zip(count(), cycle(POST_PATHS), strict=False):
        words = "word " * (BIG // 5 if at % 20 == 0 else 10)
        yield path, json.dumps(minimal_body(path)).replace("Hello", words), {}


class MixedResponder:
    """Answers most requests as they should be, and the others in every wrong way in turn."""

    def __init__(self) -> None:
        self._turn = count(1)

    def __call__(self, request: Received) -> WireResponse:
        turn = next(self._turn)
        if request.path == "/" or turn % 3:
            return healthy_response(request)
        right = healthy_response(request).data
        ways = [
            WireResponse(right[: turn % len(right)], "close"),
            WireResponse(right[: turn % len(right)], "reset"),
            WireResponse(error(424, "ModelError", OriginalStatusCode=424, OriginalMessage='{"error":"x"}')),
            WireResponse(error(500, "InternalFailure")),
            WireResponse(plain_response(b"<html>" + b"x" * 10_000, 502)),
            WireResponse(_ended_by(request, exception("ModelStreamError", ErrorCode="x"))),
            WireResponse(_ended_by(request, part(b"data: nonsense\n\n"))),
            WireResponse(right[:-40] + b"?" * 40, "close"),
            WireResponse(right + b"HTTP/1.1 200 OK\r\n\r\n"),
        ]
        return ways[turn // 3 % len(ways)]


def _ended_by(request: Received, frame: bytes) -> bytes:
    if not request.is_streamed:
        return healthy_response(request).data
    head, _, _ = stream_response([]).rpartition(b"0\r\n\r\n")
    data = b"".join(map(part, events_for(request)[:2])) + frame
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)
