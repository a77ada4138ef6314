"""SageMaker's and Application Auto Scaling's rules for what is deployed, and the order that deployments need."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.deployment.control_plane import ControlPlane
from local.deployment.instance_sizes import Demand, InstanceSize, instances_for
from tests.local.deployment.deployments import StackFailedError, create, delete, update
from tests.local.deployment.scaled_stack import ENDPOINT, adapter, component, model, scaled_template

pytestmark = pytest.mark.xdist_group("control_plane")

NO_ROOM = (
    "There is not enough hardware resources on the instances for this endpoint to create a copy of the inference "
    "component."
)


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as running:
        yield running


@pytest.fixture
def template() -> dict[str, Any]:
    return scaled_template()


def refused(plane: ControlPlane, template: dict[str, Any]) -> str:
    """Why a stack is not created; nothing is left of it."""
    with pytest.raises(StackFailedError) as caught:
        create(plane, template)
    delete(plane)
    return str(caught.value)


def properties(template: dict[str, Any], logical_id: str) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"][logical_id]["Properties"]
    return found


def test_a_variant_without_a_model_needs_an_execution_role(plane: ControlPlane, template: dict[str, Any]) -> None:
    del properties(template, "Config")["ExecutionRoleArn"]
    assert refused(plane, template) == "Config: Variant AllTraffic has no ModelName: ExecutionRoleArn is required."


def test_an_endpoint_with_a_model_takes_no_components(plane: ControlPlane, template: dict[str, Any]) -> None:
    properties(template, "Config")["ProductionVariants"][0]["ModelName"] = {"Fn::GetAtt": ["Model", "ModelName"]}
    assert refused(plane, template) == "Component: Inference Components are not supported in this Endpoint"


def test_a_component_is_not_created_with_zero_copies(plane: ControlPlane, template: dict[str, Any]) -> None:
    template["Resources"]["Component"] = component(copies=0)
    assert refused(plane, template) == "Component: Inference components copy count must be an integer larger than 0"


@pytest.mark.parametrize(
    ("changes", "instances"),
    [
        ({"memory": 4096}, 2),
        ({"accelerators": 2}, 2),
        ({"copies": 3}, 2),
    ],
    ids=["too much memory", "more GPUs than an instance has", "more copies than instances"],
)
def test_a_component_that_never_finds_room_is_refused(
    plane: ControlPlane, changes: dict[str, int], instances: int
) -> None:
    template = scaled_template(instances=instances)
    template["Resources"]["Component"] = component(**changes)
    assert refused(plane, template) == f"Component: Scaled-Component: {NO_ROOM}"


def test_copies_are_placed_on_more_instances_up_to_the_maximum(plane: ControlPlane) -> None:
    template = scaled_template(instances=2)
    template["Resources"]["Component"] = component(copies=2)
    create(plane, template)


def test_components_share_the_gpus_of_an_instance(plane: ControlPlane) -> None:
    template = scaled_template(instance_type="ml.g5.12xlarge", instances=1)
    template["Resources"] |= {"Other": model(), "Second": component("Other", accelerators=2, copies=1)}
    template["Resources"]["Component"] = component(accelerators=2)
    create(plane, template)
    delete(plane)
    template["Resources"]["Third"] = component("Other")
    assert refused(plane, template).endswith(NO_ROOM)


def test_without_managed_scaling_there_are_only_the_initial_instances(
    plane: ControlPlane, template: dict[str, Any]
) -> None:
    del properties(template, "Config")["ProductionVariants"][0]["ManagedInstanceScaling"]
    template["Resources"]["Component"] = component(copies=2)
    assert refused(plane, template).endswith(NO_ROOM)


def test_a_component_of_a_variant_or_model_that_does_not_exist_is_refused(
    plane: ControlPlane, template: dict[str, Any]
) -> None:
    properties(template, "Component")["VariantName"] = "Other"
    assert refused(plane, template) == "Component: VariantName=Other: the endpoint has only AllTraffic."


def test_a_pool_of_instance_types_counts_with_its_first_priority(plane: ControlPlane, template: dict[str, Any]) -> None:
    variant = properties(template, "Config")["ProductionVariants"][0]
    del variant["InstanceType"]
    pools = [("ml.g5.xlarge", 2), ("ml.g5.12xlarge", 1)]
    variant["InstancePools"] = [{"InstanceType": name, "Priority": priority} for name, priority in pools]
    template["Resources"]["Component"] = component(accelerators=4)
    create(plane, template)
    delete(plane)
    variant["InstancePools"][0]["InstanceType"] = "ml.g5.3xlarge"
    assert refused(plane, template).startswith("Config: Value 'ml.g5.3xlarge' at 'instanceType'")


@pytest.mark.parametrize(
    ("logical_id", "change", "message"),
    [
        (
            "Target",
            {"ResourceId": "inference-component/other"},
            "Target: ResourceId=inference-component/other: no such inference component.",
        ),
        (
            "Target",
            {"ResourceId": "endpoint/e/variant/v"},
            (
                "Target: ResourceId=endpoint/e/variant/v: must be inference-component/(?P<component>[^/]+) for "
                "sagemaker:inference-component:DesiredCopyCount."
            ),
        ),
        (
            "Target",
            {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"},
            (
                "Target: ecs:service:DesiredCount: the emulated cloud scales only "
                "sagemaker:variant:DesiredInstanceCount and sagemaker:inference-component:DesiredCopyCount."
            ),
        ),
        ("Wake", {"ScalingTargetId": "a|b|c"}, "Wake: No scalable target is registered for a|b|c."),
    ],
)
def test_scaling_of_what_does_not_exist_is_refused(
    plane: ControlPlane, template: dict[str, Any], logical_id: str, change: dict[str, Any], message: str
) -> None:
    properties(template, logical_id).update(change)
    assert refused(plane, template) == message


def instance_target(template: dict[str, Any], minimum: int) -> None:
    """Scales the variant instead of the component."""
    template["Resources"] = {name: template["Resources"][name] for name in ("Model", "Config", "Endpoint", "Target")}
    properties(template, "Config")["ProductionVariants"][0]["ModelName"] = {"Fn::GetAtt": ["Model", "ModelName"]}
    template["Outputs"] = {}
    properties(template, "Target").update(
        {
            "ResourceId": {"Fn::Join": ["/", ["endpoint", ENDPOINT, "variant/AllTraffic"]]},
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "MinCapacity": minimum,
        }
    )


def test_a_variant_with_a_model_keeps_an_instance(plane: ControlPlane, template: dict[str, Any]) -> None:
    instance_target(template, minimum=0)
    assert refused(plane, template) == "Target: MinCapacity=0: a variant with a model keeps at least one instance."
    template = scaled_template()
    instance_target(template, minimum=1)
    create(plane, template, name="Other")


def test_a_component_that_only_names_its_endpoint_needs_a_dependency(
    plane: ControlPlane, template: dict[str, Any]
) -> None:
    properties(template, "Endpoint")["EndpointName"] = "prod"
    properties(template, "Component")["EndpointName"] = "prod"
    assert refused(plane, template).startswith("Component: Could not find endpoint")
    template["Resources"]["Component"]["DependsOn"] = "Endpoint"
    create(plane, template, name="Ordered")
    delete(plane, "Ordered")


def test_an_endpoint_is_not_deleted_before_its_components(plane: ControlPlane, template: dict[str, Any]) -> None:
    properties(template, "Endpoint")["EndpointName"] = "prod"
    create(plane, template)
    with pytest.raises(ClientError, match="Cannot delete endpoint prod: it still has the inference components Scaled-"):
        plane.client("sagemaker").delete_endpoint(EndpointName="prod")


def test_deleting_a_stack_fails_if_its_endpoint_may_go_first(plane: ControlPlane, template: dict[str, Any]) -> None:
    components = {name: template["Resources"].pop(name) for name in ("Component", "Target", "Wake", "NoCapacity")}
    components["Component"]["Properties"]["EndpointName"] = "prod"
    components["Model"] = model()
    properties(template, "Endpoint")["EndpointName"] = "prod"
    template["Outputs"] = {}
    create(plane, template, name="Endpoint")
    create(plane, {"Resources": components}, name="Components")
    with pytest.raises(
        StackFailedError, match="Endpoint: Cannot delete endpoint prod: it still has the inference comp"
    ):
        delete(plane, "Endpoint")


def test_an_update_of_the_configuration_keeps_the_components(plane: ControlPlane, template: dict[str, Any]) -> None:
    create(plane, template)
    properties(template, "Config")["ProductionVariants"][0]["InstanceType"] = "ml.g5.2xlarge"
    update(plane, template)
    sagemaker = plane.client("sagemaker")
    (endpoint,) = sagemaker.list_endpoints()["Endpoints"]
    config = sagemaker.describe_endpoint(EndpointName=endpoint["EndpointName"])["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    assert variant["InstanceType"] == "ml.g5.2xlarge"


def test_the_sizes_of_instances_are_ec2s() -> None:
    assert InstanceSize.of("ml.g5.12xlarge") == InstanceSize(accelerators=4, memory=196_608)
    assert InstanceSize.of("ml.inf2.48xlarge").accelerators == 12
    assert InstanceSize.of("ml.m5.large").accelerators == 0
    with pytest.raises(ValueError, match=r"ml\.g5\.3xlarge: EC2 has no such instance type\."):
        InstanceSize.of("ml.g5.3xlarge")


def test_copies_take_the_fewest_instances_that_first_fit_finds() -> None:
    size = InstanceSize(accelerators=4, memory=1000)
    assert instances_for([], size) == 0
    assert instances_for([Demand(2, 100)] * 3, size) == 2
    assert instances_for([Demand(1, 100), Demand(3, 100), Demand(4, 100)], size) == 2
    assert instances_for([Demand(1, 600)] * 2, size) == 2
    assert instances_for([Demand(5, 100)], size) is None


def test_an_adapter_needs_a_component_of_its_endpoint_and_weights(plane: ControlPlane) -> None:
    template = scaled_template()
    template["Resources"]["Adapter"] = adapter()
    specification = properties(template, "Adapter")["Specification"]
    specification["BaseInferenceComponentName"] = "other"
    assert refused(plane, template) == (
        "Adapter: BaseInferenceComponentName=other: the endpoint has no inference component of this name."
    )
    template["Resources"]["Adapter"] = adapter()
    del properties(template, "Adapter")["Specification"]["Container"]
    assert refused(plane, template) == "Adapter: Scaled-Adapter: an adapter requires Container.ArtifactUrl."
