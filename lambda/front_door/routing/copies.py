"""Copies of requests for another endpoint, which a function of its own answers: it is invoked, and not waited for.

Each is made by the function that answers the client, and taken by the other one, which runs the same code. The first
part of the response has been sent when a copy is handed over, and nothing that happens then changes the rest.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from threading import Lock, Thread
from typing import Any

from front_door.config import Config
from front_door.errors import ApiError
from front_door.http.json import compact
from front_door.http.response import Response, json_response
from front_door.request_log import RequestLog, embedded_metrics, write_line
from front_door.routing.attempts import Attempts
from front_door.routing.choice import is_mirrored
from front_door.sagemaker.client import SageMaker

MAX_PAYLOAD_BYTES = 1_000_000
"""Of an asynchronous invocation: "1 MB" (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html)."""

HANDOVER_SECONDS = 0.8
"""How long a hand-over takes at most, before it is given up: less than what is left behind an answer that took until
the deadline."""

BUFFERED_SECONDS = 0.25
"""How long a response that is complete waits for it where it is sent as a whole: the function is frozen after that."""

_TOO_LARGE = 413
_ACCEPTED = 202
# What the other function reads of a request; keys and tokens of clients are not among them.
_MEMBERS = ("httpMethod", "path", "resource", "pathParameters", "body", "isBase64Encoded")
_HEADERS = ("content-type", "idempotency-key", "x-request-id")


class Copy:
    """The copy of one request, if one is made.

    Args:
        event: The proxy event of the request.
        attempts: The endpoints that the request goes to.
        settings: The front door's.
        sagemaker: Invokes the other function.
        log: The request's log line.
        is_buffered: Whether no part of the response is sent before its end.
    """

    def __init__(
        self,
        event: dict[str, Any],
        attempts: Attempts,
        settings: Config,
        sagemaker: SageMaker,
        log: RequestLog,
        *,
        is_buffered: bool,
    ) -> None:
        body = event.get("body") or ""
        self._is_small = len(body) <= MAX_PAYLOAD_BYTES
        # Not to keep a body that is not sent.
        self._event = event if self._is_small else {}
        self._attempts, self._settings, self._sagemaker, self._log = attempts, settings, sagemaker, log
        self._is_buffered = is_buffered
        self._thread: Thread | None = None
        self._lock = Lock()
        attempts.on_begin = self._begin

    def follow(self, response: Response) -> Response:
        """The response, behind whose first part the copy is handed over."""
        if self._is_wanted():
            if self.is_due:
                self._log.add(mirrored=self._is_small)
            response.body = _Followed(response.body, self, self._log)
        else:
            self._event = {}
        return response

    @property
    def is_due(self) -> bool:
        """Whether the copy is to be handed over, and has not been yet."""
        return self._attempts.has_begun and self._thread is None

    def start(self) -> None:
        """Hand the copy over, without waiting for it."""
        with self._lock:
            if not self.is_due:
                return
            self._thread = Thread(target=self._hand_over, daemon=True)
        self._log.add(mirrored=self._is_small)
        self._thread.start()

    def finish(self) -> None:
        """Wait a moment for the hand-over, now that the response is complete."""
        if self._is_wanted():
            self.start()
        if self._thread is not None:
            self._thread.join(BUFFERED_SECONDS if self._is_buffered else HANDOVER_SECONDS)

    def _is_wanted(self) -> bool:
        model = self._attempts.model
        return model is not None and is_mirrored(model, self._log.request_id)

    def _begin(self) -> None:
        """An endpoint has begun to respond, so that the request is one that it can read."""
        if self._is_buffered and self._is_wanted():
            self.start()

    def _hand_over(self) -> None:
        name = "" if self._attempts.model is None else self._attempts.model.name
        try:
            payload = self._payload(name) if self._is_small else b""
            if not self._is_small or len(payload) > MAX_PAYLOAD_BYTES:
                self._count_too_large(name)
                return
            function = self._settings.mirror_function or ""
            status, code = self._sagemaker.invoke_function(function, payload, time.time() + HANDOVER_SECONDS)
        except ApiError as error:
            self._report(name, str(error.log_detail))
        except Exception as defect:  # noqa: BLE001 - the client has its response
            self._report(name, type(defect).__name__)
        else:
            if status == _TOO_LARGE:
                self._count_too_large(name)
            elif status != _ACCEPTED:
                self._report(name, f"Invoke: {code.partition(':')[0][:64] or status}")

    def _payload(self, name: str) -> bytes:
        event = self._event
        sent = event.get("multiValueHeaders") or {key: [value] for key, value in (event.get("headers") or {}).items()}
        headers = {key.lower(): values for key, values in sent.items() if key.lower() in _HEADERS}
        context = {"requestId": self._log.request_id}
        kept = {member: event[member] for member in _MEMBERS if member in event}
        return compact({**kept, "multiValueHeaders": headers, "requestContext": context, "mirror": {"model": name}})

    def _report(self, name: str, cause: str) -> None:
        write_line(self._line(name, "WARN", "The request was not mirrored.") | {"cause": cause})

    def _count_too_large(self, name: str) -> None:
        line = self._line(name, "INFO", "The request is too large to be mirrored.") | {"MirrorsTooLarge": 1}
        write_line({**line, "_aws": embedded_metrics([["FrontDoor", "Mirror"]], {"MirrorsTooLarge": "Count"})})

    def _line(self, name: str, level: str, message: str) -> dict[str, Any]:
        known = {"request_id": self._log.request_id, "FrontDoor": os.environ.get("FRONT_DOOR"), "Mirror": name}
        return {"level": level, "message": message, **{key: value for key, value in known.items() if value}}


class _Followed:
    """A body that hands a copy over when its first part has been sent."""

    def __init__(self, body: Iterable[bytes], copy: Copy, log: RequestLog) -> None:
        self._body, self._copy, self._log = body, copy, log

    def __iter__(self) -> Iterator[bytes]:
        if isinstance(self._body, list):
            self._log.write()  # other bodies write the line at their end
        parts = iter(self._body)
        for part in parts:
            yield part
            if self._copy.is_due:
                self._copy.start()
                break
        yield from parts

    def close(self) -> None:
        """Release what the body holds, and wait a moment for the hand-over: the client has its response."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
        self._copy.finish()


def answer_copy(event: dict[str, Any], settings: Config, log: RequestLog, handle: Callable[[], Response]) -> Response:
    """Read the answer to a copy to its end, and drop it; its status, times and token counts are in the log line.

    Args:
        event: The proxy event, with `{"mirror": {"model": name}}`.
        settings: The front door's.
        log: The line.
        handle: Responds to the event by the endpoint that gets copies.
    """
    mirror = event.get("mirror")
    model = settings.models.get(str(mirror.get("model"))) if isinstance(mirror, dict) else None
    if model is None or model.routing is None or model.routing.mirror is None:
        # Such as one that was queued before a deployment took the mirror away.
        write_line({"level": "WARN", "message": "The event is no copy for a mirror.", "request_id": log.request_id})
        return json_response({})
    log.meter_copy(model.name)
    for _ in handle().body:
        pass
    return json_response({})
