"""The smoke test of a front door: a custom resource that fails the deployment if a model gives no token."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from aws_cdk import Annotations, CfnResource, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from constructs_lib._arguments import quantity_problems, seconds
from constructs_lib._functions import lambda_asset, newest_python_name, policy_document
from constructs_lib._lazy import late_local_value
from constructs_lib._nag import acknowledge
from constructs_lib._stack_env import environment_of, share_environment
from constructs_lib._tokens import hide_token
from constructs_lib.acknowledgements import INLINE_POLICIES, SMOKE_TEST
from constructs_lib.front_door.models_file import render_models
from constructs_lib.front_door.routed_models import without_shares
from constructs_lib.front_door.smoke_tested import divide, questions
from constructs_lib.planning.scaling.startup import LONGEST_SMOKE_TEST, smoke_test_seconds
from constructs_lib.planning.validation.problem import Described, Problem
from constructs_lib.planning.validation.rules import Integer, problem
from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from constructs_lib._protection import FunctionProtection
    from constructs_lib.endpoint.interface import DeployedModel
    from constructs_lib.front_door.front_door_function import FrontDoorFunction
    from constructs_lib.front_door.mirror_function import MirrorFunction
    from constructs_lib.front_door.routed_models import RoutedModel
    from constructs_lib.front_door.smoke_tested import Tested

SCOPE = "SmokeTest"
"""Id of the construct below the front door."""

SECONDS_TO_REPORT = 60
"""What the function has beyond the test, to read the stack's status and to report."""
_SHORTEST_SECONDS = 10
_SECONDS_TO_START = 60
"""What CloudFormation waits beyond the function's timeout: it invokes it asynchronously."""

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
    lambda_.CfnFunction: {
        "code",
        "environment",
        "handler",
        "kmsKeyArn",
        "layers",
        "memorySize",
        "runtime",
        "timeout",
        "vpcConfig",
    },
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
    front_door: Construct,
    *,
    function: FrontDoorFunction,
    mirror: MirrorFunction | None,
    models: Mapping[str, RoutedModel],
    limit: int | None,
    protection: FunctionProtection,
) -> bool:
    """Test the models that this stack deploys after each deployment; an info of the synthesis names the others.

    Args:
        front_door: The front door.
        function: Its function.
        mirror: The second function, which calls what gets copies; None without one.
        models: Its models.
        limit: Seconds that the test may take. None: by how long the slowest of the models takes to load.
        protection: How its function is protected, which stays outside the VPC.

    Returns:
        Whether there is a model to test, and so a test.
    """
    tested, skipped = divide(models, environment_of(front_door).stack)
    if skipped:
        models_and_reasons = "; ".join(f"{name}: {why}" for name, why in skipped.items())
        message = f"The smoke test leaves out {models_and_reasons}."
        Annotations.of(front_door).add_info_v2("tgi-endpoint:notSmokeTested", message)
    if tested:
        scope = Construct(front_door, SCOPE)
        share_environment(scope, front_door)
        if limit is None:
            limit = smoke_test_seconds(max(one.deployed.load_seconds for one in tested))
        _add_resource(scope, function, mirror, models, tested, skipped, limit, protection)
    return bool(tested)


def _add_resource(
    scope: Construct,
    function: FrontDoorFunction,
    mirror: MirrorFunction | None,
    models: Mapping[str, RoutedModel],
    tested: Sequence[Tested],
    skipped: Mapping[str, str],
    limit: int,
    protection: FunctionProtection,
) -> None:
    timeout = limit + SECONDS_TO_REPORT
    main, deployed = function.resource, [one.deployed for one in tested]
    asked_mirror = mirror if any(one.is_mirror for one in tested) else None
    functions = [function.arn_reference, *([asked_mirror.arn] if asked_mirror else ())]

    def render_test() -> dict[str, Any]:
        asked = questions(tested, None if mirror is None else mirror.name)
        targets = {label: question for label, question in asked.items() if question}
        return {
            "Models": list(asked),
            **({"Targets": targets} if targets else {}),
            "Hash": _hash(scope, main, models, deployed),
        }

    properties: dict[str, Any] = {
        "ServiceToken": _add_function(scope, function, functions, timeout, protection),
        "ServiceTimeout": timeout + _SECONDS_TO_START,
        "Function": function.name_reference,
        # Variants may be added later.
        "Test": late_local_value(render_test),
        **({"Skipped": dict(skipped)} if skipped else {}),
        "Timeout": limit,
        "FrontDoorLogs": function.log_group_name,
        "Logs": {one.label: one.deployed.log_group for one in tested},
        "Causes": {one.label: list(one.deployed.likely_causes) for one in tested},
        # Change with what only the deployment knows, such as the value of a parameter.
        "Configurations": list(dict.fromkeys(one.configuration for one in deployed)),
    }
    resource = CfnResource(scope, "Resource", type="Custom::TgiEndpointSmokeTest", properties=properties)
    # It waits for the function as well, whose name it has.
    for waited_for in dict.fromkeys(one for model in deployed for one in model.after):
        resource.add_resource_dependency(waited_for)
    if asked_mirror:
        resource.node.add_dependency(asked_mirror)


def _add_function(
    scope: Construct,
    front_door: FrontDoorFunction,
    functions: Sequence[object],
    timeout: int,
    protection: FunctionProtection,
) -> str:
    """A function with a role of its own, of L1 resources: the CDK's L2 take a tenth of the synth of a stack.

    Returns:
        Its ARN.
    """
    group = logs.CfnLogGroup(
        scope, "Logs", retention_in_days=front_door.log_retention_days, kms_key_id=protection.key_arn
    )
    # As the logs of the other functions: for troubleshooting what is deployed.
    group.apply_removal_policy(RemovalPolicy.DESTROY)
    statements = [
        (["logs:CreateLogStream", "logs:PutLogEvents"], group.attr_arn),
        *((["lambda:InvokeFunction"], function) for function in functions),
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
        role=role,
        runtime=newest_python_name(),
        logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=group.ref),
    )
    code.add_resource_metadata(function, "Code")
    acknowledge(scope, SMOKE_TEST, INLINE_POLICIES)
    return function.attr_arn


def _hash(
    scope: Construct,
    function: lambda_.CfnFunction,
    models: Mapping[str, RoutedModel],
    deployed: Sequence[DeployedModel],
) -> str:
    """A digest of everything that decides how the models answer, as it is at synthesis.

    CloudFormation updates the custom resource, and so runs the test, if a property of it changes. Weights and shares of
    copies do not: a failed endpoint is drained by a deployment, which the test of that endpoint would roll back.
    """
    parts = [_properties(function), *(_properties(resource) for resource in _serving(deployed))]
    here = environment_of(scope)
    answering = {name: without_shares(model) for name, model in models.items()}
    content = [here.stack.resolve(parts), render_models(answering, here).text]
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _serving(deployed: Sequence[DeployedModel]) -> Iterator[Any]:
    """The resources that decide how the models answer, each once."""
    found: dict[Any, None] = {}
    for model in deployed:
        for scope in model.scopes:
            found |= dict.fromkeys(one for one in scope.node.find_all() if isinstance(one, _SERVING))
    yield from found


def _properties(resource: Any) -> dict[str, Any]:
    names = next((names for kind, names in _PROPERTIES.items() if isinstance(resource, kind)), None)
    properties: Mapping[str, Any] = resource._cfn_properties
    return {name: value for name, value in properties.items() if name != "tags" and (names is None or name in names)}
