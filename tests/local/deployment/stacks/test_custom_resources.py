"""Custom resources: what their functions are asked, and what becomes of the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.deployment.stacks.custom_resources import as_strings
from tests.local.deployment.deployments import StackFailedError
from tests.local.deployment.stacks.running_cloud import RunningCloud, play, with_probe

pytestmark = pytest.mark.xdist_group("control_plane")


def test_the_function_is_asked_to_create_update_and_delete(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        template = with_probe(Count=3, On=True, List=[1, {"Deep": False}])
        await cloud.create(template)
        template["Resources"]["Probe"]["Properties"]["Count"] = 4
        await cloud.update(template)
        stack_id = cloud.plane.client("cloudformation").describe_stacks()["Stacks"][0]["StackId"]
        await cloud.delete()
        created, updated, deleted = cloud.requests()
        token = created["ServiceToken"]
        assert token.startswith("arn:aws:lambda:us-east-1:123456789012:function:S-Function-")
        properties = {"ServiceToken": token, "Count": "3", "On": "true", "List": ["1", {"Deep": "false"}]}
        for request in (created, updated, deleted):
            assert request.pop("ResponseURL").startswith("http://127.0.0.1:")
        ids = [request.pop("RequestId") for request in (created, updated, deleted)]
        assert len(set(ids)) == 3
        common = {
            "ServiceToken": token,
            "StackId": stack_id,
            "ResourceType": "Custom::Probe",
            "LogicalResourceId": "Probe",
        }
        assert created == {**common, "RequestType": "Create", "ResourceProperties": properties}
        changed = {**properties, "Count": "4"}
        assert updated == {
            **common,
            "RequestType": "Update",
            "PhysicalResourceId": "probe-1",
            "ResourceProperties": changed,
            "OldResourceProperties": properties,
        }
        assert deleted == {
            **common,
            "RequestType": "Delete",
            "PhysicalResourceId": "probe-1",
            "ResourceProperties": changed,
        }

    play(tmp_path, script)


def test_get_att_reads_the_data_and_ref_the_physical_id(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        template = with_probe(Create={"PhysicalResourceId": "own-id", "Data": {"Answer": "42"}})
        template["Outputs"] = {
            "Id": {"Value": {"Ref": "Probe"}},
            "Answer": {"Value": {"Fn::GetAtt": ["Probe", "Answer"]}},
        }
        await cloud.create(template)
        assert outputs(cloud) == {"Id": "own-id", "Answer": "42"}

    play(tmp_path, script)


def outputs(cloud: RunningCloud) -> dict[str, str]:
    (stack,) = cloud.plane.client("cloudformation").describe_stacks(StackName="S")["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def test_no_echo_hides_the_data_in_outputs_alone(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        template = with_probe(Create={"NoEcho": True, "Data": {"Answer": "42"}})
        answer = {"Fn::GetAtt": ["Probe", "Answer"]}
        template["Outputs"] = {"Answer": {"Value": answer}}
        template["Resources"]["Parameter"] = {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "answer", "Type": "String", "Value": answer},
        }
        await cloud.create(template)
        assert outputs(cloud) == {"Answer": "*****"}
        assert cloud.plane.client("ssm").get_parameter(Name="answer")["Parameter"]["Value"] == "42"

    play(tmp_path, script)


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        (
            {"Create": {"Status": "FAILED", "Reason": "no tokens came back"}},
            "Received response status [FAILED] from custom resource. Message returned: no tokens came back (Req",
        ),
        ({"Create": {"Status": "FAILED"}}, "Invalid Response object: Reason must be given when Status is FAILED."),
        ({"Create": {"Status": "success"}}, "Invalid Response object: Status must be SUCCESS or FAILED."),
        ({"Create": {"PhysicalResourceId": ""}}, "Invalid PhysicalResourceId"),
        ({"Create": {"PhysicalResourceId": "x" * 1025}}, "Invalid PhysicalResourceId"),
        ({"Create": {"Data": {"Long": "x" * 4096}}}, "Response object is too long."),
        ({"Create": {"Data": [1]}}, "Invalid Response object: Data must be an object."),
        ({"Create": {"RequestId": "another"}}, "Invalid Response object: RequestId must be the one of the request."),
        ({"Create": {"StackId": "another"}}, "Invalid Response object: StackId must be the one of the request."),
        ({"Body": "no JSON"}, "Invalid Response object: it is not JSON."),
        ({"Body": "[]"}, "Invalid Response object: it is not a JSON object."),
        (
            {"Fails": "Create"},
            "CloudFormation did not receive a response from your custom resource. Please check your logs for ",
        ),
        ({"ServiceToken": "arn:aws:sns:us-east-1:1:topic"}, "ServiceToken=arn:aws:sns:us-east-1:1:topic: must be the "),
        (
            {"ServiceToken": "arn:aws:lambda:us-east-1:1:function:gone"},
            "Function not found: arn:aws:lambda:us-east-1:1:",
        ),
        ({"ServiceTimeout": 3601}, "ServiceTimeout=3601: must be an integer from 1 to 3600."),
    ],
)
def test_any_other_answer_fails_the_resource(tmp_path: Path, properties: dict[str, Any], reason: str) -> None:
    async def script(cloud: RunningCloud) -> None:
        with pytest.raises(StackFailedError) as caught:
            await cloud.create(with_probe(**properties))
        assert str(caught.value).startswith(f"Probe: {reason}")
        # A body that is no answer to the creation is none to the deletion either.
        assert await cloud.status() == ("ROLLBACK_FAILED" if "Body" in properties else "ROLLBACK_COMPLETE")

    play(tmp_path, script)


def test_a_function_that_fails_is_invoked_twice_more(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        with pytest.raises(StackFailedError):
            await cloud.create(with_probe(Fails="Create"))
        assert [request["RequestType"] for request in cloud.requests()] == ["Create"] * 3 + ["Delete"]
        assert len({request["RequestId"] for request in cloud.requests()}) == 2

    play(tmp_path, script)


def test_the_function_has_the_time_that_its_resource_says(tmp_path: Path) -> None:
    sleeps = "import time\ndef handler(event, context):\n    time.sleep(20)\n"

    async def script(cloud: RunningCloud) -> None:
        template = with_probe(ServiceTimeout=1)
        template["Resources"]["Function"]["Properties"]["Code"]["ZipFile"] = sleeps
        with pytest.raises(StackFailedError, match="CloudFormation did not receive a response"):
            await cloud.create(template)
        # Neither does it answer the request to delete what there may be.
        assert await cloud.status() == "ROLLBACK_FAILED"

    play(tmp_path, script)


def test_another_physical_id_is_another_resource_and_the_former_one_is_deleted(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        await cloud.create(with_probe(Version="1"))
        await cloud.update(with_probe(Version="2", Update={"PhysicalResourceId": "probe-2"}))
        *_, updated, deleted = cloud.requests()
        assert (updated["RequestType"], updated["PhysicalResourceId"]) == ("Update", "probe-1")
        assert (deleted["RequestType"], deleted["PhysicalResourceId"]) == ("Delete", "probe-1")
        assert deleted["ResourceProperties"]["Version"] == "1"
        statuses = [status for logical_id, status, _ in await cloud.events() if logical_id == "S"]
        assert statuses[-2:] == ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]

    play(tmp_path, script)


def test_properties_become_text() -> None:
    value = {"a": 1, "b": [True, 1.5, "x"], "c": {"d": False}}
    assert as_strings(value) == {"a": "1", "b": ["true", "1.5", "x"], "c": {"d": "false"}}
    assert json.dumps(value) == '{"a": 1, "b": [true, 1.5, "x"], "c": {"d": false}}', "the original stays"
