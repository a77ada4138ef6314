"""Wait conditions: what their handles take as a signal, and when a stack waits, goes on or fails."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from local.deployment.stacks.order import creation_order
from tests.local.deployment import deployments
from tests.local.deployment.deployments import StackFailedError
from tests.local.deployment.stacks.running_cloud import RunningCloud, play

pytestmark = pytest.mark.xdist_group("control_plane")

HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
SUCCESS = {"Status": "SUCCESS", "UniqueId": "job", "Reason": "", "Data": "12 files"}
FAILURE = {"Status": "FAILURE", "UniqueId": "job", "Reason": "a.safetensors: wrong bytes", "Data": ""}


def template(**properties: Any) -> dict[str, Any]:
    """A stack with a condition, and a parameter that comes after it."""
    condition = {"Handle": {"Ref": "Handle"}, "Timeout": "3600", **properties}
    after = {"Name": "data", "Type": "String", "Value": {"Fn::GetAtt": ["Condition", "Data"]}}
    return {
        "Resources": {
            "After": {"Type": "AWS::SSM::Parameter", "Properties": after},
            "Condition": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": condition},
            "Handle": HANDLE,
        }
    }


def signal(url: str, body: Any, *, method: str = "PUT", content_type: str = "") -> tuple[int, str]:
    """Sends a signal; returns the status and the body of the answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": content_type}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


async def handle(cloud: RunningCloud, logical_id: str = "Handle") -> str:
    """The URL of the handle, as soon as the condition waits."""
    async with asyncio.timeout(10):
        while True:
            events = await cloud.events()
            if any(event[:2] == (logical_id, "CREATE_COMPLETE") for event in events):
                break
            await asyncio.sleep(0.02)
    rows = await asyncio.to_thread(
        cloud.plane.client("cloudformation").describe_stack_resources, StackName="S", LogicalResourceId=logical_id
    )
    url: str = rows["StackResources"][0]["PhysicalResourceId"]
    return url


async def create(cloud: RunningCloud, body: dict[str, Any]) -> asyncio.Task[None]:
    """Begins to create a stack."""
    task = asyncio.create_task(cloud.create(body))
    async with asyncio.timeout(10):
        while not cloud.plane.client("cloudformation").list_stacks()["StackSummaries"]:
            await asyncio.sleep(0.02)
    return task


def test_the_stack_goes_on_when_the_signal_has_come_and_reads_its_data(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        creating = await create(cloud, template())
        url = await handle(cloud)
        assert url.startswith("http://127.0.0.1:")
        assert ("Condition", "CREATE_IN_PROGRESS", "") in await cloud.events()
        assert await cloud.status() == "CREATE_IN_PROGRESS"
        assert await asyncio.to_thread(signal, url, SUCCESS) == (200, "")
        await creating
        value = cloud.plane.client("ssm").get_parameter(Name="data")["Parameter"]["Value"]
        assert value == '{"job":"12 files"}'

    play(tmp_path, script, speed=1)


def test_a_failure_ends_the_creation_with_its_reason_and_a_later_signal_does_no_harm(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        creating = await create(cloud, template())
        url = await handle(cloud)
        await asyncio.to_thread(signal, url, FAILURE)
        with pytest.raises(StackFailedError) as caught:
            await creating
        reason = "WaitCondition received failed message: 'a.safetensors: wrong bytes' for uniqueId: job"
        assert str(caught.value) == f"Condition: {reason}"
        assert await asyncio.to_thread(signal, url, SUCCESS) == (200, "")
        assert await cloud.status() == "ROLLBACK_COMPLETE"

    play(tmp_path, script, speed=1)


def test_a_signal_with_the_same_id_is_a_retransmission(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        creating = await create(cloud, template(Count=2))
        url = await handle(cloud)
        await asyncio.to_thread(signal, url, SUCCESS)
        await asyncio.to_thread(signal, url, FAILURE)
        await asyncio.sleep(0.3)
        assert await cloud.status() == "CREATE_IN_PROGRESS"
        await asyncio.to_thread(signal, url, {**SUCCESS, "UniqueId": "other", "Data": "1"})
        await creating
        value = cloud.plane.client("ssm").get_parameter(Name="data")["Parameter"]["Value"]
        assert json.loads(value) == {"job": "12 files", "other": "1"}

    play(tmp_path, script, speed=1)


def test_without_a_signal_in_time_the_creation_fails(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        with pytest.raises(StackFailedError) as caught:
            await cloud.create(template())
        assert str(caught.value) == "Condition: WaitCondition timed out. Received 0 conditions when expecting 1"

    play(tmp_path, script)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        (SUCCESS, "application/json", 403, "The signature is for PUT and an empty Content-Type"),
        (b"done", "", 400, "The signal is not JSON."),
        ([], "", 400, "The signal is not a JSON object."),
        ({**SUCCESS, "Status": "success"}, "", 400, "Status='success': must be SUCCESS or FAILURE."),
        ({**SUCCESS, "UniqueId": ""}, "", 400, "UniqueId: must not be empty."),
        ({**SUCCESS, "Data": 1}, "", 400, "Data=1: must be text."),
        ({**SUCCESS, "Data": "x" * 4096}, "", 400, "a signal has at most 4096."),
    ],
)
def test_what_is_no_signal_is_refused_and_the_stack_waits_on(
    tmp_path: Path, body: Any, content_type: str, status: int, message: str
) -> None:
    async def script(cloud: RunningCloud) -> None:
        creating = await create(cloud, template())
        url = await handle(cloud)
        answer = await asyncio.to_thread(signal, url, body, content_type=content_type)
        assert answer[0] == status
        assert message in answer[1]
        assert any(message in line for line in cloud.log)
        assert await cloud.status() == "CREATE_IN_PROGRESS"
        await asyncio.to_thread(signal, url, SUCCESS)
        await creating

    play(tmp_path, script, speed=1)


def test_a_url_that_is_no_handle_takes_nothing(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        creating = await create(cloud, template())
        url = await handle(cloud)
        assert (await asyncio.to_thread(signal, f"{url}x", SUCCESS))[0] == 403
        assert (await asyncio.to_thread(signal, url, SUCCESS, method="POST"))[0] == 403
        await asyncio.to_thread(signal, url, SUCCESS)
        await creating

    play(tmp_path, script, speed=1)


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"Timeout": "43201"}, "Timeout=43201: must be an integer from 0 to 43200."),
        ({"Timeout": None}, "Timeout=None: must be an integer from 0 to 43200."),
        ({"Count": "0"}, "Count=0: must be an integer at least 1."),
        ({"Handle": "https://elsewhere"}, "Handle=https://elsewhere: must be the Ref of an AWS::CloudFormation::Wait"),
    ],
)
def test_a_condition_that_cannot_be_fails(tmp_path: Path, properties: dict[str, Any], reason: str) -> None:
    async def script(cloud: RunningCloud) -> None:
        with pytest.raises(StackFailedError) as caught:
            await cloud.create(template(**properties))
        assert str(caught.value).startswith(f"Condition: {reason}")

    play(tmp_path, script)


def test_neither_type_can_be_updated_and_a_new_pair_waits_anew(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        creating = await create(cloud, template())
        await asyncio.to_thread(signal, await handle(cloud), SUCCESS)
        await creating
        with pytest.raises(StackFailedError) as caught:
            await cloud.update(template(Timeout="60"))
        assert str(caught.value) == (
            "Condition: Update to resource type AWS::CloudFormation::WaitCondition is not supported."
        )
        body = template()
        resources = body["Resources"]
        resources["Handle2"] = HANDLE
        resources["Condition2"] = {**resources.pop("Condition")}
        resources["Condition2"]["Properties"] = {"Handle": {"Ref": "Handle2"}, "Timeout": "60"}
        del resources["Handle"], resources["After"]
        updating = asyncio.create_task(cloud.update(body))
        await asyncio.to_thread(signal, await handle(cloud, "Handle2"), SUCCESS)
        await updating
        assert ("Condition", "DELETE_COMPLETE", "") in await cloud.events()

    play(tmp_path, script, speed=1)


def test_a_stack_can_be_deleted_while_it_waits(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        creating = await create(cloud, template())
        await handle(cloud)
        await asyncio.to_thread(deployments.delete, cloud.plane, "S")
        with pytest.raises(Exception, match="does not exist"):
            await creating

    play(tmp_path, script, speed=1)


def test_what_needs_a_condition_comes_after_everything_that_may_signal_it() -> None:
    resources = {
        "Model": {"Type": "AWS::SageMaker::Model", "DependsOn": "Second"},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "DependsOn": "Model"},
        "Second": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": {"Handle": {"Ref": "SecondHandle"}}},
        "First": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": {"Handle": {"Ref": "FirstHandle"}}},
        "Starter": {"Type": "Custom::StagedWeights", "Properties": {"Handle": {"Ref": "FirstHandle"}}},
        "Next": {"Type": "Custom::StagedWeights", "DependsOn": "First"},
        "FirstHandle": HANDLE,
        "SecondHandle": HANDLE,
    }
    assert creation_order(resources) == [
        "FirstHandle",
        "Starter",
        "SecondHandle",
        "Second",
        "Model",
        "Alarm",
        "First",
        "Next",
    ]
