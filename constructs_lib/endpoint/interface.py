"""What every model endpoint offers, whether this app creates it or imports it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import jsii
from aws_cdk import Resource
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk.interfaces.aws_sagemaker import EndpointReference, IEndpointRef

from constructs_lib._tokens import is_token
from constructs_lib.endpoint.inference_component import component_arn
from constructs_lib.endpoint.metrics import EndpointMetrics, VariantMetrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import CfnResource
    from aws_cdk import aws_cloudwatch as cloudwatch
    from constructs import IConstruct

    from constructs_lib.planning.monitoring.capacity import Held
    from constructs_lib.planning.scaling.wake import WakeFacts
    from constructs_lib.planning.serving_limits import ServingFacts


@dataclass(frozen=True, kw_only=True)
class DeployedModel:
    """What this app deploys for a model that always has a copy, for what tests it after that.

    Args:
        after: What is complete when the model serves: the Endpoint, and the inference component if it is one.
        scopes: Constructs below which all is that decides how the model answers: Models, EndpointConfig, Endpoint and
            inference component.
        configuration: Name of the EndpointConfig, another one after each change of it.
        log_group: Name of the log group of the model's containers.
        load_seconds: What image and weights take on a new instance, as an estimate.
        likely_causes: Why it may give no token, the likeliest first.
    """

    after: tuple[CfnResource, ...]
    scopes: tuple[IConstruct, ...]
    configuration: str
    log_group: str
    load_seconds: int
    likely_causes: tuple[str, ...]


class IModelEndpoint(Protocol):
    """A SageMaker endpoint that serves one model, created by this app or imported."""

    @property
    def endpoint_arn(self) -> str:
        """ARN of the endpoint."""

    @property
    def endpoint_name(self) -> str:
        """Name of the endpoint."""

    @property
    def engine(self) -> str:
        """The engine that the container runs, such as `tgi`: a front door knows its protocol by it."""

    @property
    def max_body_bytes(self) -> int:
        """Size limit of one request, in bytes."""

    @property
    def model_id(self) -> str | None:
        """The model's repository on the Hugging Face hub; None if it is unknown or the weights are your own."""

    @property
    def serving(self) -> ServingFacts:
        """What is known at synth about how the model is served."""

    @property
    def inference_component_name(self) -> str | None:
        """The inference component that serves the model; None if the endpoint has no components."""

    @property
    def adapter_components(self) -> Mapping[str, str]:
        """The inference components of LoRA adapters, by the adapters' names; `serving` has those without one."""

    @property
    def wake(self) -> WakeFacts | None:
        """How the model comes back from zero copies; None if it always has one."""

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow a grantee to invoke the endpoint.

        Args:
            grantee: The principal that may invoke it.
        """


@runtime_checkable
class IRolledOut(Protocol):
    """An endpoint whose updates alarms can undo."""

    @property
    def wants_rollback_alarms(self) -> bool:
        """Whether a front door of the same stack brings alarms along."""

    @property
    def has_room_for_rollback_alarm(self) -> bool:
        """Whether SageMaker takes another one for this endpoint."""

    def take_rollback_alarm(self, alarm: cloudwatch.CfnAlarm) -> None:
        """Take an alarm, which depends on nothing."""


@jsii.implements(IEndpointRef)
class EndpointResource(Resource, VariantMetrics):
    """An endpoint for any kind of invocation."""

    @property
    @abstractmethod
    def endpoint_arn(self) -> str:
        """ARN of the endpoint."""

    @property
    @abstractmethod
    def endpoint_name(self) -> str:
        """Name of the endpoint."""

    @property
    @abstractmethod
    def variant_name(self) -> str:
        """Name of the production variant."""

    @property
    def inference_component_name(self) -> str | None:
        """The inference component that serves the model: none."""
        return None

    @property
    def adapter_components(self) -> Mapping[str, str]:
        """The inference components of LoRA adapters, by the adapters' names: none."""
        return {}

    @property
    def endpoint_ref(self) -> EndpointReference:
        """The reference that the CDK's own constructs take."""
        return EndpointReference(endpoint_arn=self.endpoint_arn)


@jsii.implements(sagemaker.IEndpoint)
class EndpointBase(EndpointResource, EndpointMetrics):
    """Grants and metrics of a real-time endpoint, which need only its name and ARN."""

    @property
    def wake(self) -> WakeFacts | None:
        """How the model comes back from zero copies: it always has one."""
        return None

    @property
    def held(self) -> Held | None:
        """What one instance or copy works on at once, by the plan; more wait in it. None if that is not known."""
        return None

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow a grantee to invoke the endpoint, streaming and non-streaming.

        Args:
            grantee: The principal that may invoke it.
        """
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"],
            resource_arns=[self.endpoint_arn, *self._component_arns()],
        )

    def _component_arns(self) -> list[str]:
        """What a caller must be allowed to invoke besides the endpoint."""
        component = self.inference_component_name
        names = [*([component] if component else ()), *self.adapter_components.values()]
        return [component_arn(self, name) for name in names]


def name_in_arn(endpoint_name: str) -> str:
    """The endpoint's name as SageMaker writes it into ARNs: in lower case, and IAM compares ARNs exactly."""
    return endpoint_name if is_token(endpoint_name) else endpoint_name.lower()
