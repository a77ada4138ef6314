"""Lambda functions of the front door: newest Python, arm64, a role of their own, logs that expire."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._nag import acknowledge
from constructs_lib._stack_env import environment_of
from constructs_lib.front_door.assets import lambda_code
from constructs_lib.front_door.nag_findings import SYNCHRONOUS_FUNCTION, TRACED_ROLE


@dataclass(frozen=True, slots=True)
class _SameForAll:
    """What every function has. Made once for all stacks, as making it is a message to another process each time."""

    principal: iam.IPrincipal
    runtime: lambda_.Runtime
    architecture: lambda_.Architecture


@cache
def _same_for_all() -> _SameForAll:
    return _SameForAll(
        principal=iam.ServicePrincipal("lambda.amazonaws.com"),
        runtime=newest_python(),
        architecture=lambda_.Architecture.ARM_64,
    )


def newest_python() -> lambda_.Runtime:
    """The newest managed Python runtime that this release of aws-cdk-lib knows."""
    names = (re.fullmatch(r"PYTHON_(\d+)_(\d+)", name) for name in dir(lambda_.Runtime))
    major, minor = max((int(name[1]), int(name[2])) for name in names if name)
    runtime: lambda_.Runtime = getattr(lambda_.Runtime, f"PYTHON_{major}_{minor}")
    return runtime


def python_function(
    scope: Construct,
    id: str,
    *,
    folder: str,
    handler: str,
    description: str,
    timeout: Duration,
    memory_size: float,
    log_retention: logs.RetentionDays,
    environment: Mapping[str, str] | None = None,
) -> lambda_.Function:
    """A function from one folder of the Lambda source, with a role that may write its log and its traces.

    Args:
        scope: Where the function, its role (`<id>Role`) and its log group (`<id>Logs`) go.
        id: The function's id.
        folder: The folder under `lambda/`; the package of that name is at the root of the asset.
        handler: Module and function that the managed runtime calls.
        description: Shown in the Lambda console.
        timeout: The longest that one invocation may take.
        memory_size: In MiB.
        log_retention: How long the log keeps an event.
        environment: The environment variables.
    """
    # The log goes with the function: it is there to find faults of what is deployed.
    log_group = logs.LogGroup(scope, f"{id}Logs", retention=log_retention, removal_policy=RemovalPolicy.DESTROY)
    # A role of our own: the one that CDK would make carries a managed policy that may write every log group.
    role = iam.Role(scope, f"{id}Role", assumed_by=_same_for_all().principal)
    log_group.grant_write(role)
    function = lambda_.Function(
        scope,
        id,
        runtime=_same_for_all().runtime,
        architecture=_same_for_all().architecture,
        code=lambda_code(folder),
        handler=handler,
        description=description,
        timeout=timeout,
        memory_size=memory_size,
        environment=dict(environment or {}),
        role=role,
        log_group=log_group,
        tracing=lambda_.Tracing.ACTIVE,
    )
    acknowledge(function, SYNCHRONOUS_FUNCTION)
    acknowledge(role, TRACED_ROLE)
    return function


def invocation_uri(function: lambda_.IFunction, *, streaming: bool) -> str:
    """What API Gateway calls to invoke a function, as its integrations and authorizers take it.

    The streaming form is the one of Lambda's InvokeWithResponseStream; API Gateway refuses any other together with
    responseTransferMode STREAM.
    """
    place = environment_of(function)
    path = (
        f"2021-11-15/functions/{function.function_arn}/response-streaming-invocations"
        if streaming
        else f"2015-03-31/functions/{function.function_arn}/invocations"
    )
    return place.arn("apigateway", f"path/{path}", account="lambda")


def token_scheme(authorizer: lambda_.IFunction, *, ttl_seconds: float, validation: str | None = None) -> dict[str, Any]:
    """A function that judges the header `Authorization`, as a security scheme of API Gateway's OpenAPI document.

    Args:
        authorizer: The function.
        ttl_seconds: How long API Gateway keeps a decision about the same header.
        validation: What the header must match before the function is asked. None: anything.
    """
    expression = {} if validation is None else {"identityValidationExpression": validation}
    return {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {
            "type": "token",
            "authorizerUri": invocation_uri(authorizer, streaming=False),
            **expression,
            "authorizerResultTtlInSeconds": ttl_seconds,
        },
    }


def permit_api(
    scope: Construct, id: str, function: lambda_.IFunction, *, api_id: str, path: str
) -> lambda_.CfnPermission:
    """Let API Gateway invoke a function, for one part of one API.

    Args:
        scope: Where the permission goes.
        id: Its id.
        function: The function.
        api_id: The REST API's id.
        path: The part of the API's execute-api ARN after the API's id, such as `prod/*`.
    """
    return lambda_.CfnPermission(
        scope,
        id,
        action="lambda:InvokeFunction",
        function_name=function.function_arn,
        principal="apigateway.amazonaws.com",
        source_arn=environment_of(scope).arn("execute-api", f"{api_id}/{path}"),
    )
