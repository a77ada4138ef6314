"""Several models on the instances of one endpoint: the template."""

from __future__ import annotations

import pytest
from aws_cdk import App, CfnParameter, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from constructs_lib import ConfigurationError, FleetModel, Model, Routing
from tests.constructs_lib.endpoint.fleets import (
    QWEN_7B,
    QWEN_32B,
    TARGET,
    arns,
    component_of,
    fleet,
    needed_by,
    new_stack,
    qwen,
    tracking_of,
)
from tests.constructs_lib.rendered import (
    COMPONENT,
    CONFIG,
    ENDPOINT,
    MODEL,
    POLICY,
    ROLE,
    Json,
    only,
    properties,
    resources,
    statements,
    template_of,
    text,
    variant,
)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """A model of one GPU that scales, and one of four that does not, on two or three instances."""
    stack = new_stack(App(outdir=str(tmp_path_factory.mktemp("two"))))
    fleet(stack, {"chat": qwen(copies=(1, 3), request_tokens=4096), "code.v2": qwen(QWEN_32B)}, instances=(2, 3))
    return template_of(stack)


def test_one_endpoint_has_a_model_and_a_component_for_each_model(two: Json) -> None:
    counts = {each: len(resources(two, each)) for each in (ENDPOINT, CONFIG, ROLE, MODEL, COMPONENT)}
    assert counts == {ENDPOINT: 1, CONFIG: 1, ROLE: 1, MODEL: 2, COMPONENT: 2}


def test_the_variant_has_no_model_and_the_instances_follow_the_copies(two: Json) -> None:
    found = variant(two)
    assert "ModelName" not in found
    assert found["ManagedInstanceScaling"] == {"Status": "ENABLED", "MinInstanceCount": 2, "MaxInstanceCount": 3}
    assert (found["InstanceType"], found["InitialInstanceCount"]) == ("ml.g5.12xlarge", 2)
    assert found["InferenceAmiVersion"] == "al2-ami-sagemaker-inference-gpu-3-1"


def test_the_role_is_on_the_configuration_as_no_model_of_the_variant_carries_it(two: Json) -> None:
    (role,) = resources(two, ROLE)
    assert text(properties(two, CONFIG)["ExecutionRoleArn"]) == f"<{role}.Arn>"
    assert {text(one["Properties"]["ExecutionRoleArn"]) for one in resources(two, MODEL).values()} == {f"<{role}.Arn>"}
    assert only(two, CONFIG)["DependsOn"] == list(resources(two, POLICY))


def test_a_copy_gets_the_gpus_that_its_container_is_told_to_use(two: Json) -> None:
    for name, gpus in (("chat", 1), ("code", 4)):
        _, component = component_of(two, name)
        specification = component["Properties"]["Specification"]
        assert specification["ComputeResourceRequirements"]["NumberOfAcceleratorDevicesRequired"] == gpus
        model, _ = specification["ModelName"]["Fn::GetAtt"]
        environment = two["Resources"][model]["Properties"]["PrimaryContainer"]["Environment"]
        assert environment["SM_NUM_GPUS"] == str(gpus)


def test_the_host_memory_of_a_copy_is_a_small_reservation_that_every_instance_accepts(two: Json) -> None:
    _, component = component_of(two, "chat")
    requirements = component["Properties"]["Specification"]["ComputeResourceRequirements"]
    assert requirements["MinMemoryRequiredInMb"] == 1024


def test_a_component_begins_with_its_least_copies(two: Json) -> None:
    _, component = component_of(two, "chat")
    assert component["Properties"]["RuntimeConfig"] == {"CopyCount": 1}


def test_each_model_scales_by_itself_between_its_own_limits(two: Json) -> None:
    logical_id, component = component_of(two, "chat")
    target = only(two, TARGET)  # the other model always has one copy
    assert target["Properties"] == {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
        "ResourceId": f"inference-component/{component['Properties']['InferenceComponentName']}",
        "MinCapacity": 1,
        "MaxCapacity": 3,
    }
    assert target["DependsOn"] == [logical_id]
    tracking = tracking_of(two)
    assert tracking["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"
    }


def test_no_model_waits_for_another_so_that_one_that_fails_keeps_none_from_starting(two: Json) -> None:
    for name, other in (("chat", "code"), ("code", "chat")):
        logical_id, _ = component_of(two, name)
        assert not {each for each in needed_by(two, logical_id) if other in each}


def test_nothing_but_its_own_scaling_waits_for_a_component(two: Json) -> None:
    logical_id, _ = component_of(two, "chat")
    waiting = {each for each in two["Resources"] if logical_id in needed_by(two, each)}
    assert waiting == {each for each in two["Resources"] if "chatScaling" in each}


def test_components_are_deleted_before_the_endpoint_and_after_what_scales_them(two: Json) -> None:
    (endpoint,) = resources(two, ENDPOINT)
    (target,) = resources(two, TARGET)
    logical_id, _ = component_of(two, "chat")
    assert endpoint in needed_by(two, logical_id)
    assert logical_id in needed_by(two, target)


def test_copies_of_several_gpus_keep_their_room_by_packing(two: Json, stack: Stack) -> None:
    _, component = component_of(two, "chat")
    assert component["Properties"]["Specification"]["SchedulingConfig"] == {
        "PlacementStrategy": "BINPACK",
        "AvailabilityZoneBalance": {"EnforcementMode": "PERMISSIVE", "MaxImbalance": 100},
    }
    fleet(stack, {"chat": qwen(), "code": qwen()}, instances=(2, 2))
    for one in resources(template_of(stack), COMPONENT).values():
        assert "SchedulingConfig" not in one["Properties"]["Specification"]


def test_the_role_has_each_permission_once_and_those_of_every_model(stack: Stack) -> None:
    bucket = s3.Bucket(stack, "Weights")
    own = FleetModel(model=Model.from_s3(bucket, "own/v1", like=QWEN_7B))
    fleet(stack, {"chat": qwen(), "own": own, "code": qwen()})
    template = template_of(stack)
    found = [str(one) for one in statements(template)]
    assert len(found) == len(set(found))
    groups = [text(arn) for one in statements(template) if "logs:PutLogEvents" in one["Action"] for arn in arns(one)]
    names = [one["Properties"]["InferenceComponentName"] for one in resources(template, COMPONENT).values()]
    group = "arn:<AWS::Partition>:logs:eu-west-1:123456789012:log-group:/aws/sagemaker"
    assert groups == [
        f"{group}/Endpoints/*",
        *(f"{group}/InferenceComponents/{name}{end}" for name in names for end in ("", ":*")),
    ]
    read = [text(arn) for one in statements(template) if "s3:GetObject" in one["Action"] for arn in arns(one)]
    (weights,) = resources(template, "AWS::S3::Bucket")
    assert read == [f"<{weights}.Arn>/own/v1/*"]


def test_models_wait_for_the_permissions_of_keys_whichever_model_brings_them(stack: Stack) -> None:
    key = kms.Key(stack, "Key")
    bucket = s3.Bucket(stack, "Weights", encryption_key=key)
    own = FleetModel(model=Model.from_s3(bucket, "own/v1", like=QWEN_7B))
    fleet(stack, {"chat": qwen(), "own": own})
    template = template_of(stack)
    policies = set(resources(template, POLICY))
    assert len(policies) == 3, "the fleet's, that of the weights' place, and the grant of the key"
    assert [set(one["DependsOn"]) for one in resources(template, MODEL).values()] == [policies] * 2


def test_in_a_vpc_models_and_endpoint_have_the_same_interfaces(stack: Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    models = {"chat": qwen(), "code": qwen()}
    shared = fleet(stack, models, vpc=vpc)
    shared.connections.allow_to_any_ipv4(ec2.Port.tcp(443))
    template = template_of(stack)
    (group,) = resources(template, "AWS::EC2::SecurityGroup")
    configs = [one["Properties"]["VpcConfig"] for one in [*resources(template, MODEL).values(), only(template, CONFIG)]]
    assert [config["SecurityGroupIds"] for config in configs] == [[{"Fn::GetAtt": [group, "GroupId"]}]] * 3
    assert configs[0] == configs[1] == configs[2]
    allowed = [one for one in statements(template) if "ec2:CreateNetworkInterface" in one["Action"]]
    assert len(allowed) == 1


def test_connections_require_a_vpc(stack: Stack) -> None:
    with pytest.raises(ConfigurationError, match="vpc=None: is required for connections"):
        _ = fleet(stack).connections


def test_network_isolation_is_that_of_the_endpoint_and_of_every_model(stack: Stack) -> None:
    bucket = s3.Bucket(stack, "Weights")
    models = {name: FleetModel(model=Model.from_s3(bucket, name, like=QWEN_7B)) for name in ("a", "b")}
    fleet(stack, models, network_isolation=True)
    template = template_of(stack)
    isolated = [*resources(template, MODEL).values(), only(template, CONFIG)]
    assert [one["Properties"]["EnableNetworkIsolation"] for one in isolated] == [True] * 3


def test_the_callers_role_is_that_of_the_endpoint_and_of_every_model(stack: Stack) -> None:
    role = iam.Role(stack, "Own", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    shared = fleet(stack, {"chat": qwen(), "code": qwen()}, role=role)
    assert shared.role == role
    template = template_of(stack)
    (own,) = resources(template, ROLE)
    roles = [*resources(template, MODEL).values(), only(template, CONFIG)]
    assert {text(one["Properties"]["ExecutionRoleArn"]) for one in roles} == {f"<{own}.Arn>"}


def test_what_all_models_share_is_rendered_once(stack: Stack) -> None:
    fleet(
        stack,
        {"chat": qwen(startup_timeout=Duration.minutes(30)), "code": qwen()},
        routing=Routing.prefix_aware(shared_bytes=2048, threshold=4),
        instances=(2, 2),
        instance_provision_timeout=Duration.minutes(10),
        endpoint_name="shared-prod",
        tags={"team": "chat"},
    )
    template = template_of(stack)
    found = variant(template)
    assert found["RoutingConfig"]["RoutingStrategy"] == "PREFIX_AWARE"
    assert found["VariantInstanceProvisionTimeoutInSeconds"] == 600
    assert properties(template, ENDPOINT)["EndpointName"] == "shared-prod"
    timeouts = [
        component_of(template, name)[1]["Properties"]["Specification"]["StartupParameters"] for name in ("chat", "code")
    ]
    assert [one["ContainerStartupHealthCheckTimeoutInSeconds"] for one in timeouts] == [1800, 1200]
    tagged = [one["Properties"]["Tags"] for one in resources(template, COMPONENT).values()]
    assert tagged == [[{"Key": "team", "Value": "chat"}]] * 2


def test_an_update_keeps_the_instances_that_the_copies_have_called_for(two: Json) -> None:
    endpoint = properties(two, ENDPOINT)
    assert endpoint["RetainAllVariantProperties"] is True
    assert {one["VariantPropertyType"] for one in endpoint["ExcludeRetainedVariantProperties"]} == {
        "DesiredWeight",
        "DataCaptureConfig",
    }


def test_another_model_changes_nothing_of_the_endpoint_and_of_the_others() -> None:
    first, second = (new_stack(App()) for _ in range(2))
    fleet(first, {"chat": qwen()})
    fleet(second, {"chat": qwen(), "code": qwen()})
    before, after = (template_of(stack)["Resources"] for stack in (first, second))
    changed = {key for key in before if before[key] != after.get(key)}
    assert changed == {key for key in before if before[key]["Type"] == POLICY}


def test_another_endpoint_name_makes_other_components_as_a_component_cannot_move() -> None:
    found = []
    for name in (None, "blue", "green"):
        stack = new_stack(App())
        fleet(stack, endpoint_name=name)
        ((logical_id, component),) = resources(template_of(stack), COMPONENT).items()
        found.append((logical_id, component["Properties"]["InferenceComponentName"]))
    assert len({logical_id for logical_id, _ in found}) == len({name for _, name in found}) == 3


def test_a_name_that_only_the_deployment_knows_is_that_of_the_endpoint(stack: Stack) -> None:
    fleet(stack, endpoint_name=CfnParameter(stack, "Name").value_as_string)
    template = template_of(stack)
    assert properties(template, ENDPOINT)["EndpointName"] == {"Ref": "Name"}
    assert list(resources(template, COMPONENT)) == [component_of(template, "chatComponent")[0]]


def test_names_that_differ_in_a_dot_only_are_different_models(stack: Stack) -> None:
    fleet(stack, {"v1.0": qwen(), "v10": qwen(), "V10": qwen()})
    found = resources(template_of(stack), COMPONENT)
    assert len({one["Properties"]["InferenceComponentName"] for one in found.values()}) == len(found) == 3
