"""The removal in whatever state the stacks are: CloudFormation is a stand-in that has the states of AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from acceptance import removal
from acceptance.removal import Removal, remove
from stacks.acceptance_settings import NAMES

ID = f"arn:aws:cloudformation:eu-west-1:111122223333:stack/{NAMES[0]}/1"
TEMPLATE = {
    "Resources": {
        "Logs": {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain"},
        "Role": {"Type": "AWS::IAM::Role", "DeletionPolicy": "RetainExceptOnCreate"},
        "Model": {"Type": "AWS::SageMaker::Model"},
    }
}


def refused(message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationError", "Message": message}}, operation)


class Pages:
    def __init__(self, *pages: dict[str, Any]) -> None:
        self._pages = list(pages)

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return self._pages


class CloudFormation:
    """The stack with the front door, in a state that changes as listed each time it is asked."""

    def __init__(self, status: str, *then: str, deletions: tuple[str, ...] = ("DELETE_COMPLETE",)) -> None:
        self.status, self._then, self._deletions = status, list(then), list(deletions)
        self.calls: list[str] = []
        self.cancels: Callable[[], None] = lambda: None

    def describe_stacks(self, **given: str) -> Any:
        name = given["StackName"]
        if name not in (NAMES[0], ID) or (self.status == "DELETE_COMPLETE" and name != ID):
            raise refused(f"Stack with id {name} does not exist", "DescribeStacks")
        found = {"StackId": ID, "StackStatus": self.status, "StackStatusReason": "a reason"}
        if self._then:
            self.status = self._then.pop(0)
        return {"Stacks": [found]}

    def cancel_update_stack(self, **_: str) -> None:
        self.calls.append("cancel")
        self.cancels()

    def delete_stack(self, **_: str) -> None:
        self.calls.append(f"delete in {self.status}")
        self.status = self._deletions.pop(0)

    def get_template(self, **_: str) -> Any:
        return {"TemplateBody": json.dumps(TEMPLATE)}

    def get_paginator(self, _name: str) -> Pages:
        rows = [
            {"LogicalResourceId": name, "ResourceType": one["Type"], "PhysicalResourceId": f"the-{name.lower()}"}
            for name, one in TEMPLATE["Resources"].items()
        ]
        return Pages({"StackResourceSummaries": rows})


class Cloud:
    patience = 0.001

    def __init__(self, cloudformation: CloudFormation, *endpoints: str, groups: tuple[str, ...] = ()) -> None:
        self.cloudformation, self._endpoints, self._groups = cloudformation, endpoints, groups

    def client(self, service: str) -> Any:
        return self.cloudformation if service == "cloudformation" else self

    def get_paginator(self, name: str) -> Any:
        # An account has so many endpoints that the one in question is on a page of its own.
        pages = Pages(*({"Endpoints": [{"EndpointName": one}]} for one in ("another", *self._endpoints)))
        return pages if name == "list_endpoints" else self

    def paginate(self, **given: str) -> Any:
        groups = [{"logGroupName": name} for name in self._groups if name.startswith(given["logGroupNamePrefix"])]
        return [{"logGroups": groups}]


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal.time, "sleep", lambda _seconds: None)


def removed(cloud: Cloud) -> Removal:
    return remove(cloud, lambda _line: None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "status",
    ["CREATE_COMPLETE", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"],
)
def test_a_stack_is_deleted_at_once_where_cloudformation_allows_it(status: str) -> None:
    cloud = Cloud(CloudFormation(status))
    done = removed(cloud)
    assert cloud.cloudformation.calls == [f"delete in {status}"]
    assert (done.deleted, done.failed) == ([NAMES[0]], [])
    assert done.left == [
        "AWS::Logs::LogGroup: aws logs delete-log-group --log-group-name the-logs",
        "AWS::IAM::Role: the account's role for API Gateway logs, which other APIs may use by now: the-role",
    ]


def test_an_update_is_cancelled_and_its_rollback_awaited() -> None:
    states = ["UPDATE_IN_PROGRESS"] * 2 + ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    cloud = Cloud(CloudFormation("UPDATE_IN_PROGRESS", *states))
    done = removed(cloud)
    assert cloud.cloudformation.calls == ["cancel", "delete in UPDATE_ROLLBACK_COMPLETE"]
    assert done.deleted == [NAMES[0]]


def test_an_update_that_cannot_be_cancelled_is_awaited() -> None:
    cloud = Cloud(CloudFormation("UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"))

    def refuse() -> None:
        raise refused("CancelUpdateStack cannot be called from current stack status", "CancelUpdateStack")

    cloud.cloudformation.cancels = refuse
    done = removed(cloud)
    assert cloud.cloudformation.calls == ["cancel", "delete in UPDATE_COMPLETE"]
    assert done.failed == []


def test_a_failed_deletion_is_tried_again() -> None:
    cloud = Cloud(CloudFormation("CREATE_COMPLETE", deletions=("DELETE_FAILED", "DELETE_COMPLETE")))
    done = removed(cloud)
    assert cloud.cloudformation.calls == ["delete in CREATE_COMPLETE", "delete in DELETE_FAILED"]
    assert (done.deleted, done.failed) == ([NAMES[0]], [])


def test_a_stack_that_stays_is_said_with_its_reason() -> None:
    done = removed(Cloud(CloudFormation("CREATE_COMPLETE", deletions=("DELETE_FAILED", "DELETE_FAILED"))))
    assert done.deleted == []
    assert done.failed[0] == f"{NAMES[0]}: DELETE_FAILED. a reason Delete it in the console of CloudFormation."


def test_a_deletion_that_never_ends_is_said_and_the_rest_is_still_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "_SECONDS", -1)
    cloud = Cloud(
        CloudFormation("CREATE_COMPLETE", deletions=("DELETE_IN_PROGRESS",)),
        f"{NAMES[0]}-Endpoint-1",
        "SomebodyElse-AcceptanceStack",
        groups=(f"/aws/sagemaker/Endpoints/{NAMES[0]}-Endpoint-1", "/aws/lambda/another"),
    )
    done = removed(cloud)
    assert "still DELETE_IN_PROGRESS after" in done.failed[0]
    name = f"{NAMES[0]}-Endpoint-1"
    assert done.failed[1] == f"The endpoint {name} still exists: aws sagemaker delete-endpoint --endpoint-name {name}"
    assert not any("SomebodyElse" in line for line in done.failed)
    assert done.left == [
        f"AWS::Logs::LogGroup: aws logs delete-log-group --log-group-name /aws/sagemaker/Endpoints/{name}"
    ]


def test_without_a_stack_nothing_is_done() -> None:
    cloud = Cloud(CloudFormation("DELETE_COMPLETE"))
    done = removed(cloud)
    assert (cloud.cloudformation.calls, done.deleted, done.left, done.failed) == ([], [], [], [])


def test_credentials_that_expire_meanwhile_are_said_with_what_to_do() -> None:
    cloud = Cloud(CloudFormation("CREATE_COMPLETE"))

    def expire(**_: str) -> Any:
        raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "The security token is expired"}}, "Describe")

    cloud.cloudformation.describe_stacks = expire  # type: ignore[method-assign]
    done = removed(cloud)
    assert len(done.failed) == 3
    assert f"Delete it: aws cloudformation delete-stack --stack-name {NAMES[0]}" in done.failed[1]


@pytest.mark.parametrize("template", ["", "not JSON", refused("AccessDenied", "GetTemplate")])
def test_a_template_that_cannot_be_read_does_not_keep_a_stack_from_being_deleted(template: Any) -> None:
    cloud = Cloud(CloudFormation("REVIEW_IN_PROGRESS"))

    def get_template(**_: str) -> Any:
        if isinstance(template, Exception):
            raise template
        return {"TemplateBody": template}

    cloud.cloudformation.get_template = get_template  # type: ignore[method-assign]
    done = removed(cloud)
    assert (done.deleted, done.failed) == ([NAMES[0]], [])
    assert all("could not be listed" in line for line in done.left)


def test_both_deletions_are_begun_before_one_is_awaited() -> None:
    calls: list[str] = []

    class Two:
        """Both stacks; each takes one look until it is gone."""

        def __init__(self) -> None:
            self.status = dict.fromkeys(NAMES, "CREATE_COMPLETE")

        def describe_stacks(self, **given: str) -> Any:
            name, status = given["StackName"], self.status[given["StackName"]]
            if status == "gone":
                raise refused(f"Stack with id {name} does not exist", "DescribeStacks")
            if status == "DELETE_IN_PROGRESS":
                calls.append(f"wait for {name}")
                self.status[name] = "gone"
            return {"Stacks": [{"StackId": name, "StackStatus": status}]}

        def delete_stack(self, **given: str) -> None:
            calls.append(f"delete {given['StackName']}")
            self.status[given["StackName"]] = "DELETE_IN_PROGRESS"

        def get_template(self, **_: str) -> Any:
            return {"TemplateBody": {}}

        def get_paginator(self, _name: str) -> Pages:
            return Pages()

    done = removed(Cloud(Two()))  # type: ignore[arg-type]
    zero, first = NAMES[1], NAMES[0]
    assert calls == [f"delete {zero}", f"delete {first}", f"wait for {zero}", f"wait for {first}"]
    assert done.deleted == [zero, first]


def test_a_failure_that_nobody_has_foreseen_does_not_keep_the_other_stack() -> None:
    cloud = Cloud(CloudFormation("CREATE_COMPLETE"))
    describe = cloud.cloudformation.describe_stacks

    def fail_for_one(**given: str) -> Any:
        if given["StackName"] == NAMES[1] and not cloud.cloudformation.calls:
            raise OSError("connection reset")
        return describe(**given)

    cloud.cloudformation.describe_stacks = fail_for_one  # type: ignore[method-assign]
    done = removed(cloud)
    assert done.deleted == [NAMES[0]]
    assert done.failed[0].startswith(f"{NAMES[1]}: connection reset Delete it: aws cloudformation delete-stack")
