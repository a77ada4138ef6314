"""The `$context` of a request, for gateway responses and access logs."""

from __future__ import annotations

import json
import re
import time
import uuid
from base64 import b64encode
from datetime import UTC, datetime
from os import urandom
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.apigateway.api import RestApi

# What X-Ray's header may have: any other text of a client would be in the access log.
# https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
TRACE_FIELDS = {
    "Root": re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}"),
    "Parent": re.compile(r"[0-9a-f]{16}"),
    "Sampled": re.compile(r"[01?]"),
}
VARIABLE = re.compile(r"\$context((?:\.[A-Za-z_][A-Za-z0-9_-]*)+)|\$context\.\{([^}]+)\}")


class Context:
    """The `$context` variables by name, for example `identity.sourceIp`.

    Args:
        api: The API.
        trace_header: The client's `X-Amzn-Trace-Id`, if it sent one.
    """

    def __init__(self, api: RestApi, *, trace_header: str | None = None) -> None:
        self.started = time.time()
        self.request_id = str(uuid.uuid4())
        self.extended_id = b64encode(urandom(11)).decode().rstrip("=") + "="
        self.trace_id = _read_trace(trace_header or "") or _new_trace(self.started)
        moment = datetime.fromtimestamp(self.started, UTC)
        self.variables: dict[str, Any] = {
            "accountId": api.account,
            "apiId": api.id,
            "domainName": api.domain,
            "domainPrefix": api.id,
            "extendedRequestId": self.extended_id,
            "requestId": self.request_id,
            "requestTime": moment.strftime("%d/%b/%Y:%H:%M:%S %z"),
            "requestTimeEpoch": int(self.started * 1000),
            "stage": api.stage,
            "xrayTraceId": self.trace_id.removeprefix("Root=").split(";")[0],
        }

    def render(self, template: str) -> str:
        """Replaces each `$context.…` in the template of a body or header by its value, or by nothing."""
        return VARIABLE.sub(lambda found: self._text(found) or "", template)

    def render_log_line(self, log_format: str) -> str:
        """As `render`, with `-` for a variable that has no value, and with quotation marks and backslashes escaped.

        Source: DataBiosphere/azul issue 4348, lines of July 2024.
        """

        def replace(found: re.Match[str]) -> str:
            text = self._text(found)
            return "-" if text is None else json.dumps(text, ensure_ascii=False)[1:-1]

        return VARIABLE.sub(replace, log_format)

    def _text(self, found: re.Match[str]) -> str | None:
        value = self.variables.get((found[1] or found[2]).lstrip("."))
        return value if value is None or isinstance(value, str) else json.dumps(value)

    def fail(self, kind: str, message: str) -> None:
        """Sets the variables that describe an error."""
        self.variables |= {
            "error.responseType": kind,
            "error.message": message,
            "error.messageString": json.dumps(message),
        }

    def finish(self, *, status: int, length: int) -> None:
        """Sets the variables that are known only at the end of a request."""
        elapsed = int((time.time() - self.started) * 1000)
        self.variables |= {"status": status, "responseLength": length, "responseLatency": elapsed}


def _read_trace(header: str) -> str | None:
    """A client's trace as X-Ray writes it; None if it has no valid root."""
    given = dict(part.strip().partition("=")[::2] for part in header.split(";"))
    fields = {name: given[name] for name, form in TRACE_FIELDS.items() if form.fullmatch(given.get(name, ""))}
    return ";".join(f"{name}={value}" for name, value in fields.items()) if "Root" in fields else None


def _new_trace(moment: float) -> str:
    return f"Root=1-{int(moment):08x}-{urandom(12).hex()}"
