"""An inference component: copies of one model on an endpoint's instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Fn
from aws_cdk import aws_sagemaker as sagemaker

if TYPE_CHECKING:
    from constructs import Construct

    from constructs_lib.planning.request import EndpointPlan, EndpointRequest

MIN_MEMORY_MIB = 1024
"""Host memory that SageMaker reserves for a copy: a reservation, not a limit, and the smallest instances accept it."""


class InferenceComponent:
    """Renders an inference component for a SageMaker Model.

    Args:
        scope: The endpoint, or the member of a fleet.
        id: Id of the component's resource.
        endpoint: The endpoint's resource.
        request: What the caller asks for.
        plan: Its plan, without problems: a copy takes the GPUs that share the model.
        model: The Model.
        copies: Copies at creation, at least 1.

    Attributes:
        resource: The component's resource.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: sagemaker.CfnEndpoint,
        request: EndpointRequest,
        plan: EndpointPlan,
        model: sagemaker.CfnModel,
        copies: int = 1,
    ) -> None:
        component = sagemaker.CfnInferenceComponent
        self.resource = component(
            scope,
            id,
            endpoint_name=endpoint.attr_endpoint_name,
            variant_name=request.variant_name,
            runtime_config=component.InferenceComponentRuntimeConfigProperty(copy_count=copies),
            specification=component.InferenceComponentSpecificationProperty(
                model_name=model.attr_model_name,
                startup_parameters=component.InferenceComponentStartupParametersProperty(
                    container_startup_health_check_timeout_in_seconds=request.startup_timeout_seconds
                    or plan.startup_timeout_seconds,
                    model_data_download_timeout_in_seconds=request.model_download_timeout_seconds
                    or plan.model_download_timeout_seconds,
                ),
                compute_resource_requirements=component.InferenceComponentComputeResourceRequirementsProperty(
                    number_of_accelerator_devices_required=plan.num_shard,
                    min_memory_required_in_mb=MIN_MEMORY_MIB,
                ),
            ),
        )

    @property
    def arn(self) -> str:
        """Its ARN."""
        return self.resource.attr_inference_component_arn

    @property
    def name(self) -> str:
        """Its name, which CloudFormation gives only as a part of the ARN."""
        return Fn.select(1, Fn.split("/", self.arn))
