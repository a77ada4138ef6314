"""Resource types that moto lacks: which are recorded, and what refers to them."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.cloudformation import parsing

from local.deployment.control_plane import ACCOUNT, REGION, ControlPlane
from local.deployment.recorded_resources import RECORDED, resources_of
from tests.local.deployment.deployments import StackFailedError, create, delete, update
from tests.local.deployment.scaled_stack import scaled_template

pytestmark = pytest.mark.xdist_group("control_plane")


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as running:
        yield running


def recorded(logical_id: str) -> Any:
    return resources_of(ACCOUNT, REGION)["Scaled", logical_id]


def test_a_type_that_is_neither_supported_nor_listed_fails_the_deployment(plane: ControlPlane) -> None:
    template = {"Resources": {"Fleet": {"Type": "AWS::GameLift::Fleet", "Properties": {}}}}
    with pytest.raises(ClientError) as caught:
        create(plane, template)
    assert caught.value.response["Error"] == {
        "Type": "Sender",
        "Code": "ValidationError",
        "Message": "Fleet: the emulated cloud has no AWS::GameLift::Fleet. If the stack works without its behaviour, "
        "add the type to RECORDED in local/deployment/recorded_resources.py.",
    }


def test_a_custom_resource_needs_something_that_runs_its_function(plane: ControlPlane) -> None:
    token = "arn:aws:lambda:us-east-1:123456789012:function:f"
    template = {"Resources": {"Own": {"Type": "Custom::Own", "Properties": {"ServiceToken": token}}}}
    with pytest.raises(StackFailedError, match=f"Own: {token}: nothing runs functions in this emulated cloud"):
        create(plane, template)


def test_a_resource_whose_condition_is_false_needs_no_support(plane: ControlPlane) -> None:
    fleet = {"Type": "AWS::GameLift::Fleet", "Condition": "Never"}
    topic = {"Type": "AWS::SNS::Topic"}
    conditions = {"Never": {"Fn::Equals": ["a", "b"]}}
    create(plane, {"Conditions": conditions, "Resources": {"Fleet": fleet, "Topic": topic}})


def test_no_type_is_listed_that_moto_supports() -> None:
    assert RECORDED.isdisjoint(parsing.get_model_map())


def test_what_is_recorded_has_resolved_properties_and_cloudformations_ids(plane: ControlPlane) -> None:
    create(plane, scaled_template())
    name, scaled = "Scaled-Component", "inference-component/Scaled-Component"
    dimension = "sagemaker:inference-component:DesiredCopyCount"
    wake = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:Wake:resource/sagemaker/{scaled}:policyName/Wake"
    assert recorded("Component").physical_resource_id == f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{scaled}"
    assert recorded("Target").properties["ResourceId"] == scaled
    assert recorded("Target").physical_resource_id == f"{scaled}|{dimension}|sagemaker"
    assert recorded("Target").get_cfn_attribute("Id") == f"{scaled}|{dimension}|sagemaker"
    assert recorded("Wake").properties["ScalingTargetId"] == f"{scaled}|{dimension}|sagemaker"
    assert recorded("Wake").physical_resource_id == recorded("Wake").get_cfn_attribute("Arn") == wake
    assert recorded("NoCapacity").properties["AlarmActions"] == [wake]
    assert recorded("NoCapacity").properties["Dimensions"] == [{"Name": "InferenceComponentName", "Value": name}]
    alarm = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:Scaled-NoCapacity"
    assert recorded("NoCapacity").get_cfn_attribute("Arn") == alarm


def test_a_generated_component_name_has_at_most_63_characters(plane: ControlPlane) -> None:
    create(plane, scaled_template(), name="S" * 80)
    (component, *_) = resources_of(ACCOUNT, REGION).values()
    assert component.name == "S" * (63 - len("-Component")) + "-Component"


def test_an_update_changes_what_is_recorded(plane: ControlPlane) -> None:
    template = scaled_template()
    create(plane, template)
    template["Resources"]["Target"]["Properties"]["MaxCapacity"] = 5
    del template["Resources"]["NoCapacity"]
    update(plane, template)
    assert recorded("Target").properties["MaxCapacity"] == 5
    assert ("Scaled", "NoCapacity") not in resources_of(ACCOUNT, REGION)


def test_a_refused_update_keeps_what_was_recorded(plane: ControlPlane) -> None:
    template = scaled_template()
    create(plane, template)
    template["Resources"]["Target"]["Properties"]["MinCapacity"] = 9
    with pytest.raises(
        StackFailedError, match="MinCapacity=9, MaxCapacity=2: the minimum must be from 0 to the maximum"
    ):
        update(plane, template)
    assert recorded("Target").properties["MinCapacity"] == 0


def test_a_deleted_stack_leaves_nothing_recorded(plane: ControlPlane) -> None:
    create(plane, scaled_template())
    delete(plane)
    assert resources_of(ACCOUNT, REGION) == {}
