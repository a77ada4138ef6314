"""Calls the front door's application as the Lambda runtime does, and checks what is required of every response."""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from front_door import protocols
from front_door.app import App
from front_door.config import Config, Model
from front_door.protocols.messages.errors import ANTHROPIC
from front_door.protocols.openai.errors import OPENAI
from front_door.protocols.tgi.errors import TGI

from tests.conformance.stream_rules import check_message_events, check_response_events
from tests.robustness.fake_sagemaker import FakeSageMaker

FRONT_DOOR = "Stack/FrontDoor"
JSON = {"Content-Type": "application/json"}
_PROTOCOLS = (("tgi", TGI), ("openai", OPENAI), ("anthropic", ANTHROPIC))
_NAME = re.compile(r"^event: [a-z_.]+\n")
LLAMA = Model("llama", "llama-endpoint", "meta-llama/Llama-3.1-8B-Instruct", 6291456, facts={"counts_tokens": True})


@dataclass
class CheckedResponse:
    """A complete response, and what the function wrote in the meantime."""

    status: int
    headers: dict[str, str]
    body: bytes
    protocol: str
    out: str
    err: str
    seconds: float
    lines: list[dict[str, Any]] = field(default_factory=list)

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def line(self) -> dict[str, Any]:
        (line,) = self.lines
        return line

    @property
    def is_stream(self) -> bool:
        return self.headers.get("Content-Type") == "text/event-stream"

    def data(self) -> list[str]:
        """The data of each event, without comments; fails if the body has anything but whole events."""
        *events, rest = self.body.decode().split("\n\n")
        assert rest == "", f"incomplete event: {rest!r}"
        events = [_NAME.sub("", event) for event in events if event and not event.startswith(":")]
        assert all(event.startswith("data: ") and "\n" not in event for event in events), self.body
        return [event.removeprefix("data: ") for event in events]


@dataclass
class CheckedClient:
    """Sends requests to the application, which is in front of the fake SageMaker."""

    app: App
    sagemaker: FakeSageMaker

    def send(
        self, path: str, body: object = None, *, seconds: float = 30, has_defect: bool = False, **event: Any
    ) -> CheckedResponse:
        """Send a request and check the response.

        Args:
            path: The path.
            body: The body; anything but a string is encoded as JSON.
            seconds: The time until the function's deadline.
            has_defect: Whether the test has made the application fail.
            event: Members of API Gateway's event.
        """
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        proxy_event = {
            "httpMethod": "POST",
            "path": path,
            "headers": JSON,
            "body": text,
            "isBase64Encoded": False,
            "requestContext": {"requestId": "gateway-id", "identity": {"apiKeyId": "key-id"}},
            **event,
        }
        context: Any = SimpleNamespace(request_id="lambda-id", deadline=time.time() + seconds)
        out, err = io.StringIO(), io.StringIO()
        started = time.monotonic()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            response = self.app.handle(proxy_event, context)
            data = b"".join(response.body)
        resource = event.get("resource")
        routed_path = path if resource in (None, "/{proxy+}") else str(resource)
        protocol = protocol_of(routed_path)
        elapsed = time.monotonic() - started
        checked = CheckedResponse(
            response.status, response.headers, data, protocol, out.getvalue(), err.getvalue(), elapsed
        )
        check_response(checked, has_defect=has_defect)
        self.sagemaker.settle()
        return checked


def protocol_of(path: str) -> str:
    """The protocol of a path: `tgi`, `openai`, `anthropic`, or `responses`, whose streams are not OpenAI's others."""
    name = next(name for name, known in _PROTOCOLS if protocols.of(path) is known)
    return "responses" if path.endswith("/v1/responses") else name


def create_client(sagemaker: FakeSageMaker, *models: Model) -> CheckedClient:
    """Create a client of a front door with these models, by default one."""
    served = {model.name: model for model in models or (LLAMA,)}
    return CheckedClient(App(Config(served, sagemaker.url, sagemaker.url, "eu-west-1")), sagemaker)


def check_response(response: CheckedResponse, *, has_defect: bool = False) -> None:
    """Check what is required of every response: a body, a request id, one log line, an error body of its protocol.

    Args:
        response: The response.
        has_defect: Whether the test has made the application fail.
    """
    assert 200 <= response.status <= 599
    assert response.body, "API Gateway responds with 502 to an empty body"
    assert response.headers["x-request-id"] == "gateway-id"
    assert all(value.isprintable() and value.isascii() for pair in response.headers.items() for value in pair)
    assert response.err == ""
    response.lines = [parse_strict_json(line) for line in response.out.splitlines()]
    line = response.line
    assert line["status"] == response.status
    check_metrics(line)
    assert (line.get("error") == "internal") == has_defect, f"internal error: {line}"
    if response.status >= 400:
        assert response.headers["Content-Type"] == "application/json"
        check_error_body(response.json(), response.protocol)
        assert line["error"]


def check_error_body(body: Any, protocol: str) -> None:
    """Check that an error has the members of its protocol."""
    if protocol == "tgi":
        assert isinstance(body["error"], str), body
        assert body["error"], body
        assert isinstance(body["error_type"], str), body
    elif protocol == "anthropic":
        assert body.keys() == {"type", "error", "request_id"}, body
        assert body["type"] == "error", body
        assert body["request_id"], body
        assert body["error"].keys() == {"type", "message"}, body
        assert all(body["error"].values()), body
    else:
        error = body["error"]
        assert error.keys() >= {"message", "type", "param", "code"}, body
        assert isinstance(error["message"], str), body
        assert error["message"], body


def is_error(event: dict[str, Any]) -> bool:
    """Whether an event of a stream is an error."""
    return "error" in event or event.get("type") == "response.failed"


def check_error_event(event: dict[str, Any], protocol: str) -> None:
    """Check that the error in a stream has the members of its protocol."""
    if event.get("type") == "response.failed":
        error = event["response"]["error"]
        assert error.keys() == {"code", "message"}, event
        assert error["code"], event
        assert error["message"], event
        assert event["response"]["status"] == "failed", event
        return
    check_error_body(event, "openai" if protocol == "responses" else protocol)
    if protocol == "responses":
        assert event.keys() >= {"type", "code", "message", "param", "sequence_number"}, event


def check_order(objects: list[dict[str, Any]], protocol: str) -> None:
    """Check the order of the events of a protocol that has one."""
    if protocol == "responses":
        check_response_events(objects)
    elif protocol == "anthropic":
        check_message_events(objects)


def parse_strict_json(text: str) -> dict[str, Any]:
    """Parse a JSON object that conforms to RFC 8259, as CloudWatch requires."""

    def reject_constant(name: str) -> None:
        raise AssertionError(f"{name} is not JSON: {text}")

    value = json.loads(text, parse_constant=reject_constant)
    assert isinstance(value, dict)
    return value


def check_metrics(line: Mapping[str, Any]) -> None:
    """Check that a line is in CloudWatch's embedded metric format: metrics are numbers, dimensions short strings."""
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert isinstance(line["_aws"]["Timestamp"], int)
    names = [metric["Name"] for metric in directive["Metrics"]]
    assert {"Requests", "ClientErrors", "ServerErrors", "Duration"} <= set(names)
    for name in names:
        value = line[name]
        assert type(value) in (int, float), f"{name} is {value!r}"
        assert math.isfinite(value), f"{name} is {value!r}"
        assert abs(value) < 2**360, f"{name} is {value!r}"  # CloudWatch's limit
    assert [["FrontDoor"], ["FrontDoor", "Model"]][: len(directive["Dimensions"])] == directive["Dimensions"]
    for dimension in directive["Dimensions"][-1]:
        assert isinstance(line[dimension], str)
        assert 1 <= len(line[dimension]) <= 1024
