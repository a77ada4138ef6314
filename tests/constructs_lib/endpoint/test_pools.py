"""Instance pools, reservations and routing in the template."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, Stack, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from constructs_lib import (
    CapacityReservation,
    ConfigurationError,
    InstanceType,
    Model,
    Routing,
    ScaleToZero,
    TgiEndpoint,
    TgiOptions,
)
from scripts.lint_templates import lint_template
from tests.constructs_lib.rendered import CONFIG, MODEL, POLICY, Json, properties, resources, template_of, text, variant

if TYPE_CHECKING:
    from pathlib import Path

COMPONENT = "AWS::SageMaker::InferenceComponent"
QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
PLAN = "arn:aws:sagemaker:eu-west-1:123456789012:training-plan/p5-for-qwen"
PREFIX = Routing.prefix_aware(shared_bytes=4096, threshold=16)
THREE = [InstanceType.G6_2XLARGE, InstanceType.G5_12XLARGE, InstanceType.G6_12XLARGE]


def synthesized(folder: Path, **arguments: Any) -> Json:
    stack = Stack(App(outdir=str(folder)), "Team", env=Environment(account="123456789012", region="eu-west-1"))
    TgiEndpoint(stack, "Qwen", **({"model": QWEN, "instance_type": InstanceType.G6_2XLARGE} | arguments))
    return template_of(stack)


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """Three instance types by priority; the last two split the model over four GPUs."""
    return synthesized(
        tmp_path_factory.mktemp("pooled"), instance_type=THREE, instance_provision_timeout=Duration.minutes(20)
    )


def test_the_variant_has_its_instance_types_by_priority_and_none_of_its_own(pooled: Json) -> None:
    pools = variant(pooled)["InstancePools"]
    assert [(pool["Priority"], pool["InstanceType"]) for pool in pools] == [
        (1, "ml.g6.2xlarge"),
        (2, "ml.g5.12xlarge"),
        (3, "ml.g6.12xlarge"),
    ]
    assert "InstanceType" not in variant(pooled)
    assert variant(pooled)["VariantInstanceProvisionTimeoutInSeconds"] == 1200


def test_types_that_need_other_variables_have_a_model_which_equal_ones_share(pooled: Json) -> None:
    first, second = resources(pooled, MODEL)
    assert second.startswith("QwenModelG512xlarge")
    models = [
        resources(pooled, MODEL)[name]["Properties"]["PrimaryContainer"]["Environment"] for name in (first, second)
    ]
    assert models[1] == models[0] | {"SM_NUM_GPUS": "4"}
    assert variant(pooled)["ModelName"] == {"Fn::GetAtt": [first, "ModelName"]}
    overrides = [pool.get("ModelNameOverride") for pool in variant(pooled)["InstancePools"]]
    assert overrides == [None, {"Fn::GetAtt": [second, "ModelName"]}, {"Fn::GetAtt": [second, "ModelName"]}]


def test_every_model_waits_for_the_roles_permissions(pooled: Json) -> None:
    policies = set(resources(pooled, POLICY))
    assert policies
    for model in resources(pooled, MODEL).values():
        assert policies <= set(model["DependsOn"])


def test_types_with_the_same_variables_share_the_one_model(tmp_path: Path) -> None:
    template = synthesized(tmp_path, instance_type=(InstanceType.G6_2XLARGE, InstanceType.G5_2XLARGE))
    assert len(resources(template, MODEL)) == 1
    assert variant(template)["InstancePools"] == [
        {"InstanceType": "ml.g6.2xlarge", "Priority": 1},
        {"InstanceType": "ml.g5.2xlarge", "Priority": 2},
    ]


def test_a_list_of_one_type_is_rendered_as_the_type(tmp_path: Path) -> None:
    listed = synthesized(tmp_path / "list", instance_type=[InstanceType.G6_2XLARGE])
    assert listed["Resources"] == synthesized(tmp_path / "type")["Resources"]
    assert variant(listed)["InstanceType"] == "ml.g6.2xlarge"


def test_an_endpoint_may_be_bound_to_reserved_instances(tmp_path: Path) -> None:
    template = synthesized(
        tmp_path, instance_type=InstanceType.P5_4XLARGE, capacity_reservation=CapacityReservation(arn=PLAN)
    )
    assert variant(template)["CapacityReservationConfig"] == {
        "CapacityReservationPreference": "capacity-reservations-only",
        "MlReservationArn": PLAN,
    }


def test_prefix_aware_routing_has_both_of_its_figures(tmp_path: Path) -> None:
    assert variant(synthesized(tmp_path, routing=PREFIX, instance_count=2))["RoutingConfig"] == {
        "RoutingStrategy": "PREFIX_AWARE",
        "PrefixAwareRoutingConfig": {"PrefixLength": 4096, "ConcurrencyThreshold": 16},
    }


def test_values_that_only_the_deployment_knows_are_rendered_as_they_are(stack: Stack) -> None:
    plan, size = CfnParameter(stack, "Plan"), CfnParameter(stack, "Size", type="Number")
    TgiEndpoint(
        stack,
        "Qwen",
        model=QWEN,
        instance_type=InstanceType.P5_4XLARGE,
        capacity_reservation=CapacityReservation(arn=plan.value_as_string),
        routing=Routing.prefix_aware(shared_bytes=size.value_as_number, threshold=16),  # type: ignore[arg-type]
        instance_provision_timeout=Duration.seconds(size.value_as_number),
        instance_count=2,
    )
    found = variant(template_of(stack))
    assert found["CapacityReservationConfig"]["MlReservationArn"] == {"Ref": "Plan"}
    assert found["VariantInstanceProvisionTimeoutInSeconds"] == {"Ref": "Size"}
    assert found["RoutingConfig"]["PrefixAwareRoutingConfig"]["PrefixLength"] == {"Ref": "Size"}


def test_all_mistakes_are_reported_together(stack: Stack) -> None:
    with pytest.raises(ConfigurationError) as raised:
        TgiEndpoint(
            stack,
            "Qwen",
            model=QWEN,
            instance_type=[InstanceType.G5_2XLARGE, "ml.g6.2xlarge"],  # type: ignore[list-item]
            routing=Routing.prefix_aware(shared_bytes=5, threshold=16),
            capacity_reservation=CapacityReservation(arn=PLAN.replace("eu-west-1", "us-east-1")),
            instance_provision_timeout=60,  # type: ignore[arg-type]
        )
    assert [problem.keyword for problem in raised.value.problems] == [
        "instance_type[1]",
        "instance_provision_timeout",
        "routing.shared_bytes",
        "capacity_reservation.arn",
        "capacity_reservation",
    ]
    assert not stack.node.children


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ({"routing": PREFIX}, ["tgi-endpoint:prefixAwareOneInstance"]),
        ({"routing": PREFIX, "instance_count": 2}, []),
        ({"routing": PREFIX, "instance_count": 2, "instance_type": THREE}, ["tgi-endpoint:prefixAwareInstancePools"]),
        (
            {"capacity_reservation": CapacityReservation(arn=PLAN.replace("123456789012", "210987654321"))},
            ["tgi-endpoint:reservationOfOtherAccount"],
        ),
    ],
)
def test_what_may_not_do_what_one_expects_is_a_warning(stack: Stack, arguments: dict[str, Any], ids: list[str]) -> None:
    defaults = {"model": QWEN, "instance_type": InstanceType.G6_2XLARGE, "detailed_observability": False}
    endpoint = TgiEndpoint(stack, "Qwen", **(defaults | arguments))
    found = [str(entry.data) for entry in endpoint.node.metadata if entry.type == "aws:cdk:warning"]
    assert [warning.partition("[ack: ")[2] for warning in found] == [f"{one}]" for one in ids]


@pytest.mark.parametrize(("most", "count"), [(1, 1), (2, 0)])
def test_an_endpoint_that_something_scales_to_two_instances_needs_no_warning(
    stack: Stack, most: int, count: int
) -> None:
    endpoint = TgiEndpoint(stack, "Qwen", model=QWEN, instance_type=InstanceType.G6_2XLARGE, routing=PREFIX)
    endpoint.auto_scale(max_instances=most)
    found = [str(entry.data) for entry in endpoint.node.metadata if entry.type == "aws:cdk:warning"]
    assert sum("prefixAwareOneInstance" in warning for warning in found) == count


def test_a_model_that_goes_to_zero_runs_on_any_of_the_types(tmp_path: Path) -> None:
    types = [InstanceType.G6_2XLARGE, InstanceType.G5_2XLARGE]
    template = synthesized(tmp_path, instance_type=types, scale_to_zero=ScaleToZero())
    assert variant(template)["InstancePools"] == [
        {"InstanceType": "ml.g6.2xlarge", "Priority": 1},
        {"InstanceType": "ml.g5.2xlarge", "Priority": 2},
    ]
    component = properties(template, COMPONENT)
    assert component["Specification"]["ComputeResourceRequirements"]["NumberOfAcceleratorDevicesRequired"] == 1
    assert "Specifications" not in component


def test_a_copy_has_the_model_and_the_gpus_that_suit_the_type_of_its_instance(tmp_path: Path) -> None:
    zero = ScaleToZero(max_copies=3, target=8)
    template = synthesized(tmp_path, instance_type=THREE, scale_to_zero=zero)
    first, second = resources(template, MODEL)
    component = properties(template, COMPONENT)
    assert "Specification" not in component
    assert [
        (
            each["InstanceType"],
            text(each["ModelName"]),
            each["ComputeResourceRequirements"]["NumberOfAcceleratorDevicesRequired"],
        )
        for each in component["Specifications"]
    ] == [
        ("ml.g6.2xlarge", f"<{first}.ModelName>", 1),
        ("ml.g5.12xlarge", f"<{second}.ModelName>", 4),
        ("ml.g6.12xlarge", f"<{second}.ModelName>", 4),
    ]
    pools = variant(template)["InstancePools"]
    assert [pool["InstanceType"] for pool in pools] == ["ml.g6.2xlarge", "ml.g5.12xlarge", "ml.g6.12xlarge"]
    assert not any("ModelNameOverride" in pool for pool in pools)


def test_there_are_instances_enough_for_all_copies_and_an_update_on_the_type_that_holds_fewest(tmp_path: Path) -> None:
    options = TgiOptions(num_shard=1, max_input_tokens=3072, max_total_tokens=4096)
    zero = ScaleToZero(max_copies=6, target=8)
    template = synthesized(tmp_path, instance_type=THREE[::-1], options=options, scale_to_zero=zero)
    assert variant(template)["ManagedInstanceScaling"]["MaxInstanceCount"] == 12


def test_another_list_makes_another_component_beside_the_old_one(tmp_path: Path) -> None:
    names = {
        properties(
            synthesized(
                tmp_path / str(number),
                instance_type=types,
                scale_to_zero=ScaleToZero(),
                replace_on_instance_type_change=True,
            ),
            COMPONENT,
        )["InferenceComponentName"]
        for number, types in enumerate((THREE, THREE[:2]))
    }
    assert len(names) == 2


def test_cloudformations_schemas_and_both_rule_packs_have_no_finding(app: App, stack: Stack) -> None:
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    TgiEndpoint(stack, "Pools", model=QWEN, instance_type=THREE, instance_provision_timeout=Duration.minutes(5))
    TgiEndpoint(stack, "Prefix", model=QWEN, instance_type=THREE[0], instance_count=2, routing=PREFIX)
    reserved = CapacityReservation(arn=PLAN)
    TgiEndpoint(stack, "Zero", model=QWEN, instance_type=THREE, scale_to_zero=ScaleToZero())
    TgiEndpoint(stack, "Reserved", model=QWEN, instance_type=InstanceType.P5_4XLARGE, capacity_reservation=reserved)
    template = template_of(stack)  # synthesis raises when a finding of cdk-nag is open
    assert len(resources(template, CONFIG)) == 4
    assert lint_template(json.dumps(template), ["eu-west-1"]) == []
