"""One line of JSON in the log per request: what it was and how it went, never its content.

The same line carries CloudWatch metrics in the embedded metric format: the fields in PascalCase are metrics and their
dimensions. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import os
import re
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from front_door.errors import ApiError

NAMESPACE = "TgiEndpoint/FrontDoor"
UNITS = {
    "Requests": "Count",
    "ClientErrors": "Count",
    "ServerErrors": "Count",
    "Retries": "Count",
    "Fallbacks": "Count",
    "Refused": "Count",
    "StoreFailures": "Count",
    "PromptTokens": "Count",
    "GeneratedTokens": "Count",
    "TimeToFirstToken": "Milliseconds",
    "TokensPerSecond": "Count/Second",
    "UpstreamTime": "Milliseconds",
    "Duration": "Milliseconds",
}
_REASON = re.compile(r"[a-z_]{1,20}|None")
_MAX_NAME = 63
_MAX_COUNT = 2**53  # from here on a JSON number is not exact for every reader


class RequestLog:
    """Collects the fields of a request's line.

    Args:
        event: The proxy event, for the ids in its `requestContext`.
        request_id: Lambda's id of the invocation.

    Attributes:
        request_id: API Gateway's id of the request.
        consumer: The caller, as far as it is known.
        client_request_id: The client's own id of the request, if any: its `Idempotency-Key` or `X-Request-Id`.
        on_write: Called before the line is written, to add what is known only then.
    """

    def __init__(self, event: dict[str, Any], request_id: str) -> None:
        context = event.get("requestContext") or {}
        self._started = time.perf_counter()
        self._first_token: float | None = None
        self._is_metered = True
        self.request_id = str(context.get("requestId") or request_id)
        self.consumer = _consumer(context)
        self.client_request_id: str | None = None
        self.on_write: Callable[[], None] | None = None
        self._copied_model: str | None = None
        self._fields: dict[str, Any] = {
            "level": "INFO",
            "request_id": self.request_id,
            "lambda_request_id": request_id,
            "consumer": self.consumer,
            "FrontDoor": os.environ.get("FRONT_DOOR"),
            "Requests": 1,
            "Retries": 0,
        }

    def add(self, **fields: object) -> None:
        """Add fields; values are names, numbers and ids, never text of a request or a response."""
        self._fields.update(fields)

    def name_consumer(self, name: str) -> None:
        """Put the consumer's name in place of the id of its API key, of which it may have several."""
        self.add(consumer=name, api_key_id=self.consumer)
        self.consumer = name

    def add_store_failure(self, cause: str) -> None:
        """Add that the consumer's tokens could not be counted, and why."""
        self.add(level="WARN", StoreFailures=1, store_failure=cause)

    @property
    def tokens(self) -> tuple[int | None, int | None]:
        """The token counts of the prompt and the response, as far as the model has reported them."""
        return self._fields.get("PromptTokens"), self._fields.get("GeneratedTokens")

    @property
    def error(self) -> str | None:
        """The kind of the error that the request has ended with."""
        return self._fields.get("error")

    def set_client_request_id(self, client_request_id: str | None) -> None:
        """Add the client's own id of the request."""
        self.client_request_id = client_request_id
        self.add(client_request_id=client_request_id)

    def leave_unmetered(self) -> None:
        """Keep the request out of the metrics, and out of what sums up lines by `Requests`: it is no client's."""
        self._is_metered = False
        del self._fields["Requests"]

    def meter_copy(self, model: str) -> None:
        """Put the request's metrics apart from those of clients: it is a copy for the mirror of a model."""
        self._copied_model = model

    def mark_first_token(self) -> None:
        """Add the time to the first token: the model has begun to respond."""
        if self._first_token is None:
            self._first_token = self._elapsed()
            self.add(TimeToFirstToken=self._first_token)

    def add_upstream_time(self, milliseconds: float) -> None:
        """Add how long the model took; of concurrent requests the longest counts."""
        self.add(UpstreamTime=max(round(milliseconds, 1), self._fields.get("UpstreamTime", 0)))

    def add_variant(self, name: str | None) -> None:
        """Add the production variant that answered; of several requests to the model, all that did, with commas."""
        if name:
            known = self._fields.get("variant", name[:_MAX_NAME]).split(",")
            self.add(variant=",".join(sorted({*known, name[:_MAX_NAME]})))

    def add_refusal(self, target: str | None, error: ApiError) -> None:
        """Add a target that has not taken the request, and why; forget what concerned it alone."""
        self._fields.setdefault("refused", []).append(
            {"target": target, "error": error.kind, "cause": error.log_detail}
        )
        for name in ("variant", "streamed", "UpstreamTime"):
            self._fields.pop(name, None)

    def add_tokens(self, *, prompt: object, generated: object) -> None:
        """Add the token counts of the prompt and the response, as the model reported them; ignores what is no count."""
        self.add(PromptTokens=_count(prompt), GeneratedTokens=_count(generated))
        generated = _count(generated)
        if generated is not None and generated > 1 and self._first_token is not None:
            seconds = (self._elapsed() - self._first_token) / 1000
            if seconds > 0:
                self.add(TokensPerSecond=round((generated - 1) / seconds, 1))

    def add_cached_tokens(self, usage: dict[str, Any]) -> None:
        """Add how many tokens of the prompt the server had cached, if its `usage` says so."""
        details = usage.get("prompt_tokens_details")
        self.add(cached_tokens=_count(details.get("cached_tokens")) if isinstance(details, dict) else None)

    def add_error(self, error: ApiError) -> None:
        """Add an error by its kind and detail, without its message: a container may have quoted the prompt."""
        level = "ERROR" if error.status in (500, 502) else "WARN"
        self.add(level=level, error=error.kind, error_status=error.status, cause=error.log_detail)

    def add_defect(self, error: BaseException) -> None:
        """Add an unexpected exception by its type and place, without its message as well."""
        frames = traceback.extract_tb(error.__traceback__)
        place = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
        self.add(level="ERROR", error="internal", error_status=500, cause=type(error).__name__, traceback=place)

    def write(self) -> None:
        """Write the line to standard output, where Lambda collects it."""
        if self.on_write is not None:
            self.on_write()
        status = self._fields.get("error_status") or self._fields.get("status") or 0
        self.add(Duration=self._elapsed())
        if self._is_metered:
            self.add(ClientErrors=int(400 <= status < 500), ServerErrors=int(status >= 500))
        if not _REASON.fullmatch(str(self._fields.get("finish_reason"))):
            self.add(finish_reason="unknown")  # reported by a model, so it could be any text
        if self._copied_model is not None:
            self.add(Model=None, Mirror=self._copied_model)
        line = {name: value for name, value in self._fields.items() if value is not None}
        write_line(line | ({"_aws": _metrics(line)} if self._is_metered else {}))

    def _elapsed(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 1)


def write_line(line: dict[str, Any]) -> None:
    """Write a line at once, as another thread may write one too."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def report_store_failure(request_id: str, consumer: str, cause: str) -> None:
    """Write that a request was not settled, so that all that it has taken counts as used."""
    line: dict[str, Any] = {
        "level": "WARN",
        "message": "The tokens of a request were not corrected.",
        "request_id": request_id,
        "consumer": consumer,
        "cause": cause,
        "StoreFailures": 1,
    }
    if front_door := os.environ.get("FRONT_DOOR"):
        metrics = embedded_metrics([["FrontDoor"]], {"StoreFailures": "Count"})
        line |= {"FrontDoor": front_door, "_aws": metrics}
    write_line(line)


def embedded_metrics(dimensions: list[list[str]], units: dict[str, str]) -> dict[str, Any]:
    """The member `_aws` of a line with these metrics; each dimension and metric is another member."""
    metrics = [{"Name": name, "Unit": unit} for name, unit in units.items()]
    directive = {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics}
    return {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < _MAX_COUNT else None


def _metrics(line: dict[str, Any]) -> dict[str, Any]:
    """The embedded metrics: for the whole front door, and for each model; those of copies for their mirror alone."""
    dimensions = [["FrontDoor"], ["FrontDoor", "Model"]] if "Model" in line else [["FrontDoor"]]
    if "Mirror" in line:
        dimensions = [["FrontDoor", "Mirror"]]
    metrics = embedded_metrics(dimensions, {name: unit for name, unit in UNITS.items() if name in line})
    if "Limit" in line:
        by_limit = embedded_metrics([["FrontDoor", "Limit"]], {"Refused": "Count"})
        metrics["CloudWatchMetrics"] += by_limit["CloudWatchMetrics"]
    return metrics if "FrontDoor" in line else {**metrics, "CloudWatchMetrics": []}


def _consumer(context: dict[str, Any]) -> str | None:
    """The caller: the id of its API key, its name from an authorizer, or its ARN; never a secret."""
    identity, authorizer = context.get("identity") or {}, context.get("authorizer") or {}
    known = identity.get("apiKeyId") or authorizer.get("principalId") or (authorizer.get("claims") or {}).get("sub")
    found = known or identity.get("userArn")
    return None if found is None else str(found)
