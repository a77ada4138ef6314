"""The handler, invoked as Lambda does, with doubles of the services that it calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from smoke_test import answer, models, stack
from smoke_test.handler import handler

from tests.lambda_.smoke_test.cloud_double import STACK_ID, CloudDouble

PROPERTIES = {
    "ServiceToken": "arn:aws:lambda:eu-west-1:111122223333:function:smoke",
    "ServiceTimeout": "600",
    "Function": "front-door",
    "Test": {"Models": ["llama"]},
    "Timeout": "500",
    "FrontDoorLogs": "Stack-Logs-1",
    "Logs": {"llama": "/aws/sagemaker/Endpoints/llama"},
    "Causes": {"llama": ["The memory is tight.", "The host's driver is too old.", "The image is another engine's."]},
}


@dataclass
class Deployment:
    """What CloudFormation asks for, and what the handler has logged."""

    cloud: CloudDouble
    capsys: pytest.CaptureFixture[str]

    def send(self, request_type: str = "Create", *, seconds: float = 60, **members: Any) -> None:
        """Invoke the handler; further members replace those of the event, and properties are added."""
        event = {
            "RequestType": request_type,
            "ResponseURL": self.cloud.response_url,
            "StackId": STACK_ID,
            "RequestId": "request-1",
            "ResourceType": "Custom::TgiEndpointSmokeTest",
            "LogicalResourceId": "SmokeTest",
            "ResourceProperties": {**PROPERTIES, **members.pop("properties", {})},
            **({} if request_type == "Create" else {"PhysicalResourceId": "physical-1"}),
            **members,
        }
        handler(
            {name: value for name, value in event.items() if value is not None},
            SimpleNamespace(get_remaining_time_in_millis=lambda: seconds * 1000),
        )

    def log(self) -> list[dict[str, Any]]:
        """The log lines since the last call."""
        return [json.loads(line) for line in self.capsys.readouterr().out.splitlines()]


@pytest.fixture(scope="session", autouse=True)
def _read_api_models() -> None:
    """The first clients read the models of the APIs, which takes longer than some tests last."""
    for service in ("lambda", "cloudformation"):
        boto3.client(service, region_name="eu-west-1")


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudDouble]:
    double = CloudDouble()
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", double.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", double.url)
    for name, value in {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    yield double
    double.close()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(models, "LONGEST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(models, "SHORTEST_ATTEMPT_SECONDS", 0.05)
    monkeypatch.setattr(stack, "SECONDS", 0.05)
    monkeypatch.setattr(stack, "PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(answer, "PAUSES_SECONDS", (0.01, 0.01, 0.01))


@pytest.fixture
def deployment(cloud: CloudDouble, capsys: pytest.CaptureFixture[str]) -> Deployment:
    return Deployment(cloud, capsys)
