"""What `make acceptance` deploys, probes and deletes: a model behind a front door, and one that goes to zero copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from constructs_lib import (
    EngineEndpoint,
    LmiEndpoint,
    LmiOptions,
    Model,
    ScaleToZero,
    SglangEndpoint,
    SglangOptions,
    TgiEndpoint,
    TgiOptions,
    VllmEndpoint,
    VllmOptions,
)
from constructs_lib._nag import acknowledge
from constructs_lib.acknowledgements import SMOKE_TEST
from stacks.acceptance_settings import MODEL_NAME, NAMES
from stacks.model_stack import ModelStack
from stacks.outputs import add_output

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Environment
    from constructs import Construct

    from stacks.acceptance_settings import Acceptance

# What the function of the recorder does: it logs what CloudFormation asks, and fails when it is told to.
_RECORDER = """import json
import urllib.request


def handler(event, _context):
    url = event.pop("ResponseURL")
    print("asked " + json.dumps(event), flush=True)
    properties = event["ResourceProperties"]
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"PhysicalResourceId": "recorder", "Status": "SUCCESS", "Data": {"Step": properties["Step"]}}
    if properties["Step"] == "failing" and event["RequestType"] == "Update":
        answer |= {"Status": "FAILED", "Reason": "this update is meant to fail"}
    request = urllib.request.Request(url, json.dumps(answer).encode(), method="PUT", headers={"Content-Type": ""})
    urllib.request.urlopen(request, timeout=10)
"""


_ENGINES: Final[dict[str, tuple[type[EngineEndpoint], Callable[[int], Any]]]] = {
    "tgi": (TgiEndpoint, lambda tokens: TgiOptions(max_input_tokens=tokens - 1, max_total_tokens=tokens)),
    "vllm": (VllmEndpoint, lambda tokens: VllmOptions(max_model_len=tokens)),
    "sglang": (SglangEndpoint, lambda tokens: SglangOptions(context_length=tokens)),
    "lmi": (LmiEndpoint, lambda tokens: LmiOptions(max_model_len=tokens)),
}


class AcceptanceStack(ModelStack):
    """The model behind a front door, and a custom resource that records what CloudFormation asks of it.

    Args:
        scope: The app.
        acceptance: What is deployed.
        options: As for `ModelStack`.
    """

    def __init__(self, scope: Construct, *, acceptance: Acceptance, **options: Any) -> None:
        super().__init__(
            scope,
            NAMES[0],
            name=MODEL_NAME,
            model_id=acceptance.model_id,
            instance_type=acceptance.instance,
            endpoint_type=_ENGINES[acceptance.engine][0],
            options=_options(acceptance),
            **options,
        )
        recorder = self._add_recorder(acceptance.step)
        # The last resource: its failure rolls everything else back.
        recorder.node.add_dependency(self.front_door)
        recorder.node.add_dependency(self.endpoint)

    def _add_recorder(self, step: str) -> CustomResource:
        log = logs.LogGroup(
            self, "RecorderLogs", retention=logs.RetentionDays.ONE_WEEK, removal_policy=RemovalPolicy.DESTROY
        )
        role = iam.Role(self, "RecorderRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        granted = log.grant_write(role)
        function = lambda_.CfnFunction(
            self,
            "RecorderFunction",
            description="Logs what CloudFormation asks of a custom resource",
            runtime=lambda_.Runtime.PYTHON_3_14.name,
            architectures=["arm64"],
            handler="index.handler",
            code=lambda_.CfnFunction.CodeProperty(zip_file=_RECORDER),
            role=role.role_arn,
            timeout=30,
            memory_size=128,
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=log.log_group_name),
        )
        granted.apply_before(function)
        acknowledge(function, SMOKE_TEST)  # it is invoked as that one
        add_output(self, "RecorderLogGroup", log.log_group_name, "Log of the custom resource's function")
        return CustomResource(
            self,
            "Recorder",
            service_token=function.attr_arn,
            resource_type="Custom::Recorder",
            service_timeout=Duration.minutes(2),
            properties={"Step": step, "Number": 1, "Truth": True},
        )


class AcceptanceZeroStack(Stack):
    """The same model as an inference component that goes to zero copies after 15 minutes without a request.

    Args:
        scope: The app.
        acceptance: What is deployed.
        env: Account and Region. Default: any; one template for all Regions.
    """

    def __init__(self, scope: Construct, *, acceptance: Acceptance, env: Environment | None = None) -> None:
        super().__init__(
            scope, NAMES[1], env=env, description=f"{acceptance.model_id} on {acceptance.instance.name}, or on nothing"
        )
        construct: Any = _ENGINES[acceptance.engine][0]
        self.endpoint: EngineEndpoint = construct(
            self,
            "Endpoint",
            model=Model.from_hub(acceptance.model_id),
            instance_type=acceptance.instance,
            options=_options(acceptance),
            scale_to_zero=ScaleToZero(idle=Duration.minutes(15)),
            detailed_observability=False,
        )
        add_output(self, "EndpointName", self.endpoint.endpoint_name, "Name of the SageMaker endpoint")
        component = self.endpoint.inference_component_name
        if component is None:
            raise AssertionError("an endpoint that scales to zero has an inference component")
        add_output(self, "ComponentName", component, "Name of the inference component")


def _options(acceptance: Acceptance) -> Any:
    """The engine's options at this step."""
    return _ENGINES[acceptance.engine][1](acceptance.step_tokens)
