"""What a protocol is: the routes that a client calls, and how it reads errors."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from front_door.errors import ApiError
from front_door.http.response import JSON, Response
from front_door.http.sse import KEEP_ALIVE_EVENT


class Protocol(NamedTuple):
    """How a client reads errors: their JSON, what ends a stream after one, and the statuses that differ."""

    error_body: Callable[[ApiError], dict[str, Any]]
    end_of_stream: bytes
    statuses: dict[int, int]
    keep_alive: bytes = KEEP_ALIVE_EVENT

    def error_response(self, error: ApiError) -> Response:
        """The error as a response."""
        headers = {**JSON, **error.headers}
        if error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
        if error.status == 504:
            headers["x-should-retry"] = "false"  # OpenAI's clients would repeat, and pay for, what takes too long
        return Response(self.statuses.get(error.status, error.status), headers, [self._encode(error)])

    def error_event(self, error: ApiError) -> bytes:
        """The error as the last event of a stream that has begun."""
        return b"data: " + self._encode(error) + b"\n\n" + self.end_of_stream

    def _encode(self, error: ApiError) -> bytes:
        # A name that a client chose may have a lone surrogate, which must not make the response fail.
        return json.dumps(self.error_body(error), ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
