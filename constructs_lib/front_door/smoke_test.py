"""The smoke test of a front door: a custom resource that fails the deployment if a model gives no token."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from aws_cdk import Annotations, CfnResource, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from constructs_lib._arguments import quantity_problems, seconds
from constructs_lib._lazy import late_digest
from constructs_lib._nag import acknowledge
from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import hide_token
from constructs_lib.front_door.assets import lambda_asset
from constructs_lib.front_door.lambda_functions import newest_python_name, policy_document
from constructs_lib.front_door.models_file import render_models
from constructs_lib.planning.scaling.startup import LONGEST_SMOKE_TEST, smoke_test_seconds
from constructs_lib.planning.validation.problem import Described, Problem
from constructs_lib.planning.validation.rules import Integer, problem
from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from aws_cdk import Stack

    from constructs_lib.endpoint.interface import DeployedModel, IModelEndpoint
    from constructs_lib.front_door.function_references import FunctionReferences

SCOPE = "SmokeTest"
"""Id of the construct below the front door."""

SECONDS_TO_REPORT = 60
"""What the function has beyond the test, to read the stack's status and to report."""
_SHORTEST_SECONDS = 10
_SECONDS_TO_START = 60
"""What CloudFormation waits beyond the function's timeout: it invokes it asynchronously."""

_FINDINGS = {
    "Serverless-LambdaDLQ": "CloudFormation waits for the function's answer and not for its invocation: an event that"
    " is lost ends as a failed deployment after ServiceTimeout.",
    "Serverless-LambdaTracing": "It runs once in a deployment and logs what it met; traces would need a permission on"
    " all resources.",
}

# What of these resources decides how a model answers; of the others everything. Numbers of copies and how an update is
# rolled out do not.
_PROPERTIES: dict[type[CfnResource], set[str]] = {
    sagemaker.CfnEndpoint: {"endpointName", "endpointConfigName"},
    sagemaker.CfnInferenceComponent: {
        "endpointName",
        "variantName",
        "inferenceComponentName",
        "specification",
        "specifications",
    },
    lambda_.CfnFunction: {"code", "environment", "handler", "layers", "memorySize", "runtime", "timeout"},
}
_SERVING = (
    sagemaker.CfnModel,
    sagemaker.CfnEndpointConfig,
    sagemaker.CfnEndpoint,
    sagemaker.CfnInferenceComponent,
)


def smoke_test_problems(timeout: object, *, is_second: bool) -> list[Problem]:
    """What is wrong with the arguments of `FrontDoor.add_smoke_test`.

    Args:
        timeout: The argument, whatever its type is.
        is_second: Whether the front door has a smoke test already.
    """
    problems = quantity_problems(timeout=timeout)
    if isinstance(timeout, Duration):
        problems += _time_problems(hide_token(seconds(timeout)))
    if is_second:
        problems.append(
            Problem(
                "smoke_test",
                Described("a second one"),
                "tests the models that the first one tests already",
                "Call add_smoke_test once for each front door.",
            )
        )
    return problems


def _time_problems(limit: object) -> Iterator[Problem]:
    if isinstance(limit, Unknown):
        message = "must be known at synth, as the timeout of the test's function is worked out from it"
        yield Problem("timeout", limit, message, "Write it as a number, or leave it out.")
    elif found := problem("timeout", limit, Integer(_SHORTEST_SECONDS, LONGEST_SMOKE_TEST, unit="seconds")):
        yield found


def add_smoke_test(
    front_door: Construct, *, function: FunctionReferences, models: Mapping[str, IModelEndpoint], limit: int | None
) -> bool:
    """Test the models that this stack deploys after each deployment; an info of the synthesis names the others.

    Args:
        front_door: The front door.
        function: Its function.
        models: Its endpoints.
        limit: Seconds that the test may take. None: by how long the slowest of the models takes to load.

    Returns:
        Whether there is a model to test, and so a test.
    """
    environment = environment_of(front_door)
    tested: dict[str, DeployedModel] = {}
    skipped: dict[str, str] = {}
    for name, endpoint in models.items():
        deployed: DeployedModel | None = getattr(endpoint, "deployed", None)
        if getattr(endpoint, "wake", None) is not None:
            skipped[name] = "it has no copy while nobody asks, and a test would start one"
        elif deployed is None:
            skipped[name] = "its endpoint is imported, so this deployment does not change it"
        elif not _are_rolled_back_together(environment_of(deployed.after[0]).stack, environment.stack):
            skipped[name] = "its endpoint is in another stack, which a failure here would not roll back"
        else:
            tested[name] = deployed
    if skipped:
        models_and_reasons = "; ".join(f"{name}: {why}" for name, why in skipped.items())
        message = f"The smoke test leaves out {models_and_reasons}."
        Annotations.of(front_door).add_info_v2("tgi-endpoint:notSmokeTested", message)
    if tested:
        scope = Construct(front_door, SCOPE)
        if limit is None:
            limit = smoke_test_seconds(max(model.load_seconds for model in tested.values()))
        _add_resource(scope, environment.stack, function, models, tested, skipped, limit)
    return bool(tested)


def _are_rolled_back_together(one: Stack, other: Stack) -> bool:
    """Whether a failure in one stack rolls back the other: they are the same, or nested in the same one."""
    return one is other or _outermost(one) is _outermost(other)


def _outermost(stack: Stack) -> Stack:
    while parent := stack.nested_stack_parent:
        stack = parent
    return stack


def _add_resource(
    scope: Construct,
    stack: Stack,
    function: FunctionReferences,
    models: Mapping[str, IModelEndpoint],
    tested: Mapping[str, DeployedModel],
    skipped: Mapping[str, str],
    limit: int,
) -> None:
    timeout = limit + SECONDS_TO_REPORT
    main = function.resource
    properties: dict[str, Any] = {
        "ServiceToken": _add_function(scope, function, timeout),
        "ServiceTimeout": timeout + _SECONDS_TO_START,
        "Function": function.name_reference,
        "Models": list(tested),
        **({"Skipped": dict(skipped)} if skipped else {}),
        "Timeout": limit,
        "FrontDoorLogs": function.log_group_name,
        "Logs": {name: model.log_group for name, model in tested.items()},
        "Causes": {name: list(model.likely_causes) for name, model in tested.items()},
        "Hash": late_digest(lambda: _hash(stack, main, models, tested)),
        # Change with what only the deployment knows, such as the value of a parameter.
        "Configurations": list(dict.fromkeys(model.configuration for model in tested.values())),
    }
    resource = CfnResource(scope, "Resource", type="Custom::TgiEndpointSmokeTest", properties=properties)
    for waited_for in dict.fromkeys([main, *(one for model in tested.values() for one in model.after)]):
        resource.add_resource_dependency(waited_for)


def _add_function(scope: Construct, front_door: FunctionReferences, timeout: int) -> str:
    """A function with a role of its own, of L1 resources: the CDK's L2 take a tenth of the synth of a stack.

    Returns:
        Its ARN.
    """
    group = logs.CfnLogGroup(scope, "Logs", retention_in_days=front_door.log_retention_days)
    # As the logs of the other functions: for troubleshooting what is deployed.
    group.apply_removal_policy(RemovalPolicy.DESTROY)
    statements = [
        (["logs:CreateLogStream", "logs:PutLogEvents"], group.attr_arn),
        (["lambda:InvokeFunction"], front_door.arn_reference),
        (["cloudformation:DescribeStacks"], {"Ref": "AWS::StackId"}),
    ]
    role = iam.CfnRole(
        scope,
        "Role",
        description="Assumed by the smoke test of a front door",
        assume_role_policy_document=policy_document(
            {"Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ),
        policies=[
            iam.CfnRole.PolicyProperty(
                policy_name="Test",
                policy_document=policy_document(
                    *({"Action": actions, "Resource": resource} for actions, resource in statements)
                ),
            )
        ],
    )
    code = lambda_asset(scope, "smoke_test")
    function = lambda_.CfnFunction(
        scope,
        "Function",
        architectures=["arm64"],
        code=lambda_.CfnFunction.CodeProperty(s3_bucket=code.s3_bucket_name, s3_key=code.s3_object_key),
        handler="smoke_test.handler.handler",
        description="Tests the models of a front door after a deployment",
        timeout=timeout,
        memory_size=256,
        role=role.attr_arn,
        runtime=newest_python_name(),
        logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=group.ref),
    )
    code.add_resource_metadata(function, "Code")
    acknowledge(function, _FINDINGS)
    return function.attr_arn


def _hash(
    stack: Stack,
    function: lambda_.CfnFunction,
    models: Mapping[str, IModelEndpoint],
    tested: Mapping[str, DeployedModel],
) -> str:
    """A digest of everything that decides how the models answer, as it is at synthesis.

    CloudFormation updates the custom resource, and so runs the test, if a property of it changes.
    """
    parts = [_properties(function), *(_properties(resource) for resource in _serving(tested))]
    content = [stack.resolve(parts), render_models(models).text]
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _serving(tested: Mapping[str, DeployedModel]) -> Iterator[Any]:
    """The resources that decide how the models answer, each once."""
    found: dict[Any, None] = {}
    for model in tested.values():
        for scope in model.scopes:
            found |= dict.fromkeys(one for one in scope.node.find_all() if isinstance(one, _SERVING))
    yield from found


def _properties(resource: Any) -> dict[str, Any]:
    names = next((names for kind, names in _PROPERTIES.items() if isinstance(resource, kind)), None)
    properties: Mapping[str, Any] = resource._cfn_properties
    return {name: value for name, value in properties.items() if name != "tags" and (names is None or name in names)}
