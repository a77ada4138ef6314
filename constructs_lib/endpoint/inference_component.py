"""An inference component: copies of one model on an endpoint's instances."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from aws_cdk import Names
from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from constructs_lib.planning.request import EndpointPlan, EndpointRequest

MIN_MEMORY_MIB = 1024
"""Host memory that SageMaker reserves for a copy: a reservation, not a limit, and the smallest instances accept it."""

_LONGEST_NAME = 63
_ANY_IMBALANCE = 100


def component_name(scope: Construct, home: str | None) -> str:
    """Name of the component of a construct: unique in the account and Region, and another one in another home.

    It has no capitals. CloudFormation gives only a component's ARN, which has its name in lower case, while calls and
    metrics need the name's own case; a name that synth knows also keeps policies that name the component from waiting
    for it.

    Args:
        scope: The endpoint, or the member of a fleet.
        home: What the component cannot leave, such as the name of the endpoint; None if CloudFormation chooses it.
    """
    suffix = ""
    if home is not None and not is_token(home):
        suffix = f"-{sha256(home.encode()).hexdigest()[:8]}"
    unique = Names.unique_resource_name(scope, max_length=_LONGEST_NAME - len(suffix), separator="-")
    return f"{unique}{suffix}".lower()


def component_home(*parts: str | None) -> str:
    """Where a component is for good: with another endpoint or variant it is another component.

    Args:
        parts: The names of both, as far as they are chosen; what only the deployment knows does not count.
    """
    return "-".join(part for part in parts if part and not is_token(part))


def component_arn(scope: Construct, name: str) -> str:
    """ARN of a component in the stack's account and Region.

    Args:
        scope: A construct of the stack.
        name: Name of the component, in lower case as in ARNs.
    """
    return environment_of(scope).arn("sagemaker", f"inference-component/{name}")


class InferenceComponent:
    """Renders an inference component for a SageMaker Model.

    Args:
        scope: The endpoint, or the member of a fleet.
        id: Id of the component's resource.
        name: Its name, from `component_name`.
        endpoint: The endpoint's resource.
        request: What the caller asks for.
        plan: Its plan, without problems: a copy takes the GPUs that share the model.
        model: The Model.
        copies: Copies at creation, at least 1.
        packs: Whether to place copies on as few instances as possible, which keeps room for those that take several
            GPUs. Default: False, SageMaker's own choice.
        pools: The Model of each instance type of the plan, by priority. Default: none, one instance type.

    Attributes:
        name: Its name.
        resource: The component's resource.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        endpoint: sagemaker.CfnEndpoint,
        request: EndpointRequest,
        plan: EndpointPlan,
        model: sagemaker.CfnModel,
        copies: int = 1,
        packs: bool = False,
        pools: Sequence[sagemaker.CfnModel] = (),
    ) -> None:
        component = sagemaker.CfnInferenceComponent

        def specification(planned: EndpointPlan, own: sagemaker.CfnModel) -> dict[str, Any]:
            return {
                "model_name": own.attr_model_name,
                "startup_parameters": component.InferenceComponentStartupParametersProperty(
                    container_startup_health_check_timeout_in_seconds=request.startup_timeout_seconds
                    or plan.startup_timeout_seconds,
                    model_data_download_timeout_in_seconds=request.model_download_timeout_seconds
                    or plan.model_download_timeout_seconds,
                ),
                "compute_resource_requirements": component.InferenceComponentComputeResourceRequirementsProperty(
                    number_of_accelerator_devices_required=planned.accelerators,
                    min_memory_required_in_mb=MIN_MEMORY_MIB,
                ),
                "scheduling_config": _packed() if packs else None,
            }

        several = []
        if not _is_one(plan, pools):
            several = [
                component.InferenceComponentSpecificationForInstanceTypeProperty(
                    instance_type=pool.instance.name, **specification(pool, own)
                )
                for pool, own in zip(plan.pools, pools, strict=True)
            ]
        self.name = name
        self.resource = component(
            scope,
            id,
            inference_component_name=name,
            endpoint_name=endpoint.attr_endpoint_name,
            variant_name=request.variant_name,
            runtime_config=component.InferenceComponentRuntimeConfigProperty(copy_count=copies),
            specifications=several or None,
            specification=None
            if several
            else component.InferenceComponentSpecificationProperty(**specification(plan, model)),
        )


def _is_one(plan: EndpointPlan, pools: Sequence[sagemaker.CfnModel]) -> bool:
    """Whether a copy has the same Model and takes as many GPUs on each instance type."""
    return len(set(pools)) < 2 and all(pool.accelerators == plan.accelerators for pool in plan.pools)


def _packed() -> sagemaker.CfnInferenceComponent.InferenceComponentSchedulingConfigProperty:
    """On as few instances as possible, whatever their Availability Zones, which the schema wants to know as well."""
    component = sagemaker.CfnInferenceComponent
    return component.InferenceComponentSchedulingConfigProperty(
        placement_strategy="BINPACK",
        availability_zone_balance=component.InferenceComponentAvailabilityZoneBalanceProperty(
            enforcement_mode="PERMISSIVE", max_imbalance=_ANY_IMBALANCE
        ),
    )
