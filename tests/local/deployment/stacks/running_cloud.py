"""A control plane with a data plane: stacks whose functions and containers run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from local.cloud import Cloud
from local.deployment.control_plane import ControlPlane
from local.hosting import ScalingTimes
from local.listening import listen
from local.processes import ChildProcesses
from tests.local.deployment import deployments

TRUST = {
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]
}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}}
# Answers as its resource's properties say, and writes each request to its log.
HANDLER = """
import json, urllib.request

def handler(event, context):
    print("request " + json.dumps(event), flush=True)
    properties = event["ResourceProperties"]
    if properties.get("Fails") == event["RequestType"]:
        raise RuntimeError("no answer")
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": event.get("PhysicalResourceId", "probe-1")}
    answer |= json.loads(properties.get(event["RequestType"], "{}"))
    body = properties.get("Body", json.dumps(answer)).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], body, method="PUT"), timeout=10)
"""


class RunningCloud:
    """A control plane and its data plane.

    Args:
        plane: The control plane.
        cloud: The data plane.
        log: What the data plane has logged.
    """

    def __init__(self, plane: ControlPlane, cloud: Cloud, log: list[str]) -> None:
        self.plane = plane
        self.cloud = cloud
        self.log = log

    async def create(self, template: dict[str, Any], name: str = "S") -> None:
        """Creates a stack."""
        await asyncio.to_thread(deployments.create, self.plane, template, name)

    async def update(self, template: dict[str, Any], name: str = "S") -> None:
        """Updates a stack."""
        await asyncio.to_thread(deployments.update, self.plane, template, name)

    async def delete(self, name: str = "S") -> None:
        """Deletes a stack."""
        await asyncio.to_thread(deployments.delete, self.plane, name)

    async def events(self, name: str = "S") -> list[tuple[str, str, str]]:
        """The events of a stack."""
        return await asyncio.to_thread(deployments.events, self.plane, name)

    async def status(self, name: str = "S") -> str:
        """The status of a stack."""
        return await asyncio.to_thread(deployments.status_of, self.plane, name)

    def requests(self) -> list[dict[str, Any]]:
        """What custom resource functions were asked, in order."""
        return [json.loads(line.removeprefix("request ")) for line in self.log if line.startswith("request ")]


@asynccontextmanager
async def running(
    folder: Path, *, stacks: tuple[str, ...] = ("S",), speed: float = 3600
) -> AsyncIterator[RunningCloud]:
    """A control plane and its data plane, as long as the block runs."""
    log: list[str] = []
    with ControlPlane() as plane:
        async with ChildProcesses(folder) as children:
            times = ScalingTimes(speed=speed, start_seconds=0.1)
            async with Cloud(plane, stacks, children, listen(0), times=times, log=log.append) as cloud:
                yield RunningCloud(plane, cloud, log)


def play(folder: Path, script: Callable[[RunningCloud], Awaitable[None]], *, speed: float = 3600) -> None:
    """Runs a script with a running cloud."""

    async def run() -> None:
        async with running(folder, speed=speed) as cloud:
            await script(cloud)

    asyncio.run(run())


def function(code: str = HANDLER, **variables: str) -> dict[str, Any]:
    """A function with its source in the template."""
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Code": {"ZipFile": code},
            "Handler": "index.handler",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Runtime": "python3.13",
            "Timeout": 30,
            "Environment": {"Variables": variables},
        },
    }


def probe(**properties: Any) -> dict[str, Any]:
    """A custom resource of the function `Function`.

    `Create`, `Update` and `Delete` are dictionaries that change its answer to that request.
    """
    text = {name: json.dumps(value) if isinstance(value, Mapping) else value for name, value in properties.items()}
    return {"Type": "Custom::Probe", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, **text}}


def with_probe(**properties: Any) -> dict[str, Any]:
    """A template with a function and a custom resource."""
    return {"Resources": {"Probe": probe(**properties), "Function": function(), "Role": ROLE}}
