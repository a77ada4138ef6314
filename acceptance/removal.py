"""Deletes the stacks in whatever state they are, and lists what is left."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from stacks.acceptance_settings import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from acceptance.clouds import Cloud

_SECONDS = 3600
_POLL_SECONDS = 10.0
_RETAINED = ("Retain", "RetainExceptOnCreate")
_SERVICE_LOGS = ("/aws/sagemaker/Endpoints/", "/aws/sagemaker/InferenceComponents/", "/aws/lambda/")
"""Log groups that services create by themselves, followed by a name that begins with that of the stack."""
_HOW = {
    "AWS::Logs::LogGroup": "aws logs delete-log-group --log-group-name {id}",
    "AWS::IAM::Role": "the account's role for API Gateway logs, which other APIs may use by now: {id}",
    "AWS::ApiGateway::Account": "the account's setting of that role: aws apigateway get-account",
}


@dataclass(slots=True)
class Removal:
    """What a removal has done.

    Attributes:
        deleted: The stacks that are gone.
        left: What stays, and how it is deleted; costs next to nothing.
        failed: What should be gone and is not, and may cost money.
    """

    deleted: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def existing_stacks(cloud: Cloud) -> list[str]:
    """Those of the stacks that the account has."""
    return [name for name in NAMES if _describe(cloud, name) is not None]


def remove(cloud: Cloud, say: Callable[[str], None]) -> Removal:
    """Deletes the stacks, the one without a front door first.

    Args:
        cloud: Where.
        say: Shows what it is doing.
    """
    done = Removal()
    for name in reversed(NAMES):
        try:
            _remove(cloud, name, done, say)
        except (BotoCoreError, ClientError, TimeoutError) as error:
            done.failed.append(f"{name}: {error} Delete it: aws cloudformation delete-stack --stack-name {name}")
    try:
        done.left += _service_logs(cloud)
        done.failed += _endpoints(cloud)
        done.failed += [
            f"{name} exists again: `make acceptance DESTROY=1` deletes it" for name in existing_stacks(cloud)
        ]
    except (BotoCoreError, ClientError) as error:
        done.failed.append(f"What is left could not be listed: {error}")
    return done


def _remove(cloud: Cloud, name: str, done: Removal, say: Callable[[str], None]) -> None:
    stack = _describe(cloud, name)
    if stack is None:
        return
    cloudformation, identifier = cloud.client("cloudformation"), stack["StackId"]
    # What is being created, or is a change set only, can be deleted at once.
    if stack["StackStatus"] not in ("CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"):
        _settle(cloud, identifier, say)
    kept = list(_kept(cloud, identifier))
    for attempt in range(2):
        say(f"Delete {name}" if attempt == 0 else f"Delete {name} once more")
        cloudformation.delete_stack(StackName=identifier)
        status = _wait(cloud, identifier, say, ends=("DELETE_COMPLETE", "DELETE_FAILED"))
        if status == "DELETE_COMPLETE":
            done.deleted.append(name)
            done.left += kept
            return
    reason = str((_describe(cloud, identifier) or {}).get("StackStatusReason", ""))
    done.failed.append(f"{name}: DELETE_FAILED. {reason} Delete it in the console of CloudFormation.")


def _settle(cloud: Cloud, identifier: str, say: Callable[[str], None]) -> None:
    """Waits until no operation runs; an update is cancelled."""
    status = str((_describe(cloud, identifier) or {}).get("StackStatus"))
    if status == "UPDATE_IN_PROGRESS":
        try:
            cloud.client("cloudformation").cancel_update_stack(StackName=identifier)
        except ClientError as error:
            say(f"The update goes on: {error}")
    if status.endswith("_IN_PROGRESS"):
        _wait(cloud, identifier, say, ends=("_COMPLETE", "_FAILED"))


def _wait(cloud: Cloud, identifier: str, say: Callable[[str], None], *, ends: tuple[str, ...]) -> str:
    deadline = time.monotonic() + _SECONDS
    while True:
        stack = _describe(cloud, identifier)
        status = "DELETE_COMPLETE" if stack is None else str(stack["StackStatus"])
        if status.endswith(ends):
            return status
        if time.monotonic() > deadline:
            raise TimeoutError(f"still {status} after {_SECONDS // 60} minutes.")
        say(status)
        time.sleep(max(0.1, _POLL_SECONDS * cloud.patience))


def _describe(cloud: Cloud, name: str) -> Any:
    try:
        return cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _kept(cloud: Cloud, identifier: str) -> Iterator[str]:
    """The resources that the deletion of a stack leaves, by its template."""
    cloudformation = cloud.client("cloudformation")
    body = cloudformation.get_template(StackName=identifier)["TemplateBody"]
    template = json.loads(body) if isinstance(body, str) else body
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=identifier)
    for row in (row for page in pages for row in page["StackResourceSummaries"]):
        definition = template["Resources"].get(row["LogicalResourceId"], {})
        if definition.get("DeletionPolicy") in _RETAINED and row.get("PhysicalResourceId"):
            kind = row["ResourceType"]
            yield f"{kind}: {_HOW.get(kind, '{id}').format(id=row['PhysicalResourceId'])}"


def _service_logs(cloud: Cloud) -> Iterator[str]:
    """The log groups that services have created for the stacks."""
    for beginning in _SERVICE_LOGS:
        for name in NAMES:
            pages = cloud.client("logs").get_paginator("describe_log_groups")
            for page in pages.paginate(logGroupNamePrefix=f"{beginning}{name}"):
                for group in page["logGroups"]:
                    how = _HOW["AWS::Logs::LogGroup"].format(id=group["logGroupName"])
                    yield f"AWS::Logs::LogGroup: {how}"


def _endpoints(cloud: Cloud) -> Iterator[str]:
    """The endpoints of the stacks that still exist: they cost what an instance costs."""
    found = cloud.client("sagemaker").list_endpoints(NameContains="Acceptance")["Endpoints"]
    for name in (one["EndpointName"] for one in found):
        if name.startswith(NAMES):
            yield f"The endpoint {name} still exists: aws sagemaker delete-endpoint --endpoint-name {name}"
