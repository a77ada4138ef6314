"""Deletes the stacks in whatever state they are, and lists what is left."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from acceptance.clouds import NoAccessError
from stacks.acceptance_settings import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from acceptance.clouds import Cloud

_SECONDS = 3600
_POLL_SECONDS = 10.0
_NO_STACK = "00000000-0000-0000-0000-000000000000"
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


def check_rights(cloud: Cloud) -> None:
    """Asks whether the caller may delete the stacks: the CDK deploys by roles of its own, the deletion does not.

    The deletions are of stacks whose ids nobody has, which IAM decides like those of the real ones.

    Raises:
        NoAccessError: The caller may not.
    """
    cloudformation = cloud.client("cloudformation")
    place = f"arn:{cloudformation.meta.partition}:cloudformation:{cloud.region}:{cloud.account}"
    for name in NAMES:
        try:
            cloudformation.delete_stack(StackName=f"{place}:stack/{name}/{_NO_STACK}")
        except ClientError as error:
            if error.response["Error"]["Code"].startswith("AccessDenied"):
                raise NoAccessError(
                    f"These credentials may not delete {name}, so nothing is deployed: {error} They need"
                    " cloudformation:DeleteStack and cloudformation:CancelUpdateStack."
                ) from error


def remove(cloud: Cloud, say: Callable[[str], None]) -> Removal:
    """Deletes the stacks. All deletions are begun before one is awaited, so that they go on if this program is killed.

    Args:
        cloud: Where.
        say: Shows what it is doing.
    """
    done = Removal()
    begun = []
    for name in reversed(NAMES):
        with _saying(name, done):
            if (stack := _describe(cloud, name)) is not None:
                kept = _kept(cloud, stack["StackId"])  # a deletion that has begun may show no resources
                begun.append((name, _begin(cloud, stack, say), kept, stack["StackId"]))
    for name, is_begun, kept, identifier in begun:
        with _saying(name, done):
            _finish(cloud, name, identifier, say, done, is_begun=is_begun)
            if name in done.deleted:
                done.left += kept
    try:
        done.left += _service_logs(cloud)
        done.failed += _endpoints(cloud)
        done.failed += [
            f"{name} exists again: `make acceptance DESTROY=1` deletes it" for name in existing_stacks(cloud)
        ]
    except (BotoCoreError, ClientError) as error:
        done.failed.append(f"What is left could not be listed: {error}")
    return done


@contextmanager
def _saying(name: str, done: Removal) -> Iterator[None]:
    """A failure with one stack is said, and the other one is still deleted."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the other stack costs money too
        line = f"{name}: {error} Delete it: aws cloudformation delete-stack --stack-name {name}"
        done.failed.append(line)


def _begin(cloud: Cloud, stack: Any, say: Callable[[str], None]) -> bool:
    """Begins the deletion of a stack, whose update is cancelled first; whether it has begun."""
    cloudformation, name, status = cloud.client("cloudformation"), stack["StackId"], stack["StackStatus"]
    # What is being created, or is a change set only, can be deleted at once.
    if not status.endswith("_IN_PROGRESS") or status in ("CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"):
        cloudformation.delete_stack(StackName=name)
        return True
    if status == "UPDATE_IN_PROGRESS":
        try:
            cloudformation.cancel_update_stack(StackName=name)
        except ClientError as error:
            say(f"The update goes on: {error}")
    return False


def _finish(
    cloud: Cloud, name: str, identifier: str, say: Callable[[str], None], done: Removal, *, is_begun: bool
) -> None:
    if not is_begun:
        _wait(cloud, identifier, say, ends=("_COMPLETE", "_FAILED"))
    for attempt in range(2):
        say(f"Delete {name}" if attempt == 0 else f"Delete {name} once more")
        if attempt > 0 or not is_begun:
            cloud.client("cloudformation").delete_stack(StackName=identifier)
        if _wait(cloud, identifier, say, ends=("DELETE_COMPLETE", "DELETE_FAILED")) == "DELETE_COMPLETE":
            done.deleted.append(name)
            return
    reason = str((_describe(cloud, identifier) or {}).get("StackStatusReason", ""))
    done.failed.append(f"{name}: DELETE_FAILED. {reason} Delete it in the console of CloudFormation.")


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


def _kept(cloud: Cloud, identifier: str) -> list[str]:
    """The resources that the deletion of a stack leaves; nothing that goes wrong here keeps it from being deleted."""
    try:
        return list(_retained(cloud, identifier))
    except (BotoCoreError, ClientError, ValueError) as error:
        return [f"What {identifier} leaves could not be listed: {error}"]


def _retained(cloud: Cloud, identifier: str) -> Iterator[str]:
    """Those that the template of a stack retains."""
    cloudformation = cloud.client("cloudformation")
    body = cloudformation.get_template(StackName=identifier)["TemplateBody"]
    # What is only a change set has an empty one.
    template = json.loads(body or "{}") if isinstance(body, str) else body
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=identifier)
    for row in (row for page in pages for row in page["StackResourceSummaries"]):
        definition = template.get("Resources", {}).get(row["LogicalResourceId"], {})
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
    pages = cloud.client("sagemaker").get_paginator("list_endpoints").paginate(NameContains="Acceptance")
    for name in (one["EndpointName"] for page in pages for one in page["Endpoints"]):
        if name.startswith(NAMES):
            yield f"The endpoint {name} still exists: aws sagemaker delete-endpoint --endpoint-name {name}"
