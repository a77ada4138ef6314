"""Updates of endpoints that are served: containers, alarms, and what clients get meanwhile."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import local.cloud
from local.deployment.control_plane import REGION
from local.lambda_service.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from tests.local.deployment.deployments import StackFailedError
from tests.local.deployment.stacks.running_cloud import RunningCloud, play

pytestmark = [pytest.mark.xdist_group("control_plane")]

ROLE = "arn:aws:iam::123456789012:role/endpoint"
SECONDS = 60.0


def served(model: str = "own/one", *, instances: int = 2, **endpoint: Any) -> dict[str, Any]:
    """An endpoint with a model, and an alarm."""
    container = {"Image": "tgi:3.3.6", "Environment": {"HF_MODEL_ID": model}}
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InstanceType": "ml.g5.xlarge",
        "InitialInstanceCount": instances,
        "InitialVariantWeight": 1,
    }
    config = {"Fn::GetAtt": ["Config", "EndpointConfigName"]}
    alarm = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    return {
        "Resources": {
            "Model": {
                "Type": "AWS::SageMaker::Model",
                "Properties": {"ExecutionRoleArn": ROLE, "PrimaryContainer": container},
            },
            "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": [variant]}},
            "Endpoint": {
                "Type": "AWS::SageMaker::Endpoint",
                "Properties": {"EndpointName": "served", "EndpointConfigName": config, **endpoint},
            },
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
        }
    }


def rolled_back_by_alarm(wait: int) -> dict[str, Any]:
    return {
        "DeploymentConfig": {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {
                    "Type": "CANARY",
                    "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1},
                    "WaitIntervalInSeconds": wait,
                }
            },
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": {"Ref": "Alarm"}}]},
        }
    }


async def invoke(cloud: RunningCloud, session: aiohttp.ClientSession) -> int:
    """The status of an invocation."""
    url = f"{cloud.cloud.runtime_url}/endpoints/served/invocations"
    data = json.dumps({"inputs": "Hi", "parameters": {"max_new_tokens": 2}}).encode()
    request = AWSRequest("POST", url, {"Content-Type": "application/json"}, data)
    SigV4Auth(Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY), "sagemaker", REGION).add_auth(request)
    async with session.post(url, data=data, headers=dict(request.headers.items())) as response:
        await response.read()
        return response.status


def endpoint(cloud: RunningCloud) -> dict[str, Any]:
    found: dict[str, Any] = cloud.plane.client("sagemaker").describe_endpoint(EndpointName="served")
    return found


async def models(cloud: RunningCloud) -> list[str]:
    """The model of each container that serves, which it tells itself."""
    found = []
    async with aiohttp.ClientSession() as session:
        for container in cloud.cloud.hosting.endpoints.copies("served"):
            async with session.get(f"{container.url}/info") as response:
                found.append((await response.json())["model_id"])
    return found


@asynccontextmanager
async def asking(cloud: RunningCloud) -> AsyncIterator[list[int]]:
    """Invokes the endpoint again and again, as long as the block runs; the statuses."""
    found: list[int] = []

    async def ask() -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                found.append(await invoke(cloud, session))
                await asyncio.sleep(0.01)

    task = asyncio.create_task(ask())
    try:
        yield found
    finally:
        task.cancel()


def test_a_new_configuration_replaces_the_containers_without_a_failed_request(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        await cloud.create(served())
        before = endpoint(cloud)
        async with asking(cloud) as answers:
            await cloud.update(served("own/two"))
            count = len(answers)
            while len(answers) < count + 10:
                await asyncio.sleep(0.02)
        assert set(answers) == {200}
        assert await models(cloud) == ["own/two"] * 2
        after = endpoint(cloud)
        assert (after["EndpointArn"], after["EndpointStatus"]) == (before["EndpointArn"], "InService")
        configs = cloud.plane.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
        assert [config["EndpointConfigName"] for config in configs] == [after["EndpointConfigName"]]
        assert after["EndpointConfigName"] != before["EndpointConfigName"]
        await cloud.delete()
        assert cloud.cloud.hosting.endpoints.names() == []

    play(tmp_path, script)


def test_containers_that_exit_fail_the_update_and_the_former_ones_serve(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        await cloud.create(served())
        before = endpoint(cloud)
        template = served("own/two")
        container = template["Resources"]["Model"]["Properties"]["PrimaryContainer"]
        container["Environment"] |= {"MAX_INPUT_TOKENS": "100", "MAX_TOTAL_TOKENS": "50"}
        async with asking(cloud) as answers:
            with pytest.raises(StackFailedError, match=r"Endpoint: The container of the endpoint served exited with"):
                await cloud.update(template)
        assert set(answers) == {200}
        assert await models(cloud) == ["own/one"] * 2
        after = endpoint(cloud)
        assert after["FailureReason"].startswith("The container of the endpoint served exited with code ")
        assert {**after, "FailureReason": "", "LastModifiedTime": ""} == {
            **before,
            "FailureReason": "",
            "LastModifiedTime": "",
            "ResponseMetadata": after["ResponseMetadata"],
        }
        assert await cloud.status() == "UPDATE_ROLLBACK_COMPLETE"

    play(tmp_path, script)


def test_containers_that_exit_fail_the_creation(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        template = served()
        container = template["Resources"]["Model"]["Properties"]["PrimaryContainer"]
        container["Environment"] |= {"MAX_INPUT_TOKENS": "100", "MAX_TOTAL_TOKENS": "50"}
        with pytest.raises(StackFailedError, match=r"Endpoint: The container of the endpoint served exited with"):
            await cloud.create(template)
        assert await cloud.status() == "ROLLBACK_COMPLETE"
        assert cloud.plane.client("sagemaker").list_endpoints()["Endpoints"] == []

    play(tmp_path, script)


@pytest.mark.parametrize("when", ["before", "during"])
def test_an_alarm_rolls_the_update_back(tmp_path: Path, when: str) -> None:
    async def script(cloud: RunningCloud) -> None:
        await cloud.create(served(**rolled_back_by_alarm(3600)))
        cloudwatch = cloud.plane.client("cloudwatch")
        (described,) = cloudwatch.describe_alarms(AlarmNames=["S-Alarm"])["MetricAlarms"]
        assert described["MetricName"] == "Invocation5XXErrors"

        def set_alarm() -> None:
            cloudwatch.set_alarm_state(AlarmName="S-Alarm", StateValue="ALARM", StateReason="the test says so")

        before = endpoint(cloud)
        if when == "before":
            set_alarm()
        async with asking(cloud) as answers:
            updating = asyncio.create_task(cloud.update(served("own/two", **rolled_back_by_alarm(3600))))
            if when == "during":
                async with asyncio.timeout(SECONDS):
                    while sorted(await models(cloud)) != ["own/one", "own/two"]:
                        await asyncio.sleep(0.02)
                assert (await cloud.status(), endpoint(cloud)["EndpointStatus"]) == ("UPDATE_IN_PROGRESS", "Updating")
                await asyncio.to_thread(set_alarm)
            with pytest.raises(StackFailedError) as caught:
                await updating
        assert str(caught.value) == (
            "Endpoint: The update of the endpoint served was rolled back, as these alarms are in ALARM: S-Alarm."
        )
        assert set(answers) == {200}
        assert await models(cloud) == ["own/one"] * 2
        after = endpoint(cloud)
        assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", before["EndpointConfigName"])
        assert after["FailureReason"].endswith("in ALARM: S-Alarm.")
        assert await cloud.status() == "UPDATE_ROLLBACK_COMPLETE"

    play(tmp_path, script, speed=1)


def test_nothing_scales_the_endpoint_while_it_is_updated(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        await cloud.create(served(**rolled_back_by_alarm(3600)))
        (capacity,) = cloud.cloud.capacities
        async with asking(cloud) as answers:
            updating = asyncio.create_task(cloud.update(served("own/two", **rolled_back_by_alarm(3600))))
            async with asyncio.timeout(SECONDS):
                while sorted(await models(cloud)) != ["own/one", "own/two"]:
                    await asyncio.sleep(0.02)
            capacity.scale(0, "the test")
            assert (capacity.desired, sorted(await models(cloud))) == (2, ["own/one", "own/two"])
            set_alarm = partial(cloud.plane.client("cloudwatch").set_alarm_state, AlarmName="S-Alarm")
            await asyncio.to_thread(set_alarm, StateValue="ALARM", StateReason="the test says so")
            with pytest.raises(StackFailedError):
                await updating
        assert set(answers) == {200}
        capacity.scale(1, "the test")
        assert await models(cloud) == ["own/one"]

    play(tmp_path, script, speed=1)


def test_without_an_alarm_the_canary_becomes_everything(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        await cloud.create(served(**rolled_back_by_alarm(60)))
        await cloud.update(served("own/two", **rolled_back_by_alarm(60)))
        assert await models(cloud) == ["own/two"] * 2

    play(tmp_path, script)


def test_another_deployment_config_alone_starts_no_container(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        await cloud.create(served())
        before = cloud.cloud.hosting.endpoints.copies("served")
        await cloud.update(served(**rolled_back_by_alarm(60)))
        assert cloud.cloud.hosting.endpoints.copies("served") == before

    play(tmp_path, script)


@pytest.mark.parametrize(("retains", "count"), [(True, 2), (False, 1)])
def test_an_update_retains_what_scaling_has_made_of_the_count(tmp_path: Path, retains: bool, count: int) -> None:
    async def script(cloud: RunningCloud) -> None:
        template = served(instances=1, RetainAllVariantProperties=retains)
        template["Resources"]["Target"] = {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "DependsOn": "Endpoint",
            "Properties": {
                "ServiceNamespace": "sagemaker",
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                "ResourceId": "endpoint/served/variant/AllTraffic",
                "MinCapacity": 2,
                "MaxCapacity": 3,
            },
        }
        await cloud.create(template)
        async with asyncio.timeout(SECONDS):
            while len(await models(cloud)) < 2:
                await asyncio.sleep(0.02)
        del template["Resources"]["Target"]
        template["Resources"]["Model"]["Properties"]["PrimaryContainer"]["Environment"]["HF_MODEL_ID"] = "own/two"
        await cloud.update(template)
        assert await models(cloud) == ["own/two"] * count

    play(tmp_path, script)


def test_an_endpoint_that_an_update_adds_and_that_fails_does_not_keep_the_stack_from_rolling_back(
    tmp_path: Path,
) -> None:
    async def script(cloud: RunningCloud) -> None:
        await cloud.create(served())
        template = served()
        for name, resource in served("own/two")["Resources"].items():
            template["Resources"][f"Other{name}"] = json.loads(
                json.dumps(resource).replace('"Model"', '"OtherModel"').replace('"Config"', '"OtherConfig"')
            )
        template["Resources"]["OtherEndpoint"]["Properties"]["EndpointName"] = "other"
        container = template["Resources"]["OtherModel"]["Properties"]["PrimaryContainer"]
        container["Environment"] |= {"MAX_INPUT_TOKENS": "100", "MAX_TOTAL_TOKENS": "50"}
        with pytest.raises(StackFailedError, match="OtherEndpoint: The container of the endpoint other exited with"):
            await cloud.update(template)
        assert await cloud.status() == "UPDATE_ROLLBACK_COMPLETE"
        found = cloud.plane.client("sagemaker").list_endpoints()["Endpoints"]
        assert [(each["EndpointName"], each["EndpointStatus"]) for each in found] == [("served", "InService")]
        assert await models(cloud) == ["own/one"] * 2

    play(tmp_path, script)


def test_what_another_operation_has_deployed_meanwhile_keeps_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, begun, created = local.cloud.read_account, threading.Event(), threading.Event()

    def read_slowly(*arguments: Any) -> Any:
        account = read(*arguments)
        if not begun.is_set():
            begun.set()
            created.wait(2)
        return account

    async def script(cloud: RunningCloud) -> None:
        following = asyncio.create_task(asyncio.to_thread(cloud.plane.stacks.data_plane.follow, settled=False))
        await asyncio.to_thread(begun.wait)
        await cloud.create(served(instances=1))
        created.set()
        await following
        assert await models(cloud) == ["own/one"]

    monkeypatch.setattr("local.cloud.read_account", read_slowly)
    play(tmp_path, script)
