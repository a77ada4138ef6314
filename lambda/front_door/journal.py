"""One line of JSON in the log for each request: what it was and how it went, never what it said."""

import json
import sys
import time
import traceback
from typing import Any

from front_door.errors import Failure


class Journal:
    """Collects the fields of a request's line.

    Args:
        event: The proxy event, for the ids in its `requestContext`.
        request_id: Lambda's id of the invocation.
    """

    def __init__(self, event: dict[str, Any], request_id: str) -> None:
        context = event.get("requestContext") or {}
        self._started = time.perf_counter()
        self.request_id = str(context.get("requestId") or request_id)
        self._fields: dict[str, object] = {
            "level": "INFO",
            "request_id": self.request_id,
            "lambda_request_id": request_id,
            "api_key_id": (context.get("identity") or {}).get("apiKeyId"),
        }

    def note(self, **fields: object) -> None:
        """Add fields; values are names, numbers and ids, never text of a request or an answer."""
        self._fields.update(fields)

    def lap(self, name: str) -> None:
        """Note the milliseconds from the beginning until now."""
        self._fields[name] = self._elapsed()

    def failed(self, failure: Failure) -> None:
        """Note a failure by its kind and cause; its message stays out, a container may have quoted the prompt."""
        level = "ERROR" if failure.status in (500, 502) else "WARN"
        self.note(level=level, error=failure.kind, error_status=failure.status, cause=failure.cause)

    def crashed(self, error: BaseException) -> None:
        """Note a defect by its type and place; its message stays out as well."""
        frames = traceback.extract_tb(error.__traceback__)
        place = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
        self.note(level="ERROR", error="internal", cause=type(error).__name__, traceback=place)

    def write(self) -> None:
        """Write the line to standard output, where Lambda collects it."""
        self.lap("duration_ms")
        line = {name: value for name, value in self._fields.items() if value is not None}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    def _elapsed(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 1)
