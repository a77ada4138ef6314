"""Lambda functions of the front door: newest Python, arm64, a role for each, logs that expire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._functions import lambda_asset, newest_python_name, policy_document
from constructs_lib._nag import acknowledge
from constructs_lib.acknowledgements import API_FUNCTION, AUTHORIZER_ROLE, FUNCTION_TRACES, INLINE_POLICIES
from constructs_lib.front_door.front_door_function import FrontDoorFunction

if TYPE_CHECKING:
    from constructs_lib._nag import Acknowledged
    from constructs_lib._protection import FunctionProtection
    from constructs_lib._stack_env import StackEnvironment


def front_door_function(
    scope: Construct,
    id: str,
    *,
    folder: str,
    handler: str,
    description: str,
    timeout_seconds: float,
    memory_size: float,
    log_retention: logs.RetentionDays,
    protection: FunctionProtection,
    environment: Mapping[str, str] | None = None,
    layers: Sequence[lambda_.CfnLayerVersion] = (),
) -> FrontDoorFunction:
    """A function from one folder of the Lambda source, with a role that may write its log and traces, and may get more.

    Args:
        scope: The scope of the function, its role (`<id>Role`) and its log group (`<id>Logs`).
        id: The function's id.
        folder: The folder in `lambda/`; the package of that name is at the root of the asset.
        handler: Module and function that the managed runtime calls.
        description: Shown in the Lambda console.
        timeout_seconds: Time limit of one invocation.
        memory_size: In MiB.
        log_retention: How long the log keeps an event.
        protection: Its key, its network and its reserved concurrency.
        environment: The environment variables. Default: none.
        layers: Its layers. Default: none.
    """
    log_group = _log_group(scope, f"{id}Logs", log_retention, protection)
    # The CDK's default role would have a managed policy that may write to every log group.
    role = iam.Role(scope, f"{id}Role", assumed_by=_lambda_service())
    # In the policy with what it gets later: the CDK divides that one alone, by IAM's limit for all inline ones.
    # A grant is one message to the CDK's process, a statement of its own two.
    for actions, written_to in _telemetry(log_group.log_group_arn):
        iam.Grant.add_to_principal(grantee=role, actions=actions, resource_arns=[written_to])
    for statement in protection.role_statements(scope):
        role.add_to_policy(iam.PolicyStatement.from_json(statement))
    function = _function(
        Construct(scope, id),
        folder,
        handler=handler,
        description=description,
        timeout=timeout_seconds,
        memory_size=memory_size,
        environment=environment,
        role=role,
        log_group_name=log_group.log_group_name,
        layers=layers,
        protection=protection,
    )
    # Not invoked before it may call what it needs.
    function.node.add_dependency(role)
    for resource in protection.waits_for:
        function.add_resource_dependency(resource)
    acknowledge(function, API_FUNCTION)
    acknowledge(role, *_role_acknowledged(scope, protection))
    return FrontDoorFunction(
        scope,
        resource=function,
        role=role,
        log_group=log_group,
        log_retention=log_retention,
        variables=environment or {},
    )


def authorizer_function(
    scope: Construct,
    id: str,
    *,
    folder: str,
    handler: str,
    description: str,
    timeout_seconds: int,
    memory_size: float,
    log_retention: logs.RetentionDays,
    protection: FunctionProtection,
    environment: Mapping[str, str] | None = None,
    layers: Sequence[lambda_.CfnLayerVersion] = (),
) -> str:
    """The same with a role that gets nothing else: only an API refers to the function.

    Args:
        scope: The scope of nothing but the function, its role (`<id>Role`) and its log group (`<id>Logs`).
        id: The function's id.
        folder: As for `front_door_function`, as are the others.
        handler: Module and function that the managed runtime calls.
        description: Shown in the Lambda console.
        timeout_seconds: Time limit of one invocation.
        memory_size: In MiB.
        log_retention: How long the log keeps an event.
        protection: Its key, its network and its reserved concurrency.
        environment: The environment variables. Default: none.
        layers: Its layers. Default: none.

    Returns:
        Its ARN.
    """
    log_group = _log_group(scope, f"{id}Logs", log_retention, protection)
    function = _function(
        Construct(scope, id),
        folder,
        handler=handler,
        description=description,
        timeout=timeout_seconds,
        memory_size=memory_size,
        environment=environment,
        role=_add_role(Construct(scope, f"{id}Role"), log_group.log_group_arn, protection),
        log_group_name=log_group.log_group_name,
        layers=layers,
        protection=protection,
    )
    acknowledge(scope, API_FUNCTION, AUTHORIZER_ROLE, *_role_acknowledged(scope, protection))
    return function.attr_arn


def _function(
    scope: Construct,
    folder: str,
    *,
    environment: Mapping[str, str] | None,
    log_group_name: str,
    layers: Sequence[lambda_.CfnLayerVersion],
    protection: FunctionProtection,
    **properties: Any,
) -> lambda_.CfnFunction:
    """The resource, of L1 as all others that are L2 constructs at most when somebody asks: half the time of a synth.

    Args:
        scope: What has the function's id, so that the ids of both are those that the CDK's L2 constructs give.
        folder: The folder in `lambda/`.
        environment: The environment variables, if any.
        log_group_name: Name of its log group.
        layers: Its layers.
        protection: Its key, its network and its reserved concurrency.
        properties: The others.
    """
    code = lambda_asset(scope, folder)
    function = lambda_.CfnFunction(
        scope,
        "Resource",
        architectures=["arm64"],
        code=lambda_.CfnFunction.CodeProperty(s3_bucket=code.s3_bucket_name, s3_key=code.s3_object_key),
        runtime=newest_python_name(),
        environment=lambda_.CfnFunction.EnvironmentProperty(variables=environment) if environment else None,
        layers=[*layers] or None,
        logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=log_group_name),
        tracing_config=lambda_.CfnFunction.TracingConfigProperty(mode="Active"),
        # An authorizer takes milliseconds, so that it never refuses what the function behind it could take.
        reserved_concurrent_executions=protection.reserved_concurrency,
        **properties,
        **protection.function_properties(),
    )
    code.add_resource_metadata(function, "Code")
    return function


def _log_group(
    scope: Construct, id: str, retention: logs.RetentionDays, protection: FunctionProtection
) -> logs.LogGroup:
    """Deleted with its function: the log is for troubleshooting what is deployed."""
    key = protection.encryption_key
    return logs.LogGroup(scope, id, retention=retention, removal_policy=RemovalPolicy.DESTROY, encryption_key=key)


def _role_acknowledged(scope: Construct, protection: FunctionProtection) -> list[Acknowledged]:
    return [INLINE_POLICIES, FUNCTION_TRACES.at(scope, "*"), *protection.role_acknowledged(scope)]


@cache
def _lambda_service() -> iam.ServicePrincipal:
    return iam.ServicePrincipal("lambda.amazonaws.com")


def _telemetry(log_group_arn: str) -> Iterator[tuple[list[str], str]]:
    """What every function may do, and with what: write its log, and traces."""
    yield ["logs:CreateLogStream", "logs:PutLogEvents"], log_group_arn
    yield ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*"


def _add_role(scope: Construct, log_group_arn: str, protection: FunctionProtection) -> iam.CfnRole:
    """A role that gets nothing else, with its policy in itself: no function has the role before the policy."""
    statements = [
        *({"Action": actions, "Resource": resource} for actions, resource in _telemetry(log_group_arn)),
        *protection.role_statements(scope),
    ]
    return iam.CfnRole(
        scope,
        "Resource",
        assume_role_policy_document=policy_document(
            {"Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ),
        policies=[iam.CfnRole.PolicyProperty(policy_name="Run", policy_document=policy_document(*statements))],
    )


def token_scheme(
    environment: StackEnvironment, authorizer_arn: str, *, ttl_seconds: float, validation: str | None = None
) -> dict[str, Any]:
    """A Lambda authorizer of the header `Authorization`, as a security scheme of the API definition.

    Args:
        environment: The environment of the function.
        authorizer_arn: ARN of the function.
        ttl_seconds: How long API Gateway caches the decision for a header.
        validation: Regular expression that the header must match before the function is invoked. Default: none.
    """
    expression = {} if validation is None else {"identityValidationExpression": validation}
    members = {**expression, "authorizerResultTtlInSeconds": ttl_seconds}
    return _authorizer_scheme("Authorization", "token", environment, authorizer_arn, members)


def request_scheme(environment: StackEnvironment, authorizer_arn: str) -> dict[str, Any]:
    """A Lambda authorizer of all headers, none of which a request needs; nothing is cached.

    API Gateway could cache its decisions only by headers that every request has.

    Args:
        environment: The environment of the function.
        authorizer_arn: ARN of the function.
    """
    # As AWS SAM names the header that the scheme has to have.
    return _authorizer_scheme("Unused", "request", environment, authorizer_arn, {"authorizerResultTtlInSeconds": 0})


def _authorizer_scheme(
    header: str, kind: str, environment: StackEnvironment, authorizer_arn: str, members: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "type": "apiKey",
        "name": header,
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {
            "type": kind,
            "authorizerUri": environment.arn(
                "apigateway", f"path/2015-03-31/functions/{authorizer_arn}/invocations", account="lambda"
            ),
            **members,
        },
    }


def permit_api(
    scope: Construct, id: str, function_arn: str, *, environment: StackEnvironment, api_id: str, path: str
) -> lambda_.CfnPermission:
    """Allow API Gateway to invoke a function, for one part of one API.

    Args:
        scope: The scope of the permission.
        id: Its id.
        function_arn: ARN of the function.
        environment: The environment of the API.
        api_id: The REST API's id.
        path: The part of the API's execute-api ARN after the API's id, such as `prod/*`.
    """
    return lambda_.CfnPermission(
        scope,
        id,
        action="lambda:InvokeFunction",
        function_name=function_arn,
        principal="apigateway.amazonaws.com",
        source_arn=environment.arn("execute-api", f"{api_id}/{path}"),
    )
