"""Another instance type for an endpoint that scales, deployed by the CDK CLI over the first one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from local.deployment.cdk_cli import ROOT, Cdk
from local.deployment.control_plane import ControlPlane
from local.deployment.deployed_scaling import read_scaling
from local.deployment.deployed_stack import read_deployment
from local.processes import ChildProcesses

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

APP = Path(__file__).parent / "replacing"


def test_a_new_endpoint_takes_over_scaling_and_front_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    before, after = asyncio.run(_deploy(tmp_path, "ml.g5.2xlarge", "ml.g6.2xlarge"))
    for found, instance in ((before, "ml.g5.2xlarge"), (after, "ml.g6.2xlarge")):
        (endpoint,) = found["endpoints"]
        assert found["endpoints"] == {endpoint: instance}, "nothing is left of the other one"
        assert found["scaled"] == [f"endpoint/{endpoint}/variant/AllTraffic"]
        assert found["called"] == [endpoint]
    assert before["endpoints"].keys() != after["endpoints"].keys()
    assert before["api"] == after["api"], "the URL stays"


async def _deploy(folder: Path, *instances: str) -> list[dict[str, Any]]:
    """Deploy the app with one instance type after the other; what there is after each."""
    found = []
    async with ChildProcesses(folder) as children:
        with ControlPlane() as plane:
            for instance in instances:
                cdk = Cdk(children, folder, plane.url, app=APP, context=[f"instance={instance}"])
                lines: list[str] = []
                await asyncio.gather(cdk.bootstrap(lines.append), cdk.synth(lines.append))
                await cdk.deploy(["Replacing"], lines.append)
                found.append(await asyncio.to_thread(_deployed, plane))
    return found


def _deployed(plane: ControlPlane) -> dict[str, Any]:
    sagemaker = plane.client("sagemaker")
    deployment = read_deployment(plane, ["Replacing"])
    endpoints = {}
    for each in sagemaker.list_endpoints()["Endpoints"]:
        described = sagemaker.describe_endpoint(EndpointName=each["EndpointName"])
        config = sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
        endpoints[each["EndpointName"]] = config["ProductionVariants"][0]["InstanceType"]
    return {
        "endpoints": endpoints,
        "scaled": [target.resource_id for target in read_scaling(plane).targets],
        "called": [model["endpoint_name"] for model in deployment.models().values()],
        "api": [each.physical_id for each in deployment.resources if each.type == "AWS::ApiGateway::RestApi"],
    }
