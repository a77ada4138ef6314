"""scale_to_zero: an inference component on an endpoint whose instances follow its copies, down to none."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from constructs_lib import ConfigurationError, InstanceType, Model, ScaleToZero, TgiEndpoint, TgiOptions
from tests.constructs_lib.rendered import (
    CONFIG,
    ENDPOINT,
    MODEL,
    Json,
    as_list,
    only,
    properties,
    resources,
    statement_with,
    statements,
    template_of,
    text,
    variant,
)

if TYPE_CHECKING:
    from collections.abc import Callable

COMPONENT = "AWS::SageMaker::InferenceComponent"
TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
ALARM = "AWS::CloudWatch::Alarm"
QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
HOURS = ScaleToZero.hours("mon-fri 08:00-19:00", time_zone="Europe/Berlin", max_copies=3, target=12)


def endpoint(stack: Stack, **arguments: Any) -> TgiEndpoint:
    defaults = {"model": QWEN, "instance_type": InstanceType.G5_2XLARGE, "scale_to_zero": ScaleToZero()}
    return TgiEndpoint(stack, "Llm", **{**defaults, **arguments})


def rendered(stack: Stack, **arguments: Any) -> Json:
    endpoint(stack, **arguments)
    return template_of(stack)


def rejection(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as raised:
        call()
    return str(raised.value)


def policy(template: Json, name: str) -> Json:
    """The policy with that name."""
    found = (each["Properties"] for each in resources(template, POLICY).values())
    (one,) = (each for each in found if each["PolicyName"] == name)
    properties: Json = one
    return properties


def alarm_of(template: Json, name: str) -> Json:
    """The alarm that invokes the policy with that name."""
    (policy_id,) = (
        key for key, each in resources(template, POLICY).items() if each["Properties"]["PolicyName"] == name
    )
    alarms = (each["Properties"] for each in resources(template, ALARM).values())
    (alarm,) = (each for each in alarms if each["AlarmActions"] == [{"Ref": policy_id}])
    properties: Json = alarm
    return properties


def test_the_model_is_an_inference_component_of_the_endpoint(stack: Stack) -> None:
    template = rendered(stack)
    (endpoint_id,), (model_id,) = resources(template, ENDPOINT), resources(template, MODEL)
    component = properties(template, COMPONENT)
    assert text(component["EndpointName"]) == f"<{endpoint_id}.EndpointName>"
    assert component["VariantName"] == "AllTraffic"
    assert text(component["Specification"]["ModelName"]) == f"<{model_id}.ModelName>"
    assert component["Specification"]["StartupParameters"] == {"ContainerStartupHealthCheckTimeoutInSeconds": 1200}


def test_a_new_endpoint_has_one_copy_as_sagemaker_creates_none_without(stack: Stack) -> None:
    assert properties(rendered(stack), COMPONENT)["RuntimeConfig"] == {"CopyCount": 1}


def test_a_copy_takes_the_gpus_that_share_the_model_and_memory_that_the_smallest_instances_have(stack: Stack) -> None:
    template = rendered(stack, instance_type=InstanceType.G5_12XLARGE, options=TgiOptions(num_shard=2))
    assert properties(template, COMPONENT)["Specification"]["ComputeResourceRequirements"] == {
        "NumberOfAcceleratorDevicesRequired": 2,
        "MinMemoryRequiredInMb": 1024,
    }


def test_the_variant_has_no_model_and_its_instances_go_to_zero(stack: Stack) -> None:
    given = variant(rendered(stack, scale_to_zero=ScaleToZero(max_copies=3, target=12)))
    assert given["ManagedInstanceScaling"] == {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 6}
    assert given["InitialInstanceCount"] == 1
    assert given["InferenceAmiVersion"] == "al2-ami-sagemaker-inference-gpu-3-1"
    absent = {
        "ModelName",
        "InitialVariantWeight",
        "ContainerStartupHealthCheckTimeoutInSeconds",
        "ModelDataDownloadTimeoutInSeconds",
    }
    assert not absent & given.keys()


def test_copies_share_instances_that_have_gpus_for_several(stack: Stack) -> None:
    several = ScaleToZero(max_copies=6, target=12)
    options = TgiOptions(num_shard=1, max_input_tokens=3072, max_total_tokens=4096)
    template = rendered(stack, instance_type=InstanceType.G5_12XLARGE, options=options, scale_to_zero=several)
    assert variant(template)["ManagedInstanceScaling"]["MaxInstanceCount"] == 3


def test_an_update_has_room_for_a_new_copy_beside_the_only_one(stack: Stack) -> None:
    one = endpoint(stack)
    assert variant(template_of(stack))["ManagedInstanceScaling"]["MaxInstanceCount"] == 2
    assert one.capacity.max_instances == 1


def test_the_endpoint_config_has_the_role_and_waits_for_its_permissions(stack: Stack) -> None:
    template = rendered(stack)
    config = only(template, CONFIG)
    (role_id,) = resources(template, "AWS::IAM::Role")
    assert text(config["Properties"]["ExecutionRoleArn"]) == f"<{role_id}.Arn>"
    assert config["DependsOn"] == list(resources(template, "AWS::IAM::Policy"))


def test_vpc_and_isolation_are_those_of_the_endpoint_config_as_well(stack: Stack) -> None:
    attributes: Any = {"availability_zones": ["eu-west-1a"], "private_subnet_ids": ["subnet-1"]}
    vpc = ec2.Vpc.from_vpc_attributes(stack, "Vpc", vpc_id="vpc-1", **attributes)
    weights = Model.from_s3(s3.Bucket.from_bucket_name(stack, "Weights", "weights"), "llama")
    template = rendered(stack, model=weights, vpc=vpc, network_isolation=True)
    config, model = properties(template, CONFIG), properties(template, MODEL)
    assert config["VpcConfig"] == model["VpcConfig"]
    assert config["EnableNetworkIsolation"] is model["EnableNetworkIsolation"] is True
    startup = properties(template, COMPONENT)["Specification"]["StartupParameters"]
    assert startup["ModelDataDownloadTimeoutInSeconds"] == 1800


def test_an_endpoint_without_it_has_nothing_of_this(stack: Stack) -> None:
    template = rendered(stack, scale_to_zero=None)
    assert not {COMPONENT, TARGET, POLICY, ALARM} & {each["Type"] for each in template["Resources"].values()}
    assert properties(template, CONFIG).keys() == {"MetricsConfig", "ProductionVariants"}
    assert "ManagedInstanceScaling" not in variant(template)


def test_copies_are_scaled_from_none_to_the_most(stack: Stack) -> None:
    template = rendered(stack, scale_to_zero=ScaleToZero(max_copies=3, target=12))
    (component_id,) = resources(template, COMPONENT)
    target = only(template, TARGET)
    name = properties(template, COMPONENT)["InferenceComponentName"]
    assert target["Properties"] == {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
        "ResourceId": f"inference-component/{name}",
        "MinCapacity": 0,
        "MaxCapacity": 3,
    }
    assert target["DependsOn"] == [component_id]


def test_one_request_that_finds_no_copy_starts_one(stack: Stack) -> None:
    template = rendered(stack)
    alarm = alarm_of(template, "Wake")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"], alarm["Period"]) == (
        "AWS/SageMaker",
        "NoCapacityInvocationFailures",
        "Sum",
        60,
    )
    name = properties(template, COMPONENT)["InferenceComponentName"]
    assert alarm["Dimensions"] == [{"Name": "InferenceComponentName", "Value": name}]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (1, 1)
    assert alarm["TreatMissingData"] == "notBreaching"
    assert policy(template, "Wake")["StepScalingPolicyConfiguration"] == {
        "AdjustmentType": "ExactCapacity",
        "MetricAggregationType": "Maximum",
        "Cooldown": 60,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
    }


def test_the_last_copy_goes_after_a_time_without_requests_in_progress_or_new_ones(stack: Stack) -> None:
    template = rendered(stack, scale_to_zero=ScaleToZero(idle=Duration.minutes(45)))
    alarm = alarm_of(template, "Idle")
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (45, 45)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    metrics = {each["Id"]: each for each in alarm["Metrics"]}
    expression = "SUM([concurrent, invocations, refused])"
    assert metrics["result"] == {"Id": "result", "Expression": expression, "ReturnData": True}
    watched = {name: each["MetricStat"] for name, each in metrics.items() if name != "result"}
    assert {name: (each["Metric"]["MetricName"], each["Stat"], each["Period"]) for name, each in watched.items()} == {
        "concurrent": ("ConcurrentRequestsPerCopy", "Maximum", 60),
        "invocations": ("Invocations", "Sum", 60),
        "refused": ("NoCapacityInvocationFailures", "Sum", 60),
    }
    settings = policy(template, "Idle")["StepScalingPolicyConfiguration"]
    assert settings["AdjustmentType"] == "ExactCapacity"
    assert settings["StepAdjustments"] == [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": 0}]


def test_time_without_data_is_not_idle_so_that_a_copy_that_starts_is_not_removed(stack: Stack) -> None:
    assert alarm_of(rendered(stack), "Idle")["TreatMissingData"] == "notBreaching"


def test_target_tracking_only_adds_copies_as_it_would_go_to_zero_by_itself(stack: Stack) -> None:
    template = rendered(stack, scale_to_zero=ScaleToZero(max_copies=3, target=12))
    settings = policy(template, "Concurrency")["TargetTrackingScalingPolicyConfiguration"]
    assert settings["DisableScaleIn"] is True
    assert settings["TargetValue"] == 12
    assert settings["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"
    }


def test_one_copy_remains_when_it_could_have_carried_the_load_for_15_minutes(stack: Stack) -> None:
    template = rendered(stack, scale_to_zero=ScaleToZero(max_copies=3, target=12))
    alarm = alarm_of(template, "LowLoad")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 4)
    peak, result = alarm["Metrics"]
    assert (peak["MetricStat"]["Stat"], peak["MetricStat"]["Period"]) == ("Maximum", 900)
    assert result["Expression"] == "IF(peak > 0, peak, 12)"
    settings = policy(template, "LowLoad")["StepScalingPolicyConfiguration"]
    assert settings["AdjustmentType"] == "ExactCapacity"
    assert settings["StepAdjustments"] == [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": 1}]


@pytest.mark.parametrize("target", [12, 10, 10.4, 1234567])
def test_without_requests_low_load_does_not_set_one_copy_which_would_wake_an_endpoint_at_zero(
    stack: Stack, target: float
) -> None:
    alarm = alarm_of(rendered(stack, scale_to_zero=ScaleToZero(max_copies=3, target=target)), "LowLoad")
    threshold = alarm["Threshold"]
    without_requests = float(alarm["Metrics"][-1]["Expression"].removesuffix(")").split(", ")[-1])
    assert not without_requests < threshold
    assert alarm["TreatMissingData"] == "notBreaching"


def test_nothing_else_removes_a_copy(stack: Stack) -> None:
    template = rendered(stack, scale_to_zero=ScaleToZero(max_copies=3, target=12))
    names = {each["Properties"]["PolicyName"] for each in resources(template, POLICY).values()}
    assert names == {"Wake", "Idle", "Concurrency", "LowLoad"}


def test_one_copy_needs_neither_target_tracking_nor_low_load(stack: Stack) -> None:
    template = rendered(stack)
    assert {each["Properties"]["PolicyName"] for each in resources(template, POLICY).values()} == {"Wake", "Idle"}


def test_what_is_deleted_first_refers_to_what_is_deleted_last(stack: Stack) -> None:
    template = rendered(stack, scale_to_zero=ScaleToZero(max_copies=3, target=12))
    order = [ALARM, POLICY, TARGET, COMPONENT, ENDPOINT, CONFIG]
    for first, then in pairwise(order):
        ids = resources(template, then)
        for resource in resources(template, first).values():
            named = {reference for reference in ids if f'"{reference}"' in json.dumps(resource)}
            assert len(named) == 1, (first, then)


def test_callers_may_invoke_the_endpoint_and_its_component(stack: Stack) -> None:
    model = endpoint(stack)
    caller = iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    model.grant_invoke(caller)
    template = template_of(stack)
    allowed = statement_with(template, "sagemaker:InvokeEndpoint")
    name = properties(template, COMPONENT)["InferenceComponentName"]
    assert [text(arn) for arn in allowed["Resource"]][1] == (
        f"arn:<AWS::Partition>:sagemaker:eu-west-1:123456789012:inference-component/{name}"
    )


def test_the_role_may_write_the_logs_of_the_component(stack: Stack) -> None:
    template = rendered(stack)
    name = properties(template, COMPONENT)["InferenceComponentName"]
    allowed = [text(arn) for each in statements(template) for arn in as_list(each["Resource"])]
    assert any(arn.endswith(f":log-group:/aws/sagemaker/InferenceComponents/{name}") for arn in allowed)


def test_the_endpoint_names_its_component_and_how_it_wakes(stack: Stack) -> None:
    model = endpoint(stack, scale_to_zero=HOURS)
    assert model.inference_component_name == properties(template_of(stack), COMPONENT)["InferenceComponentName"]
    assert model.wake is not None
    assert model.wake.hours is not None
    assert (model.wake.seconds, model.wake.hours.time_zone) == (642, "Europe/Berlin")


def test_its_capacity_is_from_zero_to_the_instances_of_the_most_copies(stack: Stack) -> None:
    capacity = endpoint(stack, scale_to_zero=ScaleToZero(max_copies=3, target=12)).capacity
    assert (capacity.min_instances, capacity.max_instances) == (0, 3)


def test_an_update_keeps_the_instances_that_copies_need(stack: Stack) -> None:
    given = properties(rendered(stack), ENDPOINT)
    assert given["RetainAllVariantProperties"] is True
    assert given["ExcludeRetainedVariantProperties"] == [
        {"VariantPropertyType": "DesiredWeight"},
        {"VariantPropertyType": "DataCaptureConfig"},
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint_name": "chat-v2"},
        {"variant_name": "Green"},
        {"replace_on_instance_type_change": True},
        {"replace_on_instance_type_change": True, "instance_type": InstanceType.G6_2XLARGE},
    ],
)
def test_a_component_of_another_endpoint_or_variant_is_another_resource_with_another_name(
    changes: dict[str, Any],
) -> None:
    before, after = component_of({}), component_of(changes)
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_another_model_is_the_same_component() -> None:
    assert component_of({}) == component_of({"model": Model.from_hub("mistralai/Mistral-7B-Instruct-v0.3")})


def component_of(arguments: dict[str, Any]) -> tuple[str, str]:
    """Logical id and name of the component in an app of its own."""
    template = rendered(Stack(App(), "Team"), **arguments)
    ((logical_id, resource),) = resources(template, COMPONENT).items()
    return logical_id, resource["Properties"]["InferenceComponentName"]


def actions(template: Json) -> list[tuple[str, str, Any, int, int]]:
    return [
        (
            each["ScheduledActionName"],
            each["Schedule"],
            each.get("Timezone"),
            each["ScalableTargetAction"]["MinCapacity"],
            each["ScalableTargetAction"]["MaxCapacity"],
        )
        for each in properties(template, TARGET)["ScheduledActions"]
    ]


def test_in_the_hours_there_is_a_copy_and_outside_requests_wake_one(stack: Stack) -> None:
    template = rendered(stack, scale_to_zero=HOURS)
    assert actions(template) == [
        ("schedule-1-start-1", "cron(0 8 ? * MON,TUE,WED,THU,FRI *)", "Europe/Berlin", 1, 3),
        ("schedule-1-end-1", "cron(0 19 ? * MON,TUE,WED,THU,FRI *)", "Europe/Berlin", 0, 3),
    ]


def test_closed_means_no_copy_outside_the_hours(stack: Stack) -> None:
    hours = ScaleToZero.hours("mon-fri 08:00-19:00", "sat 10:00-14:00", time_zone="UTC", outside="closed")
    assert actions(rendered(stack, scale_to_zero=hours)) == [
        ("schedule-1-start-1", "cron(0 8 ? * MON,TUE,WED,THU,FRI *)", None, 1, 1),
        ("schedule-1-start-2", "cron(0 10 ? * SAT *)", None, 1, 1),
        ("schedule-1-end-1", "cron(0 14 ? * SAT *)", None, 0, 0),
        ("schedule-1-end-2", "cron(0 19 ? * MON,TUE,WED,THU,FRI *)", None, 0, 0),
    ]


@pytest.mark.parametrize("outside", ["idle", "closed"])
def test_a_deployment_at_night_does_not_run_till_morning(stack: Stack, outside: str) -> None:
    hours = ScaleToZero.hours("mon-fri 08:00-19:00", time_zone="Europe/Berlin", outside=outside)
    template = rendered(stack, scale_to_zero=hours)
    assert properties(template, TARGET)["MinCapacity"] == 0
    assert alarm_of(template, "Idle")["EvaluationPeriods"] == 30


def test_hours_take_the_other_arguments_as_well() -> None:
    given = ScaleToZero.hours("mon 08:00-19:00", time_zone="UTC", idle=Duration.hours(1), max_copies=2, target=3)
    assert (given.idle is not None and given.idle.to_minutes(), given.max_copies, given.target) == (60, 2, 3)


def test_all_problems_are_reported_at_once(stack: Stack) -> None:
    wrong: Any = ScaleToZero.hours("mon", time_zone="Berln", idle=30, max_copies=0)  # type: ignore[typeddict-item]
    told = rejection(lambda: endpoint(stack, scale_to_zero=wrong, instance_count=2, model=5))
    for keyword in ("model=5", "instance_count=2", "max_copies=0", "hours='mon'", "time_zone='Berln'"):
        assert keyword in told
    assert "scale_to_zero.idle=30: must be a Duration of aws_cdk, which has a unit. Write Duration.seconds(30)." in told
    assert stack.node.try_find_child("Llm") is None


@pytest.mark.parametrize(("given", "type_name"), [(True, "bool"), (30, "int"), (ScaleToZero, "the class ScaleToZero")])
def test_another_type_is_rejected(stack: Stack, given: Any, type_name: str) -> None:
    told = rejection(lambda: endpoint(stack, scale_to_zero=given))
    assert f"must be a ScaleToZero, not {type_name}. Write ScaleToZero(), or ScaleToZero.hours(…)." in told


def test_a_value_of_the_deployment_is_rejected_where_synth_needs_it(stack: Stack) -> None:
    number = CfnParameter(stack, "Number", type="Number").value_as_number
    zero: Any = ScaleToZero(idle=Duration.seconds(number), max_copies=number)  # type: ignore[arg-type]
    told = rejection(lambda: endpoint(stack, scale_to_zero=zero))
    assert "scale_to_zero.idle=(known at deployment): must be known at synth" in told
    assert "scale_to_zero.max_copies=(known at deployment): must be known at synth" in told


def test_hours_that_only_the_deployment_knows_are_rejected(stack: Stack) -> None:
    text = CfnParameter(stack, "Text").value_as_string
    zero = ScaleToZero.hours(text, time_zone=text)
    assert rejection(lambda: endpoint(stack, scale_to_zero=zero)) == (
        "Team/Llm: 2 problems to solve before this can be deployed\n"
        "  - scale_to_zero.hours=(known at deployment): must be known at synth, as schedules are worked out from it."
        " Write 'mon-fri 08:00-19:00'.\n"
        "  - scale_to_zero.time_zone=(known at deployment): must be known at synth, as it is looked up in the IANA"
        " database. Write a name such as Europe/Berlin, or UTC."
    )


def test_hours_of_another_type_are_rejected(stack: Stack) -> None:
    zero = ScaleToZero(weekly_hours="mon-fri 08:00-19:00")  # type: ignore[arg-type]
    assert (
        "scale_to_zero.weekly_hours='mon-fri 08:00-19:00': must come from hours, not str. Write ScaleToZero.hours("
        "'mon-fri 08:00-19:00', time_zone='Europe/Berlin')."
    ) in rejection(lambda: endpoint(stack, scale_to_zero=zero))


def test_a_region_that_refuses_zero_instances_is_a_warning_that_can_be_acknowledged(app: App) -> None:
    stack = Stack(app, "Paris", env=Environment(account="123456789012", region="eu-west-3"))
    model = endpoint(stack)
    found = [str(entry.data) for entry in model.node.metadata if entry.type == "aws:cdk:warning"]
    assert [each for each in found if "[ack: tgi-endpoint:zeroInstancesRefused]" in each]
