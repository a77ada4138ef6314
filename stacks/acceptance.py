"""What `make acceptance` deploys, probes and deletes: a model behind a front door, and one that goes to zero copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from constructs_lib import (
    EngineEndpoint,
    InstanceType,
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
from stacks.model_stack import ModelStack
from stacks.outputs import add_output

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_cdk import Environment
    from constructs import Construct

NAMES: Final = ("AcceptanceStack", "AcceptanceZeroStack")
"""The stacks that `-c acceptance=on` adds."""

MODEL_NAME: Final = "small"
"""The name that clients use for the model."""

DEFAULT_MODEL: Final = "Qwen/Qwen2.5-0.5B-Instruct"
DEFAULT_ENGINE: Final = "vllm"
"""Not TGI: it does not start Qwen2.5 on the T4 of the cheapest instance type with a GPU, ml.g4dn.xlarge, as its kernels
for sliding windows need an Ampere GPU (huggingface/text-generation-inference issues 2037 and 2456; the plan refuses it
for the same reason). vLLM does, in half precision."""
DEFAULT_INSTANCES: Final = {
    "tgi": "ml.g6.xlarge",
    "vllm": "ml.g4dn.xlarge",
    "sglang": "ml.g4dn.xlarge",
    "lmi": "ml.g4dn.xlarge",
}
"""The cheapest instance type on which the plan says that the engine serves the default model."""
DEFAULT_TOKENS: Final = 32_768
"""The model's context: probes of time limits need long answers."""

Step = Literal["first", "updated", "failing"]
STEPS: Final[tuple[Step, ...]] = ("first", "updated", "failing")

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


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """What is deployed for the probes.

    Args:
        model_id: Repository on the Hugging Face hub.
        engine: `tgi`, `vllm`, `sglang` or `lmi`.
        instance_type: The instance type. Default: that of `DEFAULT_INSTANCES`.
        tokens: The longest request, in tokens.
        step: `first`; `updated` has half the tokens, so that the endpoint is updated; `failing` the same, and an update
            to it fails and is rolled back.

    Raises:
        SystemExit: The engine or the step is unknown, or `tokens` is no number of at least 2048.
    """

    model_id: str = DEFAULT_MODEL
    engine: str = DEFAULT_ENGINE
    instance_type: str | None = None
    tokens: int = DEFAULT_TOKENS
    step: str = "first"

    def __post_init__(self) -> None:
        problems = []
        if self.engine not in _ENGINES:
            problems.append(f"acceptance_engine={self.engine}: must be one of {', '.join(_ENGINES)}.")
        if self.step not in STEPS:
            problems.append(f"acceptance_step={self.step}: must be one of {', '.join(STEPS)}.")
        if self.tokens < _LEAST_TOKENS:
            problems.append(f"acceptance_tokens={self.tokens}: must be at least {_LEAST_TOKENS}.")
        if problems:
            raise SystemExit("\n".join(problems))

    @property
    def instance(self) -> InstanceType:
        """The instance type."""
        return InstanceType.named(self.instance_type or DEFAULT_INSTANCES[self.engine])

    @property
    def endpoint_type(self) -> type[EngineEndpoint]:
        """The construct of the engine."""
        return _ENGINES[self.engine][0]

    @property
    def options(self) -> Any:
        """The engine's options at this step."""
        return _ENGINES[self.engine][1](self.tokens if self.step == "first" else self.tokens // 2)


_LEAST_TOKENS = 2048
_ENGINES: Final[dict[str, tuple[type[EngineEndpoint], Callable[[int], Any]]]] = {
    "tgi": (TgiEndpoint, lambda tokens: TgiOptions(max_input_tokens=tokens - 1, max_total_tokens=tokens)),
    "vllm": (VllmEndpoint, lambda tokens: VllmOptions(max_model_len=tokens)),
    "sglang": (SglangEndpoint, lambda tokens: SglangOptions(context_length=tokens)),
    "lmi": (LmiEndpoint, lambda tokens: LmiOptions(max_model_len=tokens)),
}


def read_acceptance(context: Mapping[str, Any]) -> Acceptance:
    """What the context values `acceptance_…` ask for.

    Raises:
        SystemExit: One is invalid.
    """

    def value(key: str, default: str) -> str:
        found = context.get(f"acceptance_{key}")
        return default if found in (None, "") else str(found)

    tokens = value("tokens", str(DEFAULT_TOKENS))
    if not tokens.isdecimal():
        raise SystemExit(f"acceptance_tokens={tokens}: must be a whole number of at least {_LEAST_TOKENS}.")
    return Acceptance(
        model_id=value("model", DEFAULT_MODEL),
        engine=value("engine", DEFAULT_ENGINE),
        instance_type=value("instance", "") or None,
        tokens=int(tokens),
        step=value("step", "first"),
    )


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
            endpoint_type=acceptance.endpoint_type,
            options=acceptance.options,
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
        construct: Any = acceptance.endpoint_type
        self.endpoint: EngineEndpoint = construct(
            self,
            "Endpoint",
            model=Model.from_hub(acceptance.model_id),
            instance_type=acceptance.instance,
            options=acceptance.options,
            scale_to_zero=ScaleToZero(idle=Duration.minutes(15)),
            detailed_observability=False,
        )
        add_output(self, "EndpointName", self.endpoint.endpoint_name, "Name of the SageMaker endpoint")
        component = self.endpoint.inference_component_name
        if component is None:
            raise AssertionError("an endpoint that scales to zero has an inference component")
        add_output(self, "ComponentName", component, "Name of the inference component")
