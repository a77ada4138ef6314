"""Several models on the instances of one endpoint."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from constructs_lib import (
    ConfigurationError,
    FleetModel,
    InstanceType,
    Model,
    ModelFleet,
    Routing,
    ScaleToZero,
    TgiImage,
    TgiOptions,
)
from constructs_lib.endpoint.container_image import CatalogueImage, ContainerImage
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.fleet_plan import plan_copy
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.summary import METADATA, PlanSummary, concurrent_requests
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

if TYPE_CHECKING:
    from collections.abc import Mapping

TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
SCALING_POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
QWEN_7B = "Qwen/Qwen2.5-7B-Instruct"
QWEN_32B = "Qwen/Qwen2.5-32B-Instruct"


def qwen(hub_id: str = QWEN_7B, **arguments: Any) -> FleetModel:
    return FleetModel(model=Model.from_hub(hub_id), **arguments)


def fleet(stack: Stack, models: Mapping[str, Any] | None = None, **arguments: Any) -> ModelFleet:
    defaults = {"models": models or {"chat": qwen()}, "instance_type": InstanceType.G5_12XLARGE}
    return ModelFleet(stack, "Fleet", **(defaults | arguments))


def new_stack(app: App, name: str = "Team") -> Stack:
    return Stack(app, name, env=Environment(account="123456789012", region="eu-west-1"))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """A model of one GPU that scales, and one of four that does not, on two or three instances."""
    stack = new_stack(App(outdir=str(tmp_path_factory.mktemp("two"))))
    fleet(stack, {"chat": qwen(copies=(1, 3), request_tokens=4096), "code.v2": qwen(QWEN_32B)}, instances=(2, 3))
    return template_of(stack)


def component_of(template: Json, name: str) -> tuple[str, Json]:
    """Logical id and resource of the component of a model."""
    ((logical_id, found),) = ((key, one) for key, one in resources(template, COMPONENT).items() if name in key)
    return logical_id, found


def tracking_of(template: Json) -> Json:
    """The only policy that tracks a target."""
    (found,) = (
        one["Properties"]["TargetTrackingScalingPolicyConfiguration"]
        for one in resources(template, SCALING_POLICY).values()
        if one["Properties"]["PolicyType"] == "TargetTrackingScaling"
    )
    return dict(found)


def refusal(stack: Stack, models: Any = None, **arguments: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        fleet(stack, models, **arguments)
    assert [child.node.id for child in stack.node.children if child.node.id == "Fleet"] == []
    return [str(problem) for problem in raised.value.problems]


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


def test_the_target_is_worked_out_from_what_one_copy_holds_and_not_the_instance() -> None:
    one_gpu, four_gpus = new_stack(App()), new_stack(App())
    models = {"chat": qwen(copies=(1, 2), request_tokens=4096)}
    fleet(one_gpu, models, instance_type=InstanceType.G5_2XLARGE, instances=(1, 2))
    fleet(four_gpus, models, instances=(1, 2))
    targets = [tracking_of(template_of(stack))["TargetValue"] for stack in (one_gpu, four_gpus)]
    assert targets[0] == targets[1] > 1


def test_a_target_of_ones_own_takes_its_place(stack: Stack) -> None:
    fleet(stack, {"chat": qwen(copies=(1, 2), concurrency_target=9)}, instances=(1, 2))
    assert tracking_of(template_of(stack))["TargetValue"] == 9


def test_schedules_and_further_policies_are_added_to_the_scaling_of_a_model(stack: Stack) -> None:
    models = fleet(stack, {"chat": qwen(copies=(1, 2)), "code": qwen()}, instances=(1, 2)).models
    assert models["chat"].scaling is not None
    models["chat"].scaling.on_invocations(per_minute=60)
    assert models["code"].scaling is None
    policies = resources(template_of(stack), SCALING_POLICY).values()
    assert {one["Properties"]["PolicyName"] for one in policies} >= {"Concurrency", "Invocations"}


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


def needed_by(template: Json, logical_id: str) -> set[str]:
    """What CloudFormation creates before a resource, and deletes after it."""
    found: set[str] = set()
    waiting = [logical_id]
    while waiting:
        resource = template["Resources"][waiting.pop()]
        direct = {one for one in references(resource) if one in template["Resources"]} - found
        found |= direct
        waiting += direct
    return found


def references(value: Any) -> set[str]:
    """Logical ids in DependsOn, Ref and Fn::GetAtt."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return {name}
        case dict():
            named = value.get("DependsOn", [])
            return {*named, *(each for part in value.values() for each in references(part))}
        case list():
            return {each for part in value for each in references(part)}
        case _:
            return set()


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


def arns(statement: Json) -> list[Any]:
    return statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]


def test_models_wait_for_the_permissions_of_keys_whichever_model_brings_them(stack: Stack) -> None:
    key = kms.Key(stack, "Key")
    bucket = s3.Bucket(stack, "Weights", encryption_key=key)
    own = FleetModel(model=Model.from_s3(bucket, "own/v1", like=QWEN_7B))
    fleet(stack, {"chat": qwen(), "own": own})
    template = template_of(stack)
    policies = set(resources(template, POLICY))
    assert len(policies) == 2
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


def test_a_member_is_a_model_endpoint_of_its_own(stack: Stack) -> None:
    shared = fleet(stack, {"chat": qwen(options=TgiOptions(max_input_tokens=1000, max_total_tokens=2000))})
    member = shared.models["chat"]
    assert (member.engine, member.model_id, member.max_body_bytes) == ("tgi", QWEN_7B, 6_291_456)
    assert member.serving.max_total_tokens == 2000
    assert stack.resolve(member.endpoint_name) == stack.resolve(shared.endpoint_name)
    assert stack.resolve(member.endpoint_arn) == stack.resolve(shared.endpoint_arn)
    assert member.inference_component_name == "team-fleet-models-chat-62431e5c"
    assert member.variant_name == shared.variant_name == "AllTraffic"
    assert member.wake is None


def test_a_grantee_of_a_member_may_call_that_model_only_and_one_of_the_fleet_every_model(stack: Stack) -> None:
    shared = fleet(stack, {"chat": qwen(), "code": qwen()})
    callers = [iam.Role(stack, name, assumed_by=iam.AccountRootPrincipal()) for name in ("One", "All")]
    shared.models["chat"].grant_invoke(callers[0])
    shared.grant_invoke(callers[1])
    policies = resources(template_of(stack), POLICY)

    def allowed(name: str) -> list[str]:
        (policy,) = (one for key, one in policies.items() if key.startswith(name))
        found = policy["Properties"]["PolicyDocument"]["Statement"]
        return [text(arn).rpartition(":")[2].partition("models-")[2] or text(arn) for one in found for arn in arns(one)]

    (endpoint,) = resources(template_of(stack), ENDPOINT)
    assert allowed("One") == [f"<{endpoint}>", "chat-62431e5c"]
    assert [each.partition("-")[0] for each in allowed("All")] == [f"<{endpoint}>", "chat", f"<{endpoint}>", "code"]


def test_a_grantee_may_be_given_permissions_through_the_fleet(stack: Stack) -> None:
    s3.Bucket(stack, "Prompts").grant_read(fleet(stack))
    allowed = [one for one in statements(template_of(stack)) if "s3:GetObject*" in one["Action"]]
    assert len(allowed) == 1


def test_a_model_that_goes_to_zero_begins_with_one_copy_and_scales_from_none(stack: Stack) -> None:
    shared = fleet(stack, {"chat": qwen(), "night": qwen(scale_to_zero=ScaleToZero())})
    template = template_of(stack)
    _, component = component_of(template, "night")
    assert component["Properties"]["RuntimeConfig"] == {"CopyCount": 1}
    assert properties(template, TARGET)["MinCapacity"] == 0
    assert shared.models["night"].wake is not None
    assert shared.models["chat"].wake is None
    assert shared.models["night"].scaling is None


def test_without_a_model_that_stays_there_may_be_no_instance_but_a_new_endpoint_has_some(stack: Stack) -> None:
    models = {name: qwen(QWEN_32B, scale_to_zero=ScaleToZero()) for name in ("a", "b")}
    fleet(stack, models, instances=(0, 2))
    found = variant(template_of(stack))
    assert found["ManagedInstanceScaling"] == {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 2}
    assert found["InitialInstanceCount"] == 2


def test_no_instance_is_refused_as_long_as_a_model_stays(stack: Stack) -> None:
    models = {"chat": qwen(), "night": qwen(scale_to_zero=ScaleToZero())}
    assert refusal(stack, models, instances=(0, 1)) == [
        "instances=(0, 1): must be the least and the most instances, from 1 to 1000. Write (1, 1)."
    ]


def test_scale_to_zero_takes_the_place_of_what_scales_a_model_that_stays(stack: Stack) -> None:
    models = {"night": qwen(scale_to_zero=ScaleToZero(), copies=(1, 2), concurrency_target=4)}
    assert [one.partition(":")[0] for one in refusal(stack, models)] == [
        "models['night'].copies=(1, 2)",
        "models['night'].concurrency_target=4",
    ]


def test_copies_of_none_are_refused_as_sagemaker_creates_no_component_without(stack: Stack) -> None:
    assert refusal(stack, {"chat": qwen(copies=(0, 2))}) == [
        "models['chat'].copies=(0, 2): must be the least and the most copies, from 1 to 1000. Write (1, 2)."
    ]


def test_all_problems_are_reported_together_under_the_names_of_the_models(stack: Stack) -> None:
    models = {
        "a b": qwen(),
        "chat": qwen(options=TgiOptions(max_batch_size=0), copies=(2, 1)),
        "code": qwen(environment={"HF_MODEL_ID": "x"}, request_tokens=0, concurrency_target=-1),
        "own": Model.from_hub(QWEN_7B),
    }
    found = refusal(stack, models, instances=(3, 1), role=5, endpoint_name="a_b")
    assert [one.partition(":")[0].partition("=")[0] for one in found] == [
        "models",
        "models['own']",
        "endpoint_name",
        "models['chat'].options.max_batch_size",
        "models['code'].environment['HF_MODEL_ID']",
        "models['chat'].copies",
        "instances",
        "role",
        "models['code'].concurrency_target",
        "models['code'].request_tokens",
    ]


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ([qwen()], "models=[…]: must be a mapping of name to FleetModel, not list"),
        ({}, "models={}: must have at least one model. Write"),
    ],
)
def test_models_are_a_mapping_with_at_least_one(stack: Stack, models: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        ModelFleet(stack, "Fleet", models=models, instance_type=InstanceType.G5_12XLARGE)
    (found,) = raised.value.problems
    assert words.partition(": ")[2] in str(found)


def test_the_instance_type_is_named(stack: Stack) -> None:
    cheapest: Any = InstanceType.cheapest_for(tokens=4096)
    pools: Any = [InstanceType.G5_12XLARGE, InstanceType.G6_12XLARGE]
    assert "must be an InstanceType, not CheapestFor" in refusal(stack, instance_type=cheapest)[0]
    assert "must be an InstanceType, not list" in refusal(stack, instance_type=pools)[0]


def test_numbers_that_only_the_deployment_knows_are_refused(stack: Stack) -> None:
    number: Any = CfnParameter(stack, "Count", type="Number").value_as_number
    found = refusal(stack, {"chat": qwen(copies=(1, number))}, instances=(1, number))
    assert [one.partition("=")[0] for one in found] == ["models['chat'].copies", "instances"]
    assert all("must be known at synth" in one for one in found)


def test_a_target_is_required_where_the_plan_does_not_know_what_a_copy_holds(stack: Stack) -> None:
    own = FleetModel(model=Model.from_hub("owner/unheard-of"), options=TgiOptions(num_shard=1), copies=(1, 2))
    assert refusal(stack, {"own": own}) == [
        (
            "models['own'].concurrency_target=None: is required to scale this model: the plan does not know how many"
            " requests a copy holds. Set it to the requests in progress at once that a copy should have."
        )
    ]


def test_the_image_has_to_be_one_of_the_engine(stack: Stack) -> None:
    image = ContainerImage(ImageChoice(version="3.3.6"), CatalogueImage(TGI.images, "3.3.6"))
    (found,) = refusal(stack, {"chat": qwen(image=image)})
    assert "models['chat'].image" in found
    assert "must be a TgiImage for TGI, not ContainerImage. Write TgiImage.version(…)." in found


def test_images_of_different_cuda_releases_share_the_host_that_runs_both(stack: Stack) -> None:
    models = {"old": qwen(image=TgiImage.version("2.2.0")), "new": qwen()}
    fleet(stack, models)
    assert variant(template_of(stack))["InferenceAmiVersion"] == "al2-ami-sagemaker-inference-gpu-3-1"


def warnings_of(stack: Stack) -> dict[str, list[str]]:
    """Ids of warnings by the path of the construct that they are about."""
    found: dict[str, list[str]] = {}
    for node in stack.node.find_all():
        for entry in node.node.metadata:
            if entry.type == "aws:cdk:warning":
                found.setdefault(node.node.path, []).append(entry.data.rpartition("tgi-endpoint:")[2].rstrip("]"))
    return found


def test_a_region_that_refuses_no_instance_matters_only_to_a_fleet_without(app: App) -> None:
    found = []
    for number, instances in enumerate([(0, 2), (1, 2)]):
        stack = Stack(app, f"Paris{number}", env=Environment(account="123456789012", region="eu-west-3"))
        fleet(stack, {"night": qwen(scale_to_zero=ScaleToZero())}, instances=instances)
        found.append(warnings_of(stack))
    assert found == [{"Paris0/Fleet/Models/night": ["zeroInstancesRefused"]}, {}]


def test_what_is_risky_about_the_arguments_that_all_share_is_said_once(stack: Stack) -> None:
    routing = Routing.prefix_aware(shared_bytes=2048, threshold=4)
    fleet(stack, {"chat": qwen(), "code": qwen()}, routing=routing)
    assert warnings_of(stack) == {"Team/Fleet": ["prefixAwareOneInstance"]}


def test_the_plan_of_a_fleet_is_listed_with_its_gpus_and_its_price(stack: Stack) -> None:
    models = {"chat": qwen(copies=(2, 4), concurrency_target=4), "code": qwen(QWEN_32B)}
    shared = fleet(stack, models, instances=(2, 3))
    ((data,),) = [[one.data for one in shared.node.metadata if one.type == METADATA]]
    found = PlanSummary.from_json(data)
    assert found.model == f"{QWEN_7B}, {QWEN_32B}"
    assert (found.instances, found.min_instances, found.max_instances) == (["ml.g5.12xlarge"], 2, 3)
    assert (found.num_shard, found.accelerator) == (6, "A10G")
    assert (found.min_usd_per_hour, found.max_usd_per_hour) == (
        shared.capacity.min_usd_per_hour,
        shared.capacity.max_usd_per_hour,
    )


def test_its_price_is_that_of_the_least_and_of_the_most_instances_and_of_the_streams_of_all_models(
    stack: Stack,
) -> None:
    shared = fleet(stack, {"chat": qwen(copies=(1, 2), concurrency_target=4), "code": qwen()}, instances=(1, 2))
    assert shared.describe_price() == "7.090 USD at minimum, 14.180 USD at maximum"
    found = shared.describe_price(front_door_memory=256)
    assert found is not None
    (streams,) = re.findall(r" per hour of (\d+) open streams of 1024 tokens$", found)
    (data,) = (one.data for one in shared.node.metadata if one.type == METADATA)
    assert int(streams) == PlanSummary.from_json(data).streams
    one = plan_copy(shared.models["chat"]._planned.request)
    assert int(streams) == 3 * (concurrent_requests(one, 1024) or 0)


def test_warnings_are_those_of_the_model_that_they_are_about(stack: Stack) -> None:
    own = FleetModel(model=Model.from_hub("owner/unheard-of"), options=TgiOptions(num_shard=1))
    fleet(stack, {"own": own, "chat": qwen()}, instances=(1, 2))
    assert warnings_of(stack)["Team/Fleet/Models/own"][-1] == "unknownCopySize"
    assert "Team/Fleet/Models/chat" not in warnings_of(stack)


NOTHING_OF_THE_KIND = object()


@pytest.mark.parametrize("field", [one.name for one in fields(FleetModel)])
def test_whatever_is_given_to_a_model_is_refused_under_its_name(stack: Stack, field: str) -> None:
    model: Any = {"model": Model.from_hub(QWEN_7B), field: NOTHING_OF_THE_KIND}
    for problem in refusal(stack, {"chat": FleetModel(**model)}):
        assert problem.startswith(f"models['chat'].{field}=")


@pytest.mark.parametrize(
    "argument",
    [
        "instance_type",
        "instances",
        "volume_size",
        "volume_key",
        "vpc",
        "vpc_subnets",
        "security_groups",
        "network_isolation",
        "inference_ami_version",
        "routing",
        "capacity_reservation",
        "instance_provision_timeout",
        "endpoint_name",
        "role",
        "tags",
    ],
)
def test_whatever_is_given_to_the_fleet_is_refused_once(stack: Stack, argument: str) -> None:
    found = refusal(stack, {"chat": qwen(), "code": qwen()}, **{argument: NOTHING_OF_THE_KIND})
    assert {problem.partition("=")[0] for problem in found} == {argument}
    assert len(found) == len(set(found))
