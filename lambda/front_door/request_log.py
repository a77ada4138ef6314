"""One line of JSON in the log for each request: what it was and how it went, never what it said.

The same line carries CloudWatch metrics in the embedded metric format: the fields in PascalCase are metrics and their
dimensions. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import os
import re
import sys
import time
import traceback
from typing import Any

from front_door.errors import Failure

NAMESPACE = "TgiEndpoint/FrontDoor"
UNITS = {
    "Requests": "Count",
    "ClientErrors": "Count",
    "ServerErrors": "Count",
    "Retries": "Count",
    "PromptTokens": "Count",
    "GeneratedTokens": "Count",
    "TimeToFirstToken": "Milliseconds",
    "TokensPerSecond": "Count/Second",
    "UpstreamTime": "Milliseconds",
    "Duration": "Milliseconds",
}
_REASON = re.compile(r"[a-z_]{1,20}|None")
_MOST = 2**53  # where a JSON number is no longer exact to all who read it


class Journal:
    """Collects the fields of a request's line.

    Args:
        event: The proxy event, for the ids in its `requestContext`.
        request_id: Lambda's id of the invocation.

    Attributes:
        request_id: API Gateway's id of the request.
        client_request_id: What the client calls the request, if it does: its `Idempotency-Key` or `X-Request-Id`.
    """

    def __init__(self, event: dict[str, Any], request_id: str) -> None:
        context = event.get("requestContext") or {}
        self._started = time.perf_counter()
        self._first_token: float | None = None
        self.request_id = str(context.get("requestId") or request_id)
        self.client_request_id: str | None = None
        self._fields: dict[str, Any] = {
            "level": "INFO",
            "request_id": self.request_id,
            "lambda_request_id": request_id,
            "consumer": _consumer(context),
            "Door": os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
            "Requests": 1,
            "Retries": 0,
        }

    def note(self, **fields: object) -> None:
        """Add fields; values are names, numbers and ids, never text of a request or an answer."""
        self._fields.update(fields)

    def called(self, client_request_id: str | None) -> None:
        """Note what the client calls its request."""
        self.client_request_id = client_request_id
        self.note(client_request_id=client_request_id)

    def first_token(self) -> None:
        """Note that the model has begun to answer."""
        if self._first_token is None:
            self._first_token = self._elapsed()
            self.note(TimeToFirstToken=self._first_token)

    def upstream(self, milliseconds: float) -> None:
        """Note how long the model took; of several at the same time the longest counts."""
        self.note(UpstreamTime=max(round(milliseconds, 1), self._fields.get("UpstreamTime", 0)))

    def tokens(self, *, prompt: object, generated: object) -> None:
        """Note the tokens of the prompt and of the answer, where the model told them; what is no number is none."""
        self.note(PromptTokens=_count(prompt), GeneratedTokens=_count(generated))
        generated = _count(generated)
        if generated is not None and generated > 1 and self._first_token is not None:
            seconds = (self._elapsed() - self._first_token) / 1000
            if seconds > 0:
                self.note(TokensPerSecond=round((generated - 1) / seconds, 1))

    def failed(self, failure: Failure) -> None:
        """Note a failure by its kind and cause; its message stays out, a container may have quoted the prompt."""
        level = "ERROR" if failure.status in (500, 502) else "WARN"
        self.note(level=level, error=failure.kind, error_status=failure.status, cause=failure.cause)

    def crashed(self, error: BaseException) -> None:
        """Note a defect by its type and place; its message stays out as well."""
        frames = traceback.extract_tb(error.__traceback__)
        place = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
        self.note(level="ERROR", error="internal", error_status=500, cause=type(error).__name__, traceback=place)

    def write(self) -> None:
        """Write the line to standard output, where Lambda collects it."""
        told = self._fields.get("error_status") or self._fields.get("status") or 0
        self.note(Duration=self._elapsed(), ClientErrors=int(400 <= told < 500), ServerErrors=int(told >= 500))
        if not _REASON.fullmatch(str(self._fields.get("finish_reason"))):
            self.note(finish_reason="unknown")  # a model's word, which could be anything
        line = {name: value for name, value in self._fields.items() if value is not None}
        sys.stdout.write(json.dumps({**line, "_aws": _metrics(line)}) + "\n")
        sys.stdout.flush()

    def _elapsed(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 1)


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < _MOST else None


def _metrics(line: dict[str, Any]) -> dict[str, Any]:
    """What CloudWatch makes metrics of: for the door as a whole, and for each model."""
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["Door"], ["Door", "Model"]] if "Model" in line else [["Door"]],
        "Metrics": [{"Name": name, "Unit": unit} for name, unit in UNITS.items() if name in line],
    }
    return {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive] if "Door" in line else []}


def _consumer(context: dict[str, Any]) -> str | None:
    """Who calls: the id of an API key, what an authorizer calls the caller, or the caller's ARN; never a secret."""
    identity, authorizer = context.get("identity") or {}, context.get("authorizer") or {}
    known = identity.get("apiKeyId") or authorizer.get("principalId") or (authorizer.get("claims") or {}).get("sub")
    found = known or identity.get("userArn")
    return None if found is None else str(found)
