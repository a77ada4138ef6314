"""Creation, update and deletion of stacks, and their rollbacks, event by event."""

from __future__ import annotations

import asyncio
import copy
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.cloudformation.exceptions import ValidationError

from local.deployment.control_plane import ControlPlane
from local.deployment.stacks.data_plane import NothingRuns
from local.deployment.stacks.state import ResourceFailure
from tests.local.deployment.deployments import (
    StackFailedError,
    create,
    delete,
    events,
    status_of,
    update,
)
from tests.local.deployment.stacks.running_cloud import RunningCloud, play, with_probe

pytestmark = pytest.mark.xdist_group("control_plane")

FAILED = {"Status": "FAILED", "Reason": "it does not work"}


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as running:
        yield running


def topics(**names: str) -> dict[str, Any]:
    """A template with a topic for each name."""
    return {
        "Resources": {
            logical_id: {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}
            for logical_id, name in names.items()
        }
    }


def broken(template: dict[str, Any], *after: str) -> dict[str, Any]:
    """A template with a resource that fails, after others."""
    changed = copy.deepcopy(template)
    entry = {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": [{"VariantName": "v"}]}}
    changed["Resources"]["Broken"] = {**entry, "DependsOn": list(after)}
    return changed


def names_of(plane: ControlPlane) -> set[str]:
    arns = [topic["TopicArn"] for topic in plane.client("sns").list_topics()["Topics"]]
    return {arn.rsplit(":", 1)[1] for arn in arns}


def stripped(plane: ControlPlane, name: str = "S") -> list[tuple[str, str]]:
    """The events without the creation's second event of each resource."""
    initiated = "Resource creation Initiated"
    return [(logical_id, status) for logical_id, status, reason in events(plane, name) if reason != initiated]


def test_a_failed_creation_deletes_what_it_has_created_in_the_opposite_order(plane: ControlPlane) -> None:
    template = broken(topics(One="one", Two="two"), "One", "Two")
    template["Resources"]["Two"]["DependsOn"] = "One"
    with pytest.raises(StackFailedError, match="Broken: Variant v has no ModelName: ExecutionRoleArn is required"):
        create(plane, template, "S")
    assert stripped(plane) == [
        ("S", "CREATE_IN_PROGRESS"),
        ("One", "CREATE_IN_PROGRESS"),
        ("One", "CREATE_COMPLETE"),
        ("Two", "CREATE_IN_PROGRESS"),
        ("Two", "CREATE_COMPLETE"),
        ("Broken", "CREATE_IN_PROGRESS"),
        ("Broken", "CREATE_FAILED"),
        ("S", "ROLLBACK_IN_PROGRESS"),
        ("Two", "DELETE_IN_PROGRESS"),
        ("Two", "DELETE_COMPLETE"),
        ("One", "DELETE_IN_PROGRESS"),
        ("One", "DELETE_COMPLETE"),
        ("S", "ROLLBACK_COMPLETE"),
    ]
    reasons = {(logical_id, status): reason for logical_id, status, reason in events(plane, "S")}
    assert reasons["S", "ROLLBACK_IN_PROGRESS"] == (
        "The following resource(s) failed to create: [Broken]. Rollback requested by user."
    )
    assert names_of(plane) == set()
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        update(plane, topics(One="one"), "S")
    delete(plane, "S")


def test_an_update_creates_changes_and_then_deletes(plane: ControlPlane) -> None:
    before = topics(Gone="gone", Kept="kept", Changed="changed")
    before["Outputs"] = {"Name": {"Value": {"Fn::GetAtt": ["Changed", "TopicName"]}}}
    create(plane, before, "S")
    since = len(events(plane, "S"))
    after = topics(Kept="kept", Changed="other", New="new")
    after["Outputs"] = before["Outputs"]
    update(plane, after, "S")
    assert stripped(plane)[since - 3 :] == [
        ("S", "UPDATE_IN_PROGRESS"),
        ("Changed", "UPDATE_IN_PROGRESS"),
        ("Changed", "UPDATE_COMPLETE"),
        ("New", "CREATE_IN_PROGRESS"),
        ("New", "CREATE_COMPLETE"),
        ("S", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Changed", "DELETE_IN_PROGRESS"),
        ("Changed", "DELETE_COMPLETE"),
        ("Gone", "DELETE_IN_PROGRESS"),
        ("Gone", "DELETE_COMPLETE"),
        ("S", "UPDATE_COMPLETE"),
    ]
    assert names_of(plane) == {"kept", "other", "new"}
    (stack,) = plane.client("cloudformation").describe_stacks(StackName="S")["Stacks"]
    assert stack["Outputs"][0]["OutputValue"] == "other"


def test_a_failed_update_restores_what_there_was(plane: ControlPlane) -> None:
    template = topics(Gone="gone", Changed="changed")
    template["Outputs"] = {"Name": {"Value": {"Fn::GetAtt": ["Changed", "TopicName"]}}}
    create(plane, template, "S")
    since = len(stripped(plane))
    with pytest.raises(StackFailedError, match="Broken: "):
        update(plane, broken(topics(Changed="other", New="new"), "Changed", "New"), "S")
    assert stripped(plane)[since:] == [
        ("S", "UPDATE_IN_PROGRESS"),
        ("Changed", "UPDATE_IN_PROGRESS"),
        ("Changed", "UPDATE_COMPLETE"),
        ("New", "CREATE_IN_PROGRESS"),
        ("New", "CREATE_COMPLETE"),
        ("Broken", "CREATE_IN_PROGRESS"),
        ("Broken", "CREATE_FAILED"),
        ("S", "UPDATE_ROLLBACK_IN_PROGRESS"),
        ("Changed", "UPDATE_IN_PROGRESS"),
        ("Changed", "UPDATE_COMPLETE"),
        ("S", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("New", "DELETE_IN_PROGRESS"),
        ("New", "DELETE_COMPLETE"),
        ("Changed", "DELETE_IN_PROGRESS"),
        ("Changed", "DELETE_COMPLETE"),
        ("S", "UPDATE_ROLLBACK_COMPLETE"),
    ]
    assert names_of(plane) == {"gone", "changed"}
    cloudformation = plane.client("cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName="S")["Stacks"]
    assert stack["Outputs"][0]["OutputValue"] == "changed"
    assert dict(cloudformation.get_template(StackName="S")["TemplateBody"]) == template
    update(plane, topics(Changed="other"), "S")
    assert names_of(plane) == {"other"}


def test_a_resource_with_a_name_is_not_replaced(plane: ControlPlane) -> None:
    variant = {"VariantName": "v", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1}
    properties = {"EndpointConfigName": "own", "ExecutionRoleArn": "arn", "ProductionVariants": [variant]}
    template = {"Resources": {"Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": properties}}}
    create(plane, template, "S")
    variant["InitialInstanceCount"] = 2
    with pytest.raises(StackFailedError, match="Config: CloudFormation cannot update a stack when a custom-named"):
        update(plane, template, "S")
    properties["EndpointConfigName"] = "other"
    update(plane, template, "S")
    configs = plane.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
    assert [config["EndpointConfigName"] for config in configs] == ["other"]


def test_an_update_without_a_change_is_refused(plane: ControlPlane) -> None:
    create(plane, topics(One="one"), "S")
    with pytest.raises(ClientError, match=r"No updates are to be performed\."):
        update(plane, topics(One="one"), "S")


def test_a_resource_to_retain_stays(plane: ControlPlane) -> None:
    template = topics(One="one", Two="two")
    template["Resources"]["One"]["DeletionPolicy"] = "Retain"
    create(plane, template, "S")
    delete(plane, "S")
    assert names_of(plane) == {"one"}


def test_a_failed_update_leaves_the_policy_of_a_resource_as_it_was(plane: ControlPlane) -> None:
    create(plane, topics(One="one"), "S")
    changed = broken(topics(One="one"), "One")
    changed["Resources"]["One"]["DeletionPolicy"] = "Retain"
    with pytest.raises(StackFailedError, match="Broken: "):
        update(plane, changed, "S")
    delete(plane, "S")
    assert names_of(plane) == set()


def test_the_rows_of_resources_have_their_status(plane: ControlPlane) -> None:
    create(plane, topics(One="one"), "S")
    (row,) = plane.client("cloudformation").describe_stack_resources(StackName="S")["StackResources"]
    assert (row["LogicalResourceId"], row["ResourceStatus"]) == ("One", "CREATE_COMPLETE")
    assert row["PhysicalResourceId"] == "arn:aws:sns:us-east-1:123456789012:one"


def test_a_failed_creation_asks_custom_resources_to_delete(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        template = with_probe(Create=FAILED)
        template["Resources"]["First"] = copy.deepcopy(template["Resources"]["Probe"])
        template["Resources"]["First"]["Properties"]["Create"] = '{"PhysicalResourceId": "first"}'
        template["Resources"]["Probe"]["DependsOn"] = "First"
        with pytest.raises(StackFailedError, match=r"Probe: .*Message returned: it does not work \(RequestId: "):
            await cloud.create(template)
        assert [(each["RequestType"], each["LogicalResourceId"]) for each in cloud.requests()] == [
            ("Create", "First"),
            ("Create", "Probe"),
            ("Delete", "Probe"),
            ("Delete", "First"),
        ]
        assert cloud.requests()[-2]["PhysicalResourceId"] == "probe-1", "the one in the answer that failed"
        assert await cloud.status() == "ROLLBACK_COMPLETE"

    play(tmp_path, script)


def test_a_failed_update_asks_custom_resources_to_return(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        before = with_probe(Version="1")
        before["Resources"]["Second"] = copy.deepcopy(before["Resources"]["Probe"])
        before["Resources"]["Second"]["DependsOn"] = "Probe"
        await cloud.create(before)
        after = copy.deepcopy(before)
        after["Resources"]["Probe"]["Properties"] |= {"Version": "2", "Update": '{"PhysicalResourceId": "probe-2"}'}
        after["Resources"]["Second"]["Properties"] |= {"Version": "2", "Update": '{"Status": "FAILED", "Reason": "no"}'}
        with pytest.raises(StackFailedError, match=r"Second: .*Message returned: no"):
            await cloud.update(after)
        asked = [
            (each["RequestType"], each["LogicalResourceId"], each["ResourceProperties"]["Version"])
            for each in cloud.requests()[2:]
        ]
        assert asked == [
            ("Update", "Probe", "2"),
            ("Update", "Second", "2"),
            ("Update", "Probe", "1"),
            ("Update", "Second", "1"),
        ]
        back = cloud.requests()[4]
        assert back["PhysicalResourceId"] == "probe-2"
        assert back["OldResourceProperties"]["Version"] == "2"
        assert await cloud.status() == "UPDATE_ROLLBACK_COMPLETE"

    play(tmp_path, script)


def test_a_rollback_that_fails_says_so(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        await cloud.create(with_probe(Version="1", Update={"Status": "FAILED", "Reason": "never"}))
        with pytest.raises(StackFailedError, match="Message returned: never"):
            await cloud.update(with_probe(Version="2", Update={"Status": "FAILED", "Reason": "never"}))
        assert await cloud.status() == "UPDATE_ROLLBACK_FAILED"
        (stack,) = cloud.plane.client("cloudformation").describe_stacks(StackName="S")["Stacks"]
        assert stack["StackStatusReason"] == "The following resource(s) failed to update: [Probe]. "

    play(tmp_path, script)


def test_the_status_is_visible_while_an_operation_runs(tmp_path: Path) -> None:
    code = (
        "import json, os, urllib.parse, urllib.request\n"
        "def handler(event, context):\n"
        "    query = urllib.parse.urlencode({'Action': 'DescribeStacks', 'StackName': event['StackId']})\n"
        "    url = os.environ['AWS_ENDPOINT_URL_CLOUDFORMATION']\n"
        "    scope = 'Credential=a/20260101/us-east-1/cloudformation/aws4_request'\n"
        "    headers = {'Authorization': 'AWS4-HMAC-SHA256 ' + scope}\n"
        "    with urllib.request.urlopen(urllib.request.Request(url, query.encode(), headers)) as response:\n"
        "        text = response.read().decode()\n"
        "    status = text.partition('<StackStatus>')[2].partition('<')[0]\n"
        "    answer = {name: event[name] for name in ('StackId', 'RequestId', 'LogicalResourceId')}\n"
        "    answer |= {'Status': 'SUCCESS', 'PhysicalResourceId': 'p', 'Data': {'Status': status}}\n"
        "    body = json.dumps(answer).encode()\n"
        "    urllib.request.urlopen(urllib.request.Request(event['ResponseURL'], body, method='PUT'))\n"
    )

    async def script(cloud: RunningCloud) -> None:
        template = with_probe()
        template["Resources"]["Function"]["Properties"]["Code"]["ZipFile"] = code
        template["Outputs"] = {"Seen": {"Value": {"Fn::GetAtt": ["Probe", "Status"]}}}
        await cloud.create(template)
        (stack,) = cloud.plane.client("cloudformation").describe_stacks(StackName="S")["Stacks"]
        assert stack["Outputs"][0]["OutputValue"] == "CREATE_IN_PROGRESS"

    play(tmp_path, script)


def test_a_stack_whose_operation_runs_takes_no_other(plane: ControlPlane) -> None:
    create(plane, topics(One="one"), "S")
    (moto_stack,) = plane.stacks._states.values()
    moto_stack.moto.status = "UPDATE_IN_PROGRESS"
    with pytest.raises(ClientError, match="is in UPDATE_IN_PROGRESS state and can not be updated"):
        update(plane, topics(One="two"), "S")
    moto_stack.moto.status = "CREATE_COMPLETE"
    assert status_of(plane, "S") == "CREATE_COMPLETE"


def test_a_change_set_of_a_stack_whose_operation_runs_is_not_executed(plane: ControlPlane) -> None:
    create(plane, topics(One="one"), "S")
    cloudformation = plane.client("cloudformation")
    cloudformation.create_change_set(
        StackName="S", ChangeSetName="next", ChangeSetType="UPDATE", TemplateBody=json.dumps(topics(One="two"))
    )
    (state,) = plane.stacks._states.values()
    state.moto.status = "UPDATE_IN_PROGRESS"
    with pytest.raises(ClientError, match="is in UPDATE_IN_PROGRESS state and can not be changed"):
        cloudformation.execute_change_set(StackName="S", ChangeSetName="next")
    state.moto.status = "CREATE_COMPLETE"
    cloudformation.execute_change_set(StackName="S", ChangeSetName="next")
    assert (status_of(plane, "S"), names_of(plane)) == ("UPDATE_COMPLETE", {"two"})


def test_of_several_operations_that_begin_at_once_one_runs(plane: ControlPlane) -> None:
    create(plane, topics(One="one"), "S")
    (state,) = plane.stacks._states.values()
    begun, refused = [], []

    def begin() -> None:
        try:
            plane.stacks._begin(state, "UPDATE_IN_PROGRESS", "updated")
            begun.append(True)
        except ValidationError:
            refused.append(True)

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(begun), len(refused)) == (1, 7)
    state.moto.status = "CREATE_COMPLETE"


def test_a_stack_with_nothing_but_a_change_set_can_be_deleted(plane: ControlPlane) -> None:
    cloudformation = plane.client("cloudformation")
    cloudformation.create_change_set(
        StackName="S", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=json.dumps(topics(One="one"))
    )
    assert status_of(plane, "S") == "REVIEW_IN_PROGRESS"
    delete(plane, "S")
    assert not plane.has_stack("S")


def test_an_update_that_does_not_run_after_its_last_resource_leaves_the_former_outputs(plane: ControlPlane) -> None:
    class Failing(NothingRuns):
        failures = 1

        def follow(self, *, settled: bool, endpoint: str | None = None) -> None:
            if settled and self.failures:
                self.failures -= 1
                raise ResourceFailure("the gateway does not start")

    def template(name: str) -> dict[str, Any]:
        outputs = {"Name": {"Value": {"Fn::GetAtt": ["One", "TopicName"]}, "Export": {"Name": "name"}}}
        return {**topics(One=name), "Outputs": outputs}

    create(plane, template("one"), "S")
    plane.stacks.data_plane = Failing()
    with pytest.raises(StackFailedError):
        update(plane, template("two"), "S")
    assert status_of(plane, "S") == "UPDATE_ROLLBACK_COMPLETE"
    (stack,) = plane.client("cloudformation").describe_stacks(StackName="S")["Stacks"]
    assert stack["Outputs"][0]["OutputValue"] == "one"
    (export,) = plane.client("cloudformation").list_exports()["Exports"]
    assert export["Value"] == "one"


def test_an_operation_ends_with_the_cloud(tmp_path: Path) -> None:
    started: list[float] = []

    async def script(cloud: RunningCloud) -> None:
        template = with_probe()
        waits = "import time\ndef handler(event, context):\n    print('asked', flush=True)\n    time.sleep(60)\n"
        template["Resources"]["Function"]["Properties"]["Code"]["ZipFile"] = waits
        cloudformation, body = cloud.plane.client("cloudformation"), json.dumps(template)
        create_stack = asyncio.to_thread(cloudformation.create_stack, StackName="S", TemplateBody=body)
        task = asyncio.create_task(create_stack)
        async with asyncio.timeout(30):
            while "asked" not in cloud.log:
                await asyncio.sleep(0.02)
        started.append(time.monotonic())
        task.cancel()

    play(tmp_path, script)
    assert time.monotonic() - started[0] < 15
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("S: ")]


def with_output(name: str) -> dict[str, Any]:
    """A template whose topic another stack refers to."""
    return {**topics(Own=name), "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Own", "TopicName"]}}}}


def referring(**more: str) -> dict[str, Any]:
    """A template with a topic that has the name of the other stack's, and something appended."""
    reference = {"Fn::GetStackOutput": {"StackName": "Base", "OutputName": "Name", **more}}
    template = topics(Own="")
    template["Resources"]["Own"]["Properties"] = {"TopicName": {"Fn::Join": ["-", [reference, "copy"]]}}
    return template | {"Outputs": {"Name": {"Value": reference}}}


def test_a_weak_reference_gives_the_output_of_the_other_stack_when_the_stack_is_created_or_updated(
    plane: ControlPlane,
) -> None:
    create(plane, with_output("one"), "Base")
    create(plane, referring(Region="us-east-1"), "S")
    assert names_of(plane) == {"one", "one-copy"}
    update(plane, with_output("two"), "Base")
    assert names_of(plane) == {"two", "one-copy"}
    assert set(plane.stacks.references("S").values()) == {"one"}
    update(plane, referring() | {"Description": "The next update"}, "S")
    assert names_of(plane) == {"two", "two-copy"}
    assert plane.client("cloudformation").describe_stacks(StackName="S")["Stacks"][0]["Outputs"][0]["OutputValue"] == (
        "two"
    )
    delete(plane, "Base")
    assert names_of(plane) == {"two-copy"}


def test_a_rollback_keeps_what_weak_references_have_given(plane: ControlPlane) -> None:
    create(plane, with_output("one"), "Base")
    create(plane, {**referring(), "Outputs": {}}, "S")
    update(plane, with_output("two"), "Base")
    with pytest.raises(StackFailedError, match="Broken"):
        update(plane, broken({**referring(), "Outputs": {}}, "Own"), "S")
    assert names_of(plane) == {"two", "one-copy"}
    assert set(plane.stacks.references("S").values()) == {"one"}


@pytest.mark.parametrize(
    ("more", "place"),
    [({"StackName": "Nobody"}, "Nobody.Name"), ({"OutputName": "Other"}, "Base.Other"), ({"Region": "eu-west-1"}, "")],
)
def test_a_weak_reference_to_what_there_is_not_fails_the_stack(
    plane: ControlPlane, more: dict[str, str], place: str
) -> None:
    create(plane, with_output("one"), "Base")
    message = (
        f"Own: Fn::GetStackOutput {place or 'Base.Name'}: no deployed stack of {more.get('Region', 'us-east-1')} has"
    )
    with pytest.raises(StackFailedError, match=message):
        create(plane, referring(**more), "S")
    assert status_of(plane, "S") == "ROLLBACK_COMPLETE"
