"""An endless mix of valid and invalid requests to every route, and of normal and faulty responses of SageMaker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count, cycle
from typing import Any

from local.sagemaker_runtime.event_stream import exception, part
from tests.robustness.checked_client import JSON
from tests.robustness.corpus import (
    INVALID_BYTES,
    NOT_OBJECTS,
    POST_PATHS,
    VALUES,
    minimal_body,
    valid_body,
    with_prompt_text,
    with_unknown_member,
)
from tests.robustness.expected_responses import (
    error_response,
    events_for,
    healthy_response,
    json_response,
    stream_response,
)
from tests.robustness.fake_sagemaker import Received, WireResponse

GET_PATHS = [
    "/info",
    "/health",
    "/v1/models",
    "/v1/models/llama",
    "/v1/models/nope",
    "/openapi.json",
    "/nope",
    "/generate",
]
LARGE_BYTES = 1_000_000


def mixed_events() -> Iterator[dict[str, Any]]:
    """API Gateway's proxy events."""
    sources = cycle([_valid(), _streamed(), _not_objects(), _valid(), _gets(), _wrong_values(), _large()])
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


Request = tuple[str, str | None, dict[str, Any]]


def _valid() -> Iterator[Request]:
    for at, path in zip(count(), cycle(POST_PATHS), strict=False):
        yield path, json.dumps(valid_body(path)).replace("Hello", f"Hello {at}"), {}


def _streamed() -> Iterator[Request]:
    for at, path in zip(count(), cycle(POST_PATHS), strict=False):
        choices = {"n": 2} if path.startswith("/v1/") and at % 10 == 0 else {}
        yield path, json.dumps({**minimal_body(path), **choices, "stream": True}), {}


def _not_objects() -> Iterator[Request]:
    texts = [text for text in [*NOT_OBJECTS.values(), *VALUES.values()] if text.isascii() or text.isprintable()]
    for path, text in zip(cycle(POST_PATHS), cycle(texts), strict=False):
        yield path, text, {}
        yield path, INVALID_BYTES["FF"].hex(), {"isBase64Encoded": True}


def _gets() -> Iterator[Request]:
    for path in cycle(GET_PATHS):
        yield path, None, {"httpMethod": "GET"}


def _wrong_values() -> Iterator[Request]:
    for path, text in zip(cycle(POST_PATHS), cycle(VALUES.values()), strict=False):
        yield path, with_prompt_text(path, text), {}
        yield path, with_unknown_member(path, text), {}


def _large() -> Iterator[Request]:
    for at, path in zip(count(), cycle(POST_PATHS), strict=False):
        words = "word " * (LARGE_BYTES // 5 if at % 20 == 0 else 10)
        yield path, json.dumps(minimal_body(path)).replace("Hello", words), {}


class MixedResponder:
    """Responds normally to two of three requests, and with each kind of fault in turn to the others."""

    def __init__(self) -> None:
        self._turn = count(1)

    def __call__(self, request: Received) -> WireResponse:
        turn = next(self._turn)
        if request.path == "/" or turn % 3:
            return healthy_response(request)
        normal = healthy_response(request).data
        faults = [
            WireResponse(normal[: turn % len(normal)], "close"),
            WireResponse(normal[: turn % len(normal)], "reset"),
            WireResponse(error_response(424, "ModelError", OriginalStatusCode=424, OriginalMessage='{"error":"x"}')),
            WireResponse(error_response(500, "InternalFailure")),
            WireResponse(json_response(b"<html>" + b"x" * 10_000, 502)),
            WireResponse(_ended_by(request, exception("ModelStreamError", ErrorCode="x"))),
            WireResponse(_ended_by(request, part(b"data: nonsense\n\n"))),
            WireResponse(normal[:-40] + b"?" * 40, "close"),
            WireResponse(normal + b"HTTP/1.1 200 OK\r\n\r\n"),
        ]
        return faults[turn // 3 % len(faults)]


def _ended_by(request: Received, frame: bytes) -> bytes:
    if not request.is_streamed:
        return healthy_response(request).data
    head, _, _ = stream_response([]).rpartition(b"0\r\n\r\n")
    data = b"".join(map(part, events_for(request)[:2])) + frame
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)
