"""The front door of a deployed stack: its URL and its key, as CloudFormation and API Gateway know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from constructs_lib.cli.aws_session import aws_errors, error_code
from constructs_lib.cli.errors import CommandError
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.aws_session import AwsSession

_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedFrontDoor:
    """What a client needs.

    Args:
        url: The URL, without a slash at the end.
        key_id: Id of the API key; None if the stack has none.
    """

    url: str
    key_id: str | None


def find_front_door(
    session: AwsSession, stack: str, *, url: str | None = None, key_id: str | None = None
) -> DeployedFrontDoor:
    """The front door of a stack: of its outputs Url and ApiKeyId, else the only one among its resources.

    Args:
        session: The account and the Region.
        stack: Name of the stack, or its ARN.
        url: Where it is. Default: as the stack says.
        key_id: Which API key. Default: the stack's only one.

    Raises:
        CommandError: The stack or the front door does not exist, or there are several.
    """
    client = session.client("cloudformation")
    outputs = _outputs(client, session.region, stack)
    url, key_id = url or outputs.get("Url"), key_id or outputs.get("ApiKeyId")
    resources = {} if url and key_id else _resources(client, stack)
    url = url or _url(resources, session, stack)
    if key_id is None:
        keys = resources.get("AWS::ApiGateway::ApiKey", {})
        if len(keys) > 1:
            names = ", ".join(f"{value} ({name})" for name, value in sorted(keys.items()))
            message = f"has {len(keys)} API keys: {names}"
            raise CommandError(Problem("--stack", stack, message, "Choose one with --api-key-id."))
        key_id = next(iter(keys.values()), None)
    return DeployedFrontDoor(url=url.rstrip("/"), key_id=key_id)


def read_key(session: AwsSession, key_id: str) -> str:
    """The value of an API key.

    Args:
        session: The account and the Region.
        key_id: Its id.

    Raises:
        CommandError: There is none, or the caller may not read it.
    """
    with aws_errors(f"read the API key {key_id}"):
        found = session.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)
    return str(found["value"])


def _outputs(client: Any, region: str, stack: str) -> dict[str, str]:
    try:
        with aws_errors(f"read the stack {stack}"):
            (found,) = client.describe_stacks(StackName=stack)["Stacks"]
    except CommandError as error:
        if error_code(error.__cause__) == "ValidationError":
            fix = "aws cloudformation list-stacks names them; --region and --profile choose where."
            raise CommandError(Problem("--stack", stack, f"does not exist in {region}", fix)) from error
        raise
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())}


def _resources(client: Any, stack: str) -> dict[str, dict[str, str]]:
    """The physical ids of the resources by type and logical id."""
    found: dict[str, dict[str, str]] = {}
    with aws_errors(f"read the stack {stack}"):
        for page in client.get_paginator("list_stack_resources").paginate(StackName=stack):
            for each in page["StackResourceSummaries"]:
                ids = found.setdefault(each["ResourceType"], {})
                ids[each["LogicalResourceId"]] = each.get("PhysicalResourceId", "")
    return found


def _url(resources: Mapping[str, Mapping[str, str]], session: AwsSession, stack: str) -> str:
    apis = list(resources.get("AWS::ApiGateway::RestApi", {}).values())
    stages = list(resources.get("AWS::ApiGateway::Stage", {}).values())
    if len(apis) != 1 or len(stages) != 1:
        message = "has no front door" if not apis else f"has {len(apis)} APIs with {len(stages)} stages"
        fix = "Name a stack with one FrontDoor, or give --url and --api-key."
        raise CommandError(Problem("--stack", stack, message, fix))
    suffix = _SUFFIXES.get(session.boto3.get_partition_for_region(session.region), "amazonaws.com")
    return f"https://{apis[0]}.execute-api.{session.region}.{suffix}/{stages[0]}"
