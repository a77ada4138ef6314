"""Calls the front door's application as the Lambda runtime does, and holds every answer to what must be true of any."""

from __future__ import annotations

import contextlib
import io
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from front_door.app import App
from front_door.config import Config, Model
from front_door.protocols.base import protocol_of

from tests.robustness.fake_sagemaker import FakeSageMaker

FUNCTION_NAME = "a-door"
JSON = {"Content-Type": "application/json"}
LLAMA = Model("llama", "llama-endpoint", "meta-llama/Llama-3.1-8B-Instruct", 6291456)


@dataclass
class CheckedResponse:
    """An answer that was read to its end, and what the function wrote meanwhile."""

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
        """The data of each event, without the comments; what is not an event fails."""
        *events, rest = self.body.decode().split("\n\n")
        assert rest == "", f"half an event: {rest!r}"
        told = [event for event in events if event and not event.startswith(":")]
        assert all(event.startswith("data: ") and "\n" not in event for event in told), self.body
        return [event.removeprefix("data: ") for event in told]


@dataclass
class CheckedClient:
    """The application with one model, and the double that serves it."""

    app: App
    sagemaker: FakeSageMaker

    def ask(
        self, path: str, body: object = None, *, seconds: float = 30, has_defect: bool = False, **event: Any
    ) -> CheckedResponse:
        """Send a request; a body that is no text is sent as JSON, and members of the event may be given."""
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
            told = b"".join(response.body)
        resource = event.get("resource")
        told_path = path if resource in (None, "/{proxy+}") else str(resource)
        protocol = "openai" if protocol_of(told_path).end_of_stream else "tgi"
        elapsed = time.monotonic() - started
        response = CheckedResponse(
            response.status, response.headers, told, protocol, out.getvalue(), err.getvalue(), elapsed
        )
        check_response(response, has_defect=has_defect)
        self.sagemaker.settle()
        return response


def create_client(sagemaker: FakeSageMaker, *models: Model) -> CheckedClient:
    """A door for some models, by default one, that are all behind the double."""
    served = {model.name: model for model in models or (LLAMA,)}
    return CheckedClient(App(Config(served, sagemaker.url, sagemaker.url, "eu-west-1")), sagemaker)


def check_response(response: CheckedResponse, *, has_defect: bool = False) -> None:
    """What is true of every answer: it is one, it has an id and one log line, and an error is told in its protocol.

    Args:
        answered: The answer.
        has_defect: Whether the test has put a defect into the application.
    """
    assert 200 <= response.status <= 599
    assert response.body, "API Gateway would make a 502 of it"
    assert response.headers["x-request-id"] == "gateway-id"
    assert all(value.isprintable() and value.isascii() for pair in response.headers.items() for value in pair)
    assert response.err == ""
    response.lines = [strict(line) for line in response.out.splitlines()]
    line = response.line
    assert line["status"] == response.status
    check_metrics(line)
    assert (line.get("error") == "internal") == has_defect, f"a defect of ours: {line}"
    if response.status >= 400:
        assert response.headers["Content-Type"] == "application/json"
        check_error_body(response.json(), response.protocol)
        assert line["error"]


def check_error_body(told: Any, protocol: str) -> None:
    """Hold the JSON of an error against the protocol's words for it."""
    if protocol == "tgi":
        assert isinstance(told["error"], str), told
        assert told["error"], told
        assert isinstance(told["error_type"], str), told
    else:
        error = told["error"]
        assert error.keys() >= {"message", "type", "param", "code"}, told
        assert isinstance(error["message"], str), told
        assert error["message"], told


def strict(text: str) -> dict[str, Any]:
    """One JSON object as RFC 8259 has it, which CloudWatch reads."""

    def constant(name: str) -> None:
        raise AssertionError(f"{name} is no JSON: {text}")

    value = json.loads(text, parse_constant=constant)
    assert isinstance(value, dict)
    return value


def check_metrics(line: Mapping[str, Any]) -> None:
    """Hold a line against CloudWatch's embedded metric format: each metric is a number, each dimension a short text."""
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert isinstance(line["_aws"]["Timestamp"], int)
    names = [metric["Name"] for metric in directive["Metrics"]]
    assert {"Requests", "ClientErrors", "ServerErrors", "Duration"} <= set(names)
    for name in names:
        value = line[name]
        assert type(value) in (int, float), f"{name} is {value!r}"
        assert math.isfinite(value), f"{name} is {value!r}"
        assert abs(value) < 2**360, f"{name} is {value!r}"  # what CloudWatch takes
    assert [["Door"], ["Door", "Model"]][: len(directive["Dimensions"])] == directive["Dimensions"]
    for dimension in directive["Dimensions"][-1]:
        assert isinstance(line[dimension], str)
        assert 1 <= len(line[dimension]) <= 1024
