"""Rollout: how an update of an endpoint replaces its instances or copies, and what undoes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Annotations, App, CfnParameter, Duration, Environment, NestedStack, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from botocore.session import get_session
from botocore.validate import ParamValidator

from constructs_lib import (
    AsyncTgiEndpoint,
    CapacityReservation,
    ConfigurationError,
    FleetModel,
    FrontDoor,
    InstanceType,
    Model,
    ModelFleet,
    Rollout,
    ScaleToZero,
    TgiEndpoint,
)
from tests.constructs_lib.circles import circles
from tests.constructs_lib.endpoint.fleets import warnings_of
from tests.constructs_lib.rendered import COMPONENT, ENDPOINT, Json, only, properties, resources, template_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

ALARM = "AWS::CloudWatch::Alarm"
HERE = Environment(account="123456789012", region="eu-west-1")
QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
ROLLING = {"MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50}, "WaitIntervalInSeconds": 300}


def new_stack(app: App | None = None, name: str = "Team") -> Stack:
    return Stack(app or App(), name, env=HERE)


def endpoint(scope: Construct, id: str = "Llama", **arguments: Any) -> TgiEndpoint:
    defaults = {"model": QWEN, "instance_type": InstanceType.G5_2XLARGE, "detailed_observability": False}
    return TgiEndpoint(scope, id, **(defaults | arguments))


def front_door(scope: Construct, llama: Any, id: str = "Api", name: str = "llama", **arguments: Any) -> FrontDoor:
    return FrontDoor(scope, id, models={name: llama}, cloud_watch_role=False, **arguments)


def fleet(scope: Construct, **models: FleetModel) -> ModelFleet:
    return ModelFleet(scope, "Fleet", models=models, instance_type=InstanceType.G5_12XLARGE, instances=(1, 3))


def qwen(**arguments: Any) -> FleetModel:
    return FleetModel(model=QWEN, **arguments)


def alarm(scope: Construct, id: str = "Errors", metric: cloudwatch.IMetric | None = None) -> cloudwatch.Alarm:
    watched = metric or cloudwatch.Metric(namespace="Own", metric_name="Errors")
    return cloudwatch.Alarm(scope, id, metric=watched, threshold=1, evaluation_periods=1)


def config_of(template: Json, resource_type: str = ENDPOINT) -> Json | None:
    """The DeploymentConfig of the only endpoint or component, or none; valid by SageMaker's own model."""
    found: Json | None = properties(template, resource_type).get("DeploymentConfig")
    if found is not None:
        shape = {ENDPOINT: "DeploymentConfig", COMPONENT: "InferenceComponentDeploymentConfig"}[resource_type]
        literal = json.loads(json.dumps(found), object_hook=lambda value: "name" if value.keys() == {"Ref"} else value)
        report = ParamValidator().validate(literal, get_session().get_service_model("sagemaker").shape_for(shape))
        assert not report.has_errors(), report.generate_report()
    return found


def policy_of(template: Json, resource_type: str = ENDPOINT) -> Json:
    """The update policy, without its time limit."""
    config = config_of(template, resource_type)
    assert config is not None
    (policy,) = (value for key, value in config.items() if key.endswith("UpdatePolicy"))
    return {key: value for key, value in policy.items() if key != "MaximumExecutionTimeoutInSeconds"}


def alarms_of(template: Json, resource_type: str = ENDPOINT) -> list[Any]:
    """Logical ids or names of the alarms that undo updates."""
    config = config_of(template, resource_type) or {}
    names = [each["AlarmName"] for each in config.get("AutoRollbackConfiguration", {"Alarms": []})["Alarms"]]
    return [name["Ref"] if isinstance(name, dict) else name for name in names]


def rendered(**arguments: Any) -> Json:
    stack = new_stack()
    endpoint(stack, **arguments)
    return template_of(stack)


def rejection(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as raised:
        call()
    return str(raised.value)


def synthesis_error(stack: Stack) -> str:
    with pytest.raises(RuntimeError) as raised:
        stack.node.root.synth()  # type: ignore[attr-defined]  # an App
    return str(raised.value)


def test_one_instance_has_sagemakers_own_update_and_nothing_else() -> None:
    template = rendered()
    assert config_of(template) is None
    assert resources(template, ALARM) == {}
    assert "DependsOn" not in only(template, ENDPOINT)


def test_two_or_more_instances_are_rolled_by_half() -> None:
    assert policy_of(rendered(instance_count=2)) == ROLLING
    assert policy_of(rendered(instance_count=5)) == ROLLING


def test_a_count_that_only_the_deployment_knows_has_sagemakers_own_update() -> None:
    stack = new_stack()
    endpoint(stack, instance_count=CfnParameter(stack, "Count", type="Number", default=2).value_as_number)
    assert config_of(template_of(stack)) is None


@pytest.mark.parametrize("instance", [InstanceType.P4D_24XLARGE, InstanceType.P5_48XLARGE])
def test_scarce_instances_are_rolled_one_by_one_and_rolled_back_so(instance: InstanceType) -> None:
    one = {"Type": "INSTANCE_COUNT", "Value": 1}
    model = Model.from_hub("Qwen/Qwen2.5-72B-Instruct")
    assert policy_of(rendered(model=model, instance_count=3, instance_type=instance)) == {
        "MaximumBatchSize": one,
        "WaitIntervalInSeconds": 300,
        "RollbackMaximumBatchSize": one,
    }


def test_reserved_instances_are_scarce() -> None:
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:training-plan/own"
    template = rendered(instance_count=3, capacity_reservation=CapacityReservation(arn=arn))
    assert policy_of(template)["MaximumBatchSize"] == {"Type": "INSTANCE_COUNT", "Value": 1}


@pytest.mark.parametrize("before", [True, False])
def test_scaling_counts_by_its_smallest_number_also_if_it_comes_later(before: bool) -> None:
    stack = new_stack()
    llama = endpoint(stack, instance_count=3)
    if before:
        front_door(stack, llama)
    llama.auto_scale(min_instances=1, max_instances=4)
    if not before:
        front_door(stack, llama)
    template = template_of(stack)
    assert policy_of(template)["TrafficRoutingConfiguration"]["Type"] == "ALL_AT_ONCE"
    assert len(alarms_of(template)) == 1, "alarms that somebody gives are used, whatever the strategy"


def test_scaling_between_two_and_more_is_rolled() -> None:
    stack = new_stack()
    endpoint(stack, instance_count=2).auto_scale(min_instances=2, max_instances=8)
    assert policy_of(template_of(stack)) == ROLLING


def test_a_schedule_that_goes_down_to_one_instance_counts_too() -> None:
    stack = new_stack()
    scaling = endpoint(stack, instance_count=2).auto_scale(min_instances=2, max_instances=8)
    scaling.on_schedule("sat,sun 00:00-24:00", time_zone="Europe/Berlin", minimum=1)
    assert config_of(template_of(stack)) is None


def test_scaling_that_a_rollout_cannot_follow_is_an_error_of_the_synthesis() -> None:
    stack = new_stack()
    endpoint(stack, instance_count=2, rollout=Rollout.rolling()).auto_scale(max_instances=8)
    assert (
        "[Team/Llama] rollout=Rollout.rolling(…): moves at most half of the instances at once, and the endpoint may"
        " have 1. Write Rollout.all_at_once(…), or run at least 2: instance_count, and min_instances of auto_scale."
    ) in synthesis_error(stack)


@pytest.mark.parametrize(
    ("rollout", "policy"),
    [
        (
            Rollout.all_at_once(),
            {
                "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
                "TerminationWaitInSeconds": 300,
            },
        ),
        (
            Rollout.canary(),
            {
                "TrafficRoutingConfiguration": {
                    "Type": "CANARY",
                    "WaitIntervalInSeconds": 300,
                    "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1},
                },
                "TerminationWaitInSeconds": 0,
            },
        ),
        (
            Rollout.linear(percent=30, wait=Duration.minutes(10), termination_wait=Duration.hours(1)),
            {
                "TrafficRoutingConfiguration": {
                    "Type": "LINEAR",
                    "WaitIntervalInSeconds": 600,
                    "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 30},
                },
                "TerminationWaitInSeconds": 3600,
            },
        ),
        (
            Rollout.rolling(count=2, wait=Duration.minutes(1), rollback_in_batches=True),
            {
                "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 2},
                "WaitIntervalInSeconds": 60,
                "RollbackMaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 2},
            },
        ),
    ],
)
def test_a_rollout_is_rendered_as_sagemaker_takes_it(rollout: Rollout, policy: Json) -> None:
    assert policy_of(rendered(instance_count=4, rollout=rollout)) == policy


def test_the_time_limit_can_be_set() -> None:
    config = config_of(rendered(rollout=Rollout.all_at_once(time_limit=Duration.hours(2))))
    assert config is not None
    assert config["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] == 7200


@pytest.mark.parametrize("name", ["canary", "linear", "rolling"])
def test_what_one_instance_cannot_do_is_rejected_before_anything_is_created(name: str) -> None:
    stack = new_stack()
    assert f"rollout=Rollout.{name}(…): moves at most half of the instances at once, and the endpoint may have 1." in (
        rejection(lambda: endpoint(stack, rollout=getattr(Rollout, name)()))
    )
    assert stack.node.try_find_child("Llama") is None


def test_wrong_arguments_are_told_together() -> None:
    rollout = Rollout.rolling(percent=80, wait=60, alarms="errors")  # type: ignore[arg-type]
    message = rejection(lambda: endpoint(new_stack(), rollout=rollout, instance_count=2))
    assert "rollout.wait=60: must be a Duration of aws_cdk, which has a unit. Write Duration.seconds(60)." in message
    assert "rollout.alarms='errors': must be a list whose every item is an alarm of aws_cloudwatch, not str." in message
    message = rejection(lambda: endpoint(new_stack(), rollout="rolling", instance_count=2))
    assert (
        "rollout='rolling': must be a Rollout, not str. Write Rollout.all_at_once(), .canary(…), .linear(…) or"
        " .rolling(…)."
    ) in message


def test_figures_that_only_the_deployment_knows_are_rejected() -> None:
    stack = new_stack()
    wait = Duration.seconds(CfnParameter(stack, "Wait", type="Number").value_as_number)
    message = rejection(lambda: endpoint(stack, rollout=Rollout.rolling(wait=wait), instance_count=2))
    assert "rollout.wait=(known at deployment): must be known at synth" in message


def test_several_variants_are_replaced_all_at_once_and_cannot_be_rolled() -> None:
    stack = new_stack()
    llama = endpoint(stack, instance_count=2, endpoint_name="llama-prod")
    llama.add_variant("Next", weight=1, instance_count=2)
    assert policy_of(template_of(stack))["TrafficRoutingConfiguration"]["Type"] == "ALL_AT_ONCE"
    stack = new_stack()
    endpoint(stack, instance_count=2, rollout=Rollout.rolling()).add_variant("Next", weight=1, instance_count=2)
    assert (
        "rollout=Rollout.rolling(…): is for one variant: SageMaker cannot roll the 2 variants of this endpoint in"
        " batches. Write Rollout.all_at_once(…), or remove the other variants."
    ) in synthesis_error(stack)


def test_a_canary_needs_two_instances_of_each_variant() -> None:
    stack = new_stack()
    endpoint(stack, instance_count=2, rollout=Rollout.canary()).add_variant("Next", weight=1)
    assert (
        "rollout=Rollout.canary(…): moves at most half of the instances at once, and one of its 2 variants may have 1."
        " Write Rollout.all_at_once(…), or run at least 2: instance_count, and min_instances of auto_scale, of each"
        " variant."
    ) in synthesis_error(stack)


def test_a_model_that_goes_to_zero_has_sagemakers_own_update() -> None:
    template = rendered(scale_to_zero=ScaleToZero(max_copies=3, target=5))
    assert config_of(template, COMPONENT) is None
    assert config_of(template) is None
    assert config_of(rendered(scale_to_zero=ScaleToZero(), rollout=Rollout.all_at_once()), COMPONENT) is None


def test_a_model_that_goes_to_zero_can_be_rolled_by_its_component() -> None:
    stack = new_stack()
    endpoint(stack, scale_to_zero=ScaleToZero(max_copies=3, target=5), rollout=Rollout.rolling())
    template = template_of(stack)
    assert config_of(template) is None
    assert policy_of(template, COMPONENT) == {
        "MaximumBatchSize": {"Type": "COPY_COUNT", "Value": 1},
        "WaitIntervalInSeconds": 300,
    }
    assert "rollingOneCopy" in warnings_of(stack)["Team/Llama"]
    (own,) = resources(template, ALARM).keys() & set(alarms_of(template, COMPONENT))
    name = properties(template, COMPONENT)["InferenceComponentName"]
    assert template["Resources"][own]["Properties"]["Dimensions"] == [{"Name": "InferenceComponentName", "Value": name}]


@pytest.mark.parametrize("rollout", [Rollout.canary(), Rollout.linear()])
def test_copies_have_no_canary_and_no_steps(rollout: Rollout) -> None:
    message = "is for instances: SageMaker replaces the copies of an inference component in batches or all at once"
    zero: Any = ScaleToZero(max_copies=2, target=5)
    assert message in rejection(lambda: endpoint(new_stack(), scale_to_zero=zero, rollout=rollout))
    assert f"models['chat'].rollout=Rollout.{rollout.strategy.lower()}(…): {message}" in (
        rejection(lambda: fleet(new_stack(), chat=qwen(copies=(2, 3), rollout=rollout)))
    )


def test_a_model_of_a_fleet_with_two_copies_is_rolled_by_half_and_one_with_one_is_not() -> None:
    stack = new_stack()
    fleet(stack, chat=qwen(copies=(2, 4)), code=qwen())
    template = template_of(stack)
    configs = {
        key: resource["Properties"].get("DeploymentConfig") for key, resource in resources(template, COMPONENT).items()
    }
    (chat,) = (config for key, config in configs.items() if "chat" in key)
    (code,) = (config for key, config in configs.items() if "code" in key)
    assert code is None
    assert chat["RollingUpdatePolicy"].items() >= ROLLING.items()
    ((own, resource),) = ((key, one) for key, one in resources(template, ALARM).items() if "Rollback" in key)
    assert chat["AutoRollbackConfiguration"]["Alarms"] == [{"AlarmName": {"Ref": own}}]
    assert resource["Properties"]["MetricName"] == "Invocation5XXErrors"


def test_a_rollout_of_a_fleets_model_is_checked_against_its_copies() -> None:
    message = rejection(lambda: fleet(new_stack(), chat=qwen(copies=(2, 4), rollout=Rollout.rolling(percent=20))))
    assert "models['chat'].rollout.percent=20: is less than one of 2 copies. Write 50 or more, or count=1." in message
    message = rejection(lambda: fleet(new_stack(), chat=qwen(rollout=Rollout.rolling())))
    assert "models['chat'].rollout=Rollout.rolling(…): replaces copies in batches of at most half of them" in message


def test_a_rolled_model_of_a_fleet_needs_room_for_a_batch_only() -> None:
    def warned(**arguments: Any) -> list[str]:
        stack = new_stack()
        models = {"chat": qwen(copies=(5, 5), **arguments)}
        ModelFleet(stack, "Fleet", models=models, instance_type=InstanceType.G5_48XLARGE, instances=(1, 1))
        return [each for each in warnings_of(stack)["Team/Fleet"] if each == "noRoomForUpdates"]

    assert warned() == warned(rollout=Rollout.rolling(count=2)) == []
    assert warned(rollout=Rollout.all_at_once()) == ["noRoomForUpdates"]


def test_alarms_of_the_caller_undo_updates_and_nothing_else_does() -> None:
    stack = new_stack()
    imported = cloudwatch.Alarm.from_alarm_name(stack, "Imported", "own-alarm")
    rollout = Rollout.rolling(alarms=[alarm(stack), imported])
    front_door(stack, endpoint(stack, instance_count=2, rollout=rollout, endpoint_name="llama-prod"))
    template = template_of(stack)
    (own,) = resources(template, ALARM)
    assert alarms_of(template) == [own, "own-alarm"]
    assert "nothingRollsBack" not in warnings_of(stack).get("Team/Llama", [])


def test_sagemaker_reads_the_alarms_with_the_endpoints_role_before_it_updates() -> None:
    stack = new_stack()
    imported = cloudwatch.Alarm.from_alarm_name(stack, "Imported", "own-alarm")
    endpoint(stack, rollout=Rollout.all_at_once(alarms=[alarm(stack), imported]))
    template = template_of(stack)
    ((policy, resource),) = ((key, one) for key, one in template["Resources"].items() if "RollbackPolicy" in key)
    (own,) = resources(template, ALARM)
    (statement,) = resource["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "cloudwatch:DescribeAlarms"
    first, second = statement["Resource"]
    assert first == {"Fn::GetAtt": [own, "Arn"]}
    assert json.dumps(second).endswith('cloudwatch:eu-west-1:123456789012:alarm:own-alarm"]]}')
    assert policy in only(template, ENDPOINT)["DependsOn"]


def test_an_immutable_role_gets_no_policy_and_a_warning() -> None:
    stack = new_stack()
    role = iam.Role.from_role_arn(stack, "Own", "arn:aws:iam::123456789012:role/own", mutable=False)
    endpoint(stack, role=role, rollout=Rollout.all_at_once(alarms=[alarm(stack)]))
    template = template_of(stack)
    assert [key for key in template["Resources"] if "RollbackPolicy" in key] == []
    assert len(alarms_of(template)) == 1
    assert "alarmsNeedRights" in warnings_of(stack)["Team/Llama"]


def test_a_role_that_takes_the_permission_causes_no_warning() -> None:
    stack = new_stack()
    role = iam.Role.from_role_arn(stack, "Own", "arn:aws:iam::123456789012:role/own")
    endpoint(stack, role=role, rollout=Rollout.all_at_once(alarms=[alarm(stack)]))
    assert "alarmsNeedRights" not in warnings_of(stack).get("Team/Llama", [])


def test_a_front_door_of_the_stack_brings_its_alarm_along() -> None:
    stack = new_stack()
    front_door(stack, endpoint(stack, instance_count=2))
    template = template_of(stack)
    (own,) = alarms_of(template)
    assert template["Resources"][own]["Properties"] == {
        "AlarmDescription": "5% or more of the requests for the model llama failed (5xx) in 2 of 5 minutes. If the"
        " endpoint is being updated, SageMaker rolls the update back.",
        "Namespace": "TgiEndpoint/FrontDoor",
        "MetricName": "ServerErrors",
        "Dimensions": [{"Name": "FrontDoor", "Value": "Team/Api"}, {"Name": "Model", "Value": "llama"}],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 5,
        "DatapointsToAlarm": 2,
        "Threshold": 0.05,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    assert warnings_of(stack).get("Team/Llama", []) == []


def test_one_instance_without_a_rollout_gets_no_alarm() -> None:
    stack = new_stack()
    front_door(stack, endpoint(stack))
    template = template_of(stack)
    assert resources(template, ALARM) == {}
    assert config_of(template) is None


def test_the_alarm_is_the_same_that_the_front_doors_metrics_name() -> None:
    stack = new_stack()
    api = front_door(stack, endpoint(stack, instance_count=2))
    stat = api.metric_server_errors(model="llama").to_metric_config().metric_stat
    assert stat is not None
    (watched,) = (one["Properties"] for one in resources(template_of(stack), ALARM).values())
    assert (stat.namespace, stat.metric_name) == (watched["Namespace"], watched["MetricName"])
    assert {each.name: each.value for each in stat.dimensions or ()} == {
        each["Name"]: each["Value"] for each in watched["Dimensions"]
    }


def test_several_front_doors_and_names_each_bring_an_alarm_up_to_what_sagemaker_takes() -> None:
    stack = new_stack()
    llama = endpoint(stack, instance_count=2, endpoint_name="llama-prod")
    names = {f"name-{number}": llama for number in range(8)}
    FrontDoor(stack, "Api", models=names, cloud_watch_role=False)
    FrontDoor(stack, "Other", models={"first": llama, "second": llama, "third": llama}, cloud_watch_role=False)
    assert len(alarms_of(template_of(stack))) == 10
    assert "rollbackAlarmsLimit" in warnings_of(stack)["Team/Other"]
    (message,) = (
        str(entry.data) for entry in stack.node.find_child("Other").node.metadata if "Limit" in str(entry.data)
    )
    assert "errors of requests for second, third do not undo an update" in message


def test_an_endpoint_with_a_literal_name_has_an_alarm_of_its_own() -> None:
    template = rendered(instance_count=2, endpoint_name="llama-prod", variant_name="Main")
    (own,) = alarms_of(template)
    found = template["Resources"][own]["Properties"]
    assert (found["Namespace"], found["MetricName"], found["Statistic"]) == (
        "AWS/SageMaker",
        "Invocation5XXErrors",
        "Average",
    )
    assert found["Dimensions"] == [
        {"Name": "EndpointName", "Value": "llama-prod"},
        {"Name": "VariantName", "Value": "Main"},
    ]


def test_a_name_that_only_the_deployment_knows_has_none() -> None:
    stack = new_stack()
    endpoint(stack, instance_count=2, endpoint_name=CfnParameter(stack, "Name").value_as_string)
    template = template_of(stack)
    assert resources(template, ALARM) == {}
    assert "nothingRollsBack" in warnings_of(stack)["Team/Llama"]


def test_that_nothing_rolls_back_is_a_warning_that_can_be_acknowledged() -> None:
    stack = new_stack()
    llama = endpoint(stack, instance_count=2)
    template_of(stack)
    assert warnings_of(stack)["Team/Llama"] == ["nothingRollsBack"]
    stack = new_stack()
    llama = endpoint(stack, instance_count=2)
    Annotations.of(llama).acknowledge_warning("tgi-endpoint:nothingRollsBack", "a test")
    template_of(stack)
    assert warnings_of(stack).get("Team/Llama", []) == []


def test_an_asynchronous_endpoint_is_rolled_by_its_smallest_number_and_brings_no_alarm() -> None:
    def asynchronous(**arguments: Any) -> tuple[Json | None, list[str]]:
        stack = new_stack()
        bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "team-bucket")
        given: Any = {"request_tokens": 4000, "endpoint_name": "batch", "detailed_observability": False} | arguments
        AsyncTgiEndpoint(stack, "Llama", model=QWEN, instance_type=InstanceType.G5_2XLARGE, bucket=bucket, **given)
        template = template_of(stack)
        assert not [key for key in resources(template, ALARM) if "Rollback" in key]
        return config_of(template), warnings_of(stack)["Team/Llama"]

    config, warned = asynchronous(max_instances=4)
    assert (config, "nothingRollsBack" in warned) == (None, False)
    config, warned = asynchronous(min_instances=2, max_instances=4)
    assert config is not None
    assert config["RollingUpdatePolicy"].items() >= ROLLING.items()
    assert "nothingRollsBack" in warned
    assert "moves at most half of the instances at once, and the endpoint may have 1" in (
        rejection(lambda: asynchronous(max_instances=4, rollout=Rollout.rolling()))
    )


@pytest.mark.parametrize(
    "arguments", [{"instance_count": 1}, {"instance_count": 2, "rollout": Rollout.rolling(alarms=[])}]
)
def test_no_warning_where_it_is_sagemakers_own_update_or_the_callers_wish(arguments: Any) -> None:
    stack = new_stack()
    endpoint(stack, **arguments)
    assert alarms_of(template_of(stack)) == []
    assert warnings_of(stack).get("Team/Llama", []) == []


def test_no_alarms_on_purpose_also_keeps_those_of_front_doors_away() -> None:
    stack = new_stack()
    front_door(stack, endpoint(stack, instance_count=2, rollout=Rollout.rolling(alarms=[])))
    assert resources(template_of(stack), ALARM) == {}


def test_alarms_that_come_later_undo_updates_too() -> None:
    stack = new_stack()
    llama = endpoint(stack)
    api = front_door(stack, llama)
    llama.roll_back_on(alarm(stack, metric=api.metric_time_to_first_token(model="llama", statistic="p95")))
    template = template_of(stack)
    assert policy_of(template)["TrafficRoutingConfiguration"]["Type"] == "ALL_AT_ONCE"
    assert alarms_of(template) == list(resources(template, ALARM))
    assert circles(stack.node.root) == []  # type: ignore[arg-type]  # an App


def test_alarms_of_a_component_that_is_not_rolled_are_rejected() -> None:
    stack = new_stack()
    llama = endpoint(stack, scale_to_zero=ScaleToZero())
    assert (
        "undo nothing: SageMaker watches alarms only between batches of an inference component's copies. Set"
        " rollout=Rollout.rolling(), which requires two copies."
    ) in rejection(lambda: llama.roll_back_on(alarm(stack)))
    rollout = Rollout.all_at_once(alarms=[alarm(stack, "Other")])
    assert "has no figures and no alarms for copies" in (
        rejection(lambda: endpoint(stack, "Second", scale_to_zero=ScaleToZero(), rollout=rollout))
    )


def test_an_alarm_that_is_given_twice_is_one() -> None:
    stack = new_stack()
    errors = alarm(stack)
    llama = endpoint(stack, rollout=Rollout.all_at_once(alarms=[errors] * 11))
    llama.roll_back_on(errors)
    template = template_of(stack)
    assert alarms_of(template) == list(resources(template, ALARM))


def test_an_empty_list_of_later_alarms_changes_nothing() -> None:
    stack = new_stack()
    endpoint(stack, endpoint_name="llama-prod").roll_back_on()
    template = template_of(stack)
    assert "DeploymentConfig" not in properties(template, ENDPOINT)
    assert resources(template, ALARM) == {}


def test_a_composite_alarm_is_rejected_as_the_role_cannot_read_it() -> None:
    stack = new_stack()
    errors = cloudwatch.AlarmRule.from_alarm(alarm(stack), cloudwatch.AlarmState.ALARM)
    both = cloudwatch.CompositeAlarm(stack, "Both", alarm_rule=errors)
    assert (
        "rollout.alarms[0]=(CompositeAlarm Team/Both): must be a metric alarm: CloudWatch shows composite ones only to"
        " a role that may describe all alarms, and that of the endpoint may describe those that are named. Give the"
        " alarms that it is composed of, or one on an expression."
    ) in rejection(lambda: endpoint(stack, rollout=Rollout.all_at_once(alarms=[both])))


def test_what_is_no_alarm_is_rejected() -> None:
    llama = endpoint(new_stack())
    assert "alarms[0]='errors': must be an alarm of aws_cloudwatch, not str." in (
        rejection(lambda: llama.roll_back_on("errors"))  # type: ignore[arg-type]
    )


def test_an_alarm_of_another_region_is_rejected() -> None:
    app = App()
    there = Stack(app, "There", env=Environment(account="123456789012", region="us-east-1"))
    rollout = Rollout.all_at_once(alarms=[alarm(there)])
    assert (
        "rollout.alarms[0]='us-east-1': is the Region of the alarm, but SageMaker reads alarms in the endpoint's"
        " Region: eu-west-1. Create the alarm there."
    ) in rejection(lambda: endpoint(new_stack(app), rollout=rollout))


def test_more_alarms_than_sagemaker_takes_are_rejected_also_if_front_doors_bring_some() -> None:
    stack = new_stack()
    many = [cloudwatch.Alarm.from_alarm_name(stack, f"Alarm{number}", f"alarm-{number}") for number in range(11)]
    message = "rollout.alarms=11: are more than the 10 that SageMaker takes."
    assert message in rejection(lambda: endpoint(stack, rollout=Rollout.all_at_once(alarms=many)))
    llama = endpoint(stack, instance_count=2)
    front_door(stack, llama)
    llama.roll_back_on(*many[:10])
    assert message in synthesis_error(stack)


CIRCULAR = (
    "depends on the endpoint, mostly by a dimension with its name, and the endpoint depends on the alarms that undo its"
    " updates: CloudFormation refuses circular dependencies. Alarm on front_door.metric_server_errors(model=…) or"
    " another metric of the front door, whose dimensions synth knows; or give the endpoint an endpoint_name, which its"
    " metrics then name literally."
)


def test_an_alarm_on_the_endpoints_generated_name_is_an_error_of_the_synthesis() -> None:
    stack = new_stack()
    llama = endpoint(stack)
    llama.roll_back_on(alarm(stack, metric=llama.metric_invocation_5xx_errors()))
    assert f"rollout.alarms=Team/Errors: {CIRCULAR}" in synthesis_error(stack)


def test_an_alarm_that_depends_on_the_endpoint_by_way_of_others_is_too() -> None:
    stack = new_stack()
    llama = endpoint(stack)
    api = front_door(stack, llama)
    metric = cloudwatch.Metric(
        namespace="AWS/Lambda", metric_name="Errors", dimensions_map={"FunctionName": api.function.function_name}
    )
    llama.roll_back_on(alarm(stack, metric=metric))
    assert f"rollout.alarms=Team/Errors: {CIRCULAR}" in synthesis_error(stack)


def test_an_alarm_that_waits_for_the_endpoint_is_too() -> None:
    stack = new_stack()
    llama = endpoint(stack)
    waiting = alarm(stack)
    waiting.node.add_dependency(llama)
    llama.roll_back_on(waiting)
    assert f"rollout.alarms=Team/Errors: {CIRCULAR}" in synthesis_error(stack)


def test_with_a_literal_name_the_endpoints_own_metrics_can_undo_its_updates() -> None:
    stack = new_stack()
    llama = endpoint(stack, endpoint_name="llama-prod")
    llama.roll_back_on(alarm(stack, metric=llama.metric_invocation_5xx_errors()))
    assert circles(stack.node.root) == []  # type: ignore[arg-type]  # an App
    assert len(alarms_of(template_of(stack))) == 2, "the caller's, and the endpoint's own"


def test_the_metrics_of_a_models_copies_can_undo_its_updates_without_a_name() -> None:
    stack = new_stack()
    chat = fleet(stack, chat=qwen(copies=(2, 2))).models["chat"]
    chat.roll_back_on(alarm(stack, metric=chat.metric_model_latency()))
    assert circles(stack.node.root) == []  # type: ignore[arg-type]  # an App


def test_an_alarm_beside_a_nested_stack_with_the_endpoint_is_a_circle_if_it_refers_to_it() -> None:
    stack = new_stack()
    nested = NestedStack(stack, "Nested")
    llama = endpoint(nested)
    llama.roll_back_on(alarm(stack, metric=llama.metric_invocation_5xx_errors()))
    assert f"rollout.alarms=Team/Errors: {CIRCULAR}" in synthesis_error(stack)


def test_an_alarm_beside_a_nested_stack_is_none_if_it_refers_to_nothing() -> None:
    stack = new_stack()
    endpoint(NestedStack(stack, "Nested"), rollout=Rollout.all_at_once(alarms=[alarm(stack)]))
    assert circles(stack.node.root) == []  # type: ignore[arg-type]  # an App


def one_stack(app: App, name: str = "Team", **arguments: Any) -> None:
    stack = new_stack(app, name)
    front_door(stack, endpoint(stack, **arguments))


def two_stacks(app: App, name: str = "Team", **arguments: Any) -> None:
    front_door(new_stack(app, f"{name}Door"), endpoint(new_stack(app, name), **arguments))


def nested_front_door(app: App, name: str = "Team", **arguments: Any) -> None:
    stack = new_stack(app, name)
    front_door(NestedStack(stack, "Nested"), endpoint(stack, **arguments))


def nested_endpoint(app: App, name: str = "Team", **arguments: Any) -> None:
    stack = new_stack(app, name)
    front_door(stack, endpoint(NestedStack(stack, "Nested"), **arguments))


def both_nested(app: App, name: str = "Team", **arguments: Any) -> None:
    nested = NestedStack(new_stack(app, name), "Nested")
    front_door(nested, endpoint(nested, **arguments))


def alarms_in_another_stack(app: App, name: str = "Team", **arguments: Any) -> None:
    alarms = [alarm(new_stack(app, f"{name}Alarms"))]
    endpoint(new_stack(app, name), rollout=Rollout.rolling(alarms=alarms), **arguments)


@pytest.mark.parametrize(
    "place", [one_stack, two_stacks, nested_front_door, nested_endpoint, both_nested, alarms_in_another_stack]
)
def test_no_template_has_a_circular_dependency(place: Callable[..., None]) -> None:
    app = App()
    place(app, "Two", instance_count=2)
    place(app, "Named", instance_count=2, endpoint_name="llama-prod")
    place(app, "Zero", scale_to_zero=ScaleToZero(max_copies=2, target=5))
    if place not in (two_stacks, nested_front_door):  # where another stack uses the endpoint, it is an error
        place(app, "Replaced", instance_count=2, replace_on_instance_type_change=True)
    assert circles(app) == []


@pytest.mark.parametrize("place", [one_stack, both_nested])
def test_the_front_door_of_the_same_stack_gives_its_alarm(place: Callable[..., None]) -> None:
    app = App()
    place(app, instance_count=2)
    nodes = [each for each in app.node.find_all() if isinstance(each, cloudwatch.CfnAlarm)]
    assert [each.node.path.rpartition("Api/")[2] for each in nodes] == ["RollbackAlarms/ServerErrors-llama"]


@pytest.mark.parametrize("place", [two_stacks, nested_front_door, nested_endpoint])
def test_a_front_door_of_another_stack_gives_none(place: Callable[..., None]) -> None:
    app = App()
    place(app, instance_count=2)
    assert [each for each in app.node.find_all() if isinstance(each, cloudwatch.CfnAlarm)] == []


def test_a_fleet_with_a_front_door_has_no_circular_dependency() -> None:
    app = App()
    stack = new_stack(app)
    models = fleet(stack, chat=qwen(copies=(2, 4)), code=qwen(scale_to_zero=ScaleToZero())).models
    FrontDoor(stack, "Api", models=models, cloud_watch_role=False)
    assert circles(app) == []
    rolled = [
        each for each in resources(template_of(stack), COMPONENT).values() if "DeploymentConfig" in each["Properties"]
    ]
    assert [len(each["Properties"]["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]) for each in rolled] == [
        2
    ]


def test_a_circle_would_be_found() -> None:
    """The alarm of a front door on its function's name, as it was before."""
    stack = new_stack()
    llama = endpoint(stack, instance_count=2)
    api = front_door(stack, llama)
    (found,) = (each for each in stack.node.find_all() if isinstance(each, cloudwatch.CfnAlarm))
    found.dimensions = [{"name": "Door", "value": api.function.function_name}]
    assert circles(stack.node.root) != []  # type: ignore[arg-type]  # an App
