"""auto_scale: what Application Auto Scaling is told, and what it is not told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Annotations, App, CfnParameter, Duration, Size, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib import ConfigurationError, EndpointScaling, InstanceType, Model, TgiEndpoint
from constructs_lib.endpoint.scale_to_zero import ScaleToZero
from constructs_lib.endpoint.scaled_resource import component_copies
from constructs_lib.endpoint.scaling import Cooldowns
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.scaling.concurrency import FACTOR
from constructs_lib.planning.scaling.policies import (
    LOW_LOAD,
    SCALE_IN_COOLDOWN,
    SCALE_IN_REQUESTS,
    SCALE_IN_SHARE,
    SCALE_OUT_COOLDOWN,
)
from tests.constructs_lib.rendered import ENDPOINT, Json, properties, resources, template_of, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
ALARM = "AWS::CloudWatch::Alarm"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
ROOT = Path(__file__).resolve().parents[3]
QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")


def endpoint(stack: Stack, **arguments: Any) -> TgiEndpoint:
    defaults = {"model": QWEN, "instance_type": InstanceType.G5_2XLARGE, "detailed_observability": False}
    return TgiEndpoint(stack, "Llm", **{**defaults, **arguments})


def policy(template: Json, name: str) -> Json:
    """The settings of the policy with that name."""
    policies = [each["Properties"] for each in resources(template, POLICY).values()]
    (found,) = (each for each in policies if each["PolicyName"] == name)
    settings: Json = found[f"{found['PolicyType']}PolicyConfiguration"]
    return settings


def rejection(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as raised:
        call()
    return str(raised.value)


def warnings(scope: Construct) -> list[str]:
    return [str(entry.data) for entry in scope.node.metadata if entry.type == "aws:cdk:warning"]


def test_the_variant_of_the_endpoint_is_scaled_between_the_limits_by_the_service_linked_role(stack: Stack) -> None:
    endpoint(stack, instance_count=2, variant_name="Blue").auto_scale(min_instances=2, max_instances=6)
    template = template_of(stack)
    (endpoint_id,) = resources(template, ENDPOINT)
    target = properties(template, TARGET)
    assert text(target.pop("ResourceId")) == f"endpoint/<{endpoint_id}.EndpointName>/variant/Blue"
    assert target == {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "MinCapacity": 2,
        "MaxCapacity": 6,
    }


def test_scaling_changes_nothing_else_of_the_endpoint(app: App) -> None:
    stacks = Stack(app, "Fixed"), Stack(app, "Scaled")
    _, scaled = (endpoint(stack) for stack in stacks)
    scaled.auto_scale(max_instances=4).on_concurrency()
    without, with_scaling = (template_of(stack)["Resources"] for stack in stacks)
    added = {"RetainAllVariantProperties", "ExcludeRetainedVariantProperties"}
    for resource in with_scaling.values():
        if resource["Type"] == ENDPOINT:
            assert added <= resource["Properties"].keys()
            resource["Properties"] = {key: each for key, each in resource["Properties"].items() if key not in added}
    assert {key: each for key, each in with_scaling.items() if "Scaling" not in key} == without


def test_instances_are_added_by_the_concurrency_of_every_ten_seconds(stack: Stack) -> None:
    endpoint(stack).auto_scale(max_instances=4).on_concurrency(target=12)
    template = template_of(stack)
    assert policy(template, "Concurrency") == {
        "TargetValue": 12,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"
        },
        "ScaleOutCooldown": 600,
        "ScaleInCooldown": 300,
        "DisableScaleIn": True,
    }
    targets = {each["Properties"]["ScalingTargetId"]["Ref"] for each in resources(template, POLICY).values()}
    assert targets == set(resources(template, TARGET))


def test_one_instance_is_removed_when_the_busiest_has_been_below_half_of_the_target(stack: Stack) -> None:
    endpoint(stack).auto_scale(max_instances=4).on_concurrency(target=12, scale_in_cooldown=Duration.minutes(7))
    template = template_of(stack)
    alarm, (endpoint_id,) = properties(template, ALARM), resources(template, ENDPOINT)
    assert alarm.pop("AlarmDescription") == "The instances have had few concurrent requests for 15 minutes."
    (action,) = alarm.pop("AlarmActions")
    assert template["Resources"][action["Ref"]]["Properties"]["PolicyType"] == "StepScaling"
    assert policy(template, "LowConcurrency") == {
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Maximum",
        "Cooldown": 420,
        "StepAdjustments": [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1}],
    }
    busiest, result = alarm.pop("Metrics")
    assert busiest["MetricStat"] == {
        "Metric": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "ConcurrentRequestsPerModel",
            "Dimensions": [
                {"Name": "EndpointName", "Value": {"Fn::GetAtt": [endpoint_id, "EndpointName"]}},
                {"Name": "VariantName", "Value": "AllTraffic"},
            ],
        },
        "Period": 60,
        "Stat": "Maximum",
    }
    assert result == {"Id": "result", "Expression": "FILL(busiest, 0)", "ReturnData": True}
    assert alarm == {
        "EvaluationPeriods": 15,
        "DatapointsToAlarm": 15,
        "ComparisonOperator": "LessThanThreshold",
        "Threshold": 7,
        "TreatMissingData": "breaching",
    }


def test_copies_of_which_something_else_removes_are_only_added(stack: Stack) -> None:
    scaling = EndpointScaling(
        stack, "Scaling", resource=component_copies("llama"), minimum=0, maximum=3, scales_in=False
    )
    scaling.on_concurrency(target=4)
    scaling.on_invocations(per_minute=9)
    template = template_of(stack)
    assert policy(template, "Concurrency")["DisableScaleIn"] is True
    assert policy(template, "Invocations")["DisableScaleIn"] is True
    assert not resources(template, ALARM)
    assert properties(template, TARGET)["ResourceId"] == "inference-component/llama"


def test_copies_are_removed_by_their_own_metric(stack: Stack) -> None:
    scaling = EndpointScaling(stack, "Scaling", resource=component_copies("llama"), minimum=1, maximum=3)
    scaling.on_concurrency(target=4)
    alarm = properties(template_of(stack), ALARM)
    metric = alarm["Metrics"][0]["MetricStat"]["Metric"]
    assert (metric["MetricName"], alarm["Threshold"]) == ("ConcurrentRequestsPerCopy", 3)
    assert metric["Dimensions"] == [{"Name": "InferenceComponentName", "Value": "llama"}]


def test_the_default_target_is_a_share_of_what_the_cache_holds_of_such_requests(stack: Stack) -> None:
    endpoint(stack).auto_scale(max_instances=4, request_tokens=2000).on_concurrency()
    planned = plan(EndpointRequest(engine=TGI, model=QWEN.spec(), instance=InstanceType.G5_2XLARGE, region="eu-west-1"))
    assert planned.memory is not None
    held = planned.memory.concurrent_requests(2000)
    assert 10 < held < 128
    assert policy(template_of(stack), "Concurrency")["TargetValue"] == int(FACTOR * held)


def test_the_docstrings_give_the_figures_in_force() -> None:
    assert f"Default: {FACTOR} times what one holds" in str(EndpointScaling.on_concurrency.__doc__)
    minutes = f"Default: {SCALE_OUT_COOLDOWN // 60} and {SCALE_IN_COOLDOWN // 60} minutes."
    for method in (EndpointScaling.on_concurrency, EndpointScaling.on_invocations, EndpointScaling.on_metric):
        assert minutes in str(method.__doc__)
    defaults = [
        f"Default: {seconds // 60} minutes" in str(Cooldowns.__doc__)
        for seconds in (SCALE_OUT_COOLDOWN, SCALE_IN_COOLDOWN)
    ]
    assert defaults == [True, True]
    low = " ".join(str(EndpointScaling.on_concurrency.__doc__).split())
    assert (SCALE_IN_SHARE, SCALE_IN_REQUESTS) == (0.5, 1)
    assert f"below half of the target, plus one, for {LOW_LOAD // 60} minutes" in low


def test_the_documentation_gives_the_figures_in_force() -> None:
    text = " ".join((ROOT / "docs" / "scaling.md").read_text(encoding="utf-8").split())
    assert (SCALE_IN_SHARE, SCALE_IN_REQUESTS) == (0.5, 1)
    for words in (
        f"by default {FACTOR} times what one instance holds",
        f"about {FACTOR} times what the smallest instance holds",
        f"the next addition waits {SCALE_OUT_COOLDOWN // 60} minutes (`scale_out_cooldown`)",
        f"below half of the target, plus one, for {LOW_LOAD // 60} minutes",
        f"one every {SCALE_IN_COOLDOWN // 60} minutes (`scale_in_cooldown`)",
    ):
        assert words in text, words


def test_requests_a_minute_are_tracked_with_the_cooldowns_that_are_given(stack: Stack) -> None:
    endpoint(stack).auto_scale(max_instances=4).on_invocations(
        per_minute=40.5, scale_out_cooldown=Duration.minutes(2), scale_in_cooldown=Duration.seconds(0)
    )
    assert policy(template_of(stack), "Invocations") == {
        "TargetValue": 40.5,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleOutCooldown": 120,
        "ScaleInCooldown": 0,
    }


def test_all_problems_of_one_call_are_reported_together(stack: Stack) -> None:
    one = endpoint(stack, instance_count=9)
    assert rejection(lambda: one.auto_scale(min_instances=0, max_instances="4", request_tokens=99999)) == (  # type: ignore[arg-type]
        "Team/Llm: 3 problems to solve before this can be deployed\n"
        "  - min_instances=0: must be from 1 to 4294967295 instances. Raise it to 1 or more.\n"
        "  - max_instances='4': must be a whole number, not str. Write 4.\n"
        "  - request_tokens=99999: must be from 1 to 32768 tokens. Lower it to 32768 or less."
    )


def test_the_limits_must_be_in_order_and_the_count_between_them(stack: Stack) -> None:
    one = endpoint(stack)
    assert "min_instances=4: must be at most max_instances=2. Lower min_instances, or raise max_instances." in (
        rejection(lambda: one.auto_scale(min_instances=4, max_instances=2))
    )
    assert (
        "instance_count=1: must be from min_instances=2 to max_instances=4, between which the endpoint scales. Set"
        " instance_count=2 on the endpoint."
    ) in rejection(lambda: one.auto_scale(min_instances=2, max_instances=4))
    assert "instance_count" not in rejection(lambda: one.auto_scale(min_instances=0, max_instances=0))


def test_an_endpoint_scales_once(stack: Stack) -> None:
    one = endpoint(stack)
    one.auto_scale(max_instances=2)
    assert rejection(lambda: one.auto_scale(max_instances=3)) == (
        "Team/Llm: 1 problem to solve before this can be deployed\n"
        "  - auto_scale=(TgiEndpoint Team/Llm): is called twice for one endpoint. Call it once, and add policies and"
        " schedules to what it returns."
    )


def test_an_endpoint_that_scales_to_zero_has_no_instances_to_scale(stack: Stack) -> None:
    one = endpoint(stack, scale_to_zero=ScaleToZero())
    told = rejection(lambda: one.auto_scale(max_instances=3))
    assert told.startswith("Team/Llm: 1 problem to solve before this can be deployed\n")
    assert (
        "is for the instances of an endpoint without scale_to_zero, which scales copies of the model. Set max_copies of"
        " ScaleToZero, or remove scale_to_zero."
    ) in told


def test_limits_that_only_the_deployment_knows_are_passed_on(stack: Stack) -> None:
    most = CfnParameter(stack, "Most", type="Number").value_as_number
    scaling = endpoint(stack).auto_scale(max_instances=most)  # type: ignore[arg-type]
    scaling.on_invocations(per_minute=most)
    template = template_of(stack)
    assert properties(template, TARGET)["MaxCapacity"] == {"Ref": "Most"}
    assert policy(template, "Invocations")["TargetValue"] == {"Ref": "Most"}


def test_a_target_of_concurrency_that_only_the_deployment_knows_is_a_problem(stack: Stack) -> None:
    most = CfnParameter(stack, "Most", type="Number").value_as_number
    scaling = endpoint(stack).auto_scale(max_instances=2)
    assert (
        "target=(known at deployment): must be known at synth, as the number below which one is removed is worked out"
        " from it. Write it as a number."
    ) in rejection(lambda: scaling.on_concurrency(target=most))


def test_tokens_of_a_request_that_only_the_deployment_knows_are_a_problem(stack: Stack) -> None:
    tokens = CfnParameter(stack, "Tokens", type="Number").value_as_number
    one = endpoint(stack)
    assert (
        "request_tokens=(known at deployment): must be known at synth, as the target is worked out from it. Write it as"
        " a number."
    ) in rejection(lambda: one.auto_scale(max_instances=3, request_tokens=tokens))  # type: ignore[arg-type]


def test_a_model_that_the_plan_does_not_know_needs_a_target(stack: Stack) -> None:
    unknown = endpoint(stack, model=Model.from_hub("team/unknown")).auto_scale(max_instances=2)
    assert rejection(unknown.on_concurrency) == (
        "Team/Llm/Scaling: 1 problem to solve before this can be deployed\n"
        "  - target=None: is required: the plan does not know how many requests fit the instances. Set target to the"
        " requests in progress at once that one of them should have."
    )
    unknown.on_concurrency(target=8)


def test_a_default_target_for_the_longest_request_that_is_low_brings_a_warning(stack: Stack) -> None:
    scaling = endpoint(stack).auto_scale(max_instances=2)
    scaling.on_concurrency()
    (warning,) = warnings(scaling)
    assert warning == (
        "Scaling keeps 1 request in progress on each, as the longest request has 32768 tokens; shorter requests then"
        " pay for far more than they need. Set request_tokens to what your clients send, or max_total_tokens in the"
        " options. [ack: tgi-endpoint:lowConcurrencyTarget]"
    )


def test_a_low_target_that_is_asked_for_brings_no_warning(app: App) -> None:
    for arguments, target in (({"request_tokens": 30000}, None), ({}, 1)):
        scaling = endpoint(Stack(app, f"Stack{target}")).auto_scale(max_instances=2, **arguments)
        scaling.on_concurrency(target=target)
        assert not warnings(scaling)


def test_wrong_arguments_of_a_policy_leave_nothing_behind(stack: Stack) -> None:
    scaling = endpoint(stack).auto_scale(max_instances=2)
    arguments: Any = {"target": 0, "scale_in_cooldown": 60, "scale_out_cooldown": Duration.millis(1500)}
    assert rejection(lambda: scaling.on_concurrency(**arguments)) == (
        "Team/Llm/Scaling: 3 problems to solve before this can be deployed\n"
        "  - target=0: must be above 0. Choose a number in that range, or leave it out.\n"
        "  - scale_in_cooldown=60: must be a Duration of aws_cdk, which has a unit. Write Duration.seconds(60).\n"
        "  - scale_out_cooldown=1.5: must be a whole number, not float. Give an int."
    )
    scaling.on_concurrency(target=2)


def test_a_cooldown_that_is_none_is_the_default_and_another_argument_is_rejected(stack: Stack) -> None:
    scaling = endpoint(stack).auto_scale(max_instances=2)
    arguments: Any = {"scale_in_cooldwn": Duration.minutes(1), "scale_in_cooldown": Size.gibibytes(1)}
    assert rejection(lambda: scaling.on_concurrency(target=2, **arguments)) == (
        "Team/Llm/Scaling: 2 problems to solve before this can be deployed\n"
        "  - scale_in_cooldwn=<aws_cdk.Duration object>: is no argument of a policy. Write scale_out_cooldown or"
        " scale_in_cooldown, or leave it out.\n"
        "  - scale_in_cooldown=<aws_cdk.Size object>: must be a Duration of aws_cdk, which has a unit. Write"
        " Duration.seconds(…)."
    )
    none: Any = None
    scaling.on_concurrency(target=2, scale_out_cooldown=none)
    assert policy(template_of(stack), "Concurrency")["ScaleOutCooldown"] == 600


def test_a_metric_has_one_policy(stack: Stack) -> None:
    scaling = endpoint(stack).auto_scale(max_instances=2)
    scaling.on_concurrency(target=2)
    assert (
        "on_concurrency='Concurrency': is a policy that this scaling has already. Leave one of the two calls out."
    ) in rejection(lambda: scaling.on_concurrency(target=3))


def test_a_warning_says_how_the_instance_type_changes_while_the_endpoint_scales(stack: Stack) -> None:
    one = endpoint(stack)
    assert not warnings(one)
    one.auto_scale(max_instances=2)
    (warning,) = warnings(one)
    assert warning == (
        "While auto_scale is on, SageMaker refuses an update that changes the instance type, and CloudFormation rolls"
        " back. Change the type in two deployments: one without auto_scale, then one with the new type and auto_scale."
        " Or set replace_on_instance_type_change=True from the first deployment on. [ack:"
        " tgi-endpoint:scalingKeepsInstanceType]"
    )


def test_the_warning_can_be_acknowledged(stack: Stack) -> None:
    one = endpoint(stack)
    one.auto_scale(max_instances=2)
    Annotations.of(one).acknowledge_warning("tgi-endpoint:scalingKeepsInstanceType")
    assert not warnings(one)


def test_hours_are_scheduled_actions_in_their_time_zone(stack: Stack) -> None:
    scaling = endpoint(stack).auto_scale(min_instances=1, max_instances=2)
    scaling.on_schedule("mon-fri 08:00-19:00", time_zone="Europe/Berlin", minimum=2, maximum=8)
    scaling.on_schedule("at(2026-12-24T18:00:00)", time_zone="UTC", maximum=1)
    target = properties(template_of(stack), TARGET)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 2)
    assert target["ScheduledActions"] == [
        {
            "ScheduledActionName": "schedule-1-start-1",
            "Schedule": "cron(0 8 ? * MON,TUE,WED,THU,FRI *)",
            "Timezone": "Europe/Berlin",
            "ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 8},
        },
        {
            "ScheduledActionName": "schedule-1-end-1",
            "Schedule": "cron(0 19 ? * MON,TUE,WED,THU,FRI *)",
            "Timezone": "Europe/Berlin",
            "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 2},
        },
        {
            "ScheduledActionName": "schedule-2-at-1",
            "Schedule": "at(2026-12-24T18:00:00)",
            "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 1},
        },
    ]


def test_the_endpoint_costs_what_its_limits_allow_at_any_time(stack: Stack) -> None:
    one = endpoint(stack, instance_count=2)
    scaling = one.auto_scale(min_instances=2, max_instances=3)
    assert (one.capacity.min_instances, one.capacity.max_instances) == (2, 3)
    scaling.on_schedule("mon-fri 08:00-19:00", time_zone="UTC", maximum=8)
    scaling.on_schedule("sat-sun 00:00-24:00", time_zone="UTC", minimum=1)
    assert (one.capacity.min_instances, one.capacity.max_instances) == (1, 8)


def test_problems_of_a_schedule_are_reported_together_and_leave_nothing_behind(stack: Stack) -> None:
    scaling = endpoint(stack).auto_scale(max_instances=2)
    assert rejection(lambda: scaling.on_schedule("mon 8-9", time_zone="Berlin", minimum=0, maximum=9)) == (
        "Team/Llm/Scaling: 3 problems to solve before this can be deployed\n"
        "  - time_zone='Berlin': must be the name of a time zone in the IANA database. Did you mean Europe/Berlin?\n"
        "  - on_schedule='mon 8-9': must be days and a time of day, like 'mon-fri 08:00-19:00'. Write 'mon-fri"
        " 08:00-19:00'.\n"
        "  - minimum=0: must be from 1 to 4294967295 instances. Raise it to 1 or more."
    )
    assert "minimum=5: must be at most maximum=2." in (
        rejection(lambda: scaling.on_schedule("mon 08:00-09:00", time_zone="UTC", minimum=5))
    )
    assert (
        "minimum=None: or maximum is required, as nothing changes without. Set minimum, maximum or both to what holds"
        " in that time."
    ) in rejection(lambda: scaling.on_schedule("mon 08:00-09:00", time_zone="UTC"))
    assert "ScheduledActions" not in properties(template_of(stack), TARGET)


def test_a_utilization_is_tracked_with_its_statistic_and_without_its_unit(stack: Stack) -> None:
    one = endpoint(stack)
    one.auto_scale(max_instances=5).on_metric(
        one.metric_gpu_utilization(),
        target=60,
        scale_in_cooldown=Duration.seconds(600),
        scale_out_cooldown=Duration.seconds(200),
    )
    template = template_of(stack)
    (endpoint_id,) = resources(template, ENDPOINT)
    assert policy(template, "GPUUtilization") == {
        "TargetValue": 60,
        "CustomizedMetricSpecification": {
            "Namespace": "/aws/sagemaker/Endpoints",
            "MetricName": "GPUUtilization",
            "Statistic": "Average",
            "Dimensions": [
                {"Name": "EndpointName", "Value": {"Fn::GetAtt": [endpoint_id, "EndpointName"]}},
                {"Name": "VariantName", "Value": "AllTraffic"},
            ],
        },
        "ScaleInCooldown": 600,
        "ScaleOutCooldown": 200,
    }


def test_a_percentile_is_tracked_by_a_query(stack: Stack) -> None:
    one = endpoint(stack)
    one.auto_scale(max_instances=5).on_metric(
        cloudwatch.Metric(namespace="Team", metric_name="Waiting", statistic="p90"), target=3, id="Queue"
    )
    assert policy(template_of(stack), "Queue")["CustomizedMetricSpecification"] == {
        "Metrics": [
            {
                "Id": "tracked",
                "MetricStat": {
                    "Metric": {"Namespace": "Team", "MetricName": "Waiting", "Dimensions": []},
                    "Stat": "p90",
                },
                "ReturnData": True,
            }
        ]
    }


def test_an_expression_is_tracked_with_the_metrics_that_it_uses(stack: Stack) -> None:
    waiting = cloudwatch.Metric(namespace="Team", metric_name="Waiting", statistic="Sum", dimensions_map={"Model": "a"})
    doubled = cloudwatch.MathExpression(expression="2 * waiting", using_metrics={"waiting": waiting})
    share = cloudwatch.MathExpression(expression="doubled / 4", using_metrics={"doubled": doubled})
    endpoint(stack).auto_scale(max_instances=5).on_metric(share, target=3, id="Share")
    stat = {
        "Metric": {
            "Namespace": "Team",
            "MetricName": "Waiting",
            "Dimensions": [{"Name": "Model", "Value": "a"}],
        },
        "Stat": "Sum",
    }
    assert policy(template_of(stack), "Share")["CustomizedMetricSpecification"]["Metrics"] == [
        {"Id": "waiting", "MetricStat": stat, "ReturnData": False},
        {"Id": "doubled", "Expression": "2 * waiting", "ReturnData": False},
        {"Id": "tracked", "Expression": "doubled / 4", "ReturnData": True},
    ]


def test_a_metric_that_several_expressions_use_is_queried_once(stack: Stack) -> None:
    used = {"m": cloudwatch.Metric(namespace="Own", metric_name="Waiting")}
    parts = {
        "a": cloudwatch.MathExpression(expression="m * 2", using_metrics=used),
        "b": cloudwatch.MathExpression(expression="m + 1", using_metrics=used),
    }
    whole = cloudwatch.MathExpression(expression="a + b", using_metrics=parts)
    endpoint(stack).auto_scale(max_instances=2).on_metric(whole, target=3, id="Waiting")
    queries = policy(template_of(stack), "Waiting")["CustomizedMetricSpecification"]["Metrics"]
    assert [query["Id"] for query in queries] == ["m", "a", "b", "tracked"]


def test_a_metric_that_cannot_be_tracked_is_a_problem(stack: Stack) -> None:
    scaling = endpoint(stack).auto_scale(max_instances=5)
    elsewhere = cloudwatch.Metric(namespace="Team", metric_name="Waiting", region="us-east-1", account="222222222222")
    search = cloudwatch.SearchExpression(expression="SEARCH('{Team}', 'Sum')")
    expression = cloudwatch.MathExpression(expression="w + 1", using_metrics={"w": elsewhere})
    wrong: Any = "GPUUtilization"
    for metric, arguments, message in (
        (
            wrong,
            {},
            "metric='GPUUtilization': must be a metric of aws_cloudwatch, not str. Give endpoint.metric_gpu_util",
        ),
        (elsewhere, {}, "is of the region us-east-1, but Application Auto Scaling reads those of its own: eu-west-1."),
        (
            expression,
            {"id": "W"},
            "is of the account 222222222222, but Application Auto Scaling reads those of its own",
        ),
        (search, {"id": "S"}, "must be a metric or a math expression. Name the metrics one by one."),
        (
            cloudwatch.MathExpression(expression="1"),
            {},
            "id=None: is required for a metric without a name, such as an expression. Set id to a name such as Que",
        ),
        (search, {"id": "a b"}, "id='a b': must be letters, digits, hyphens and underscores."),
    ):
        text = rejection(lambda metric=metric, arguments=arguments: scaling.on_metric(metric, target=1, **arguments))  # type: ignore[misc]
        assert message in text
    assert not resources(template_of(stack), POLICY)


def test_each_metric_has_one_policy_unless_they_have_ids(stack: Stack) -> None:
    one = endpoint(stack)
    scaling = one.auto_scale(max_instances=5)
    scaling.on_metric(one.metric_gpu_utilization(), target=60)
    assert "on_metric='GPUUtilization': is a policy that this scaling has already." in (
        rejection(lambda: scaling.on_metric(one.metric_gpu_utilization(), target=70))
    )
    scaling.on_metric(one.metric_gpu_utilization(), target=70, id="Another")
    assert len(resources(template_of(stack), POLICY)) == 2


def test_a_metric_cannot_take_the_name_of_what_the_scaling_itself_has(stack: Stack) -> None:
    one = endpoint(stack)
    scaling = one.auto_scale(max_instances=5)
    assert rejection(lambda: scaling.on_metric(one.metric_invocations(), target=70)) == (
        "Team/Llm/Scaling: 1 problem to solve before this can be deployed\n"
        "  - id='Invocations': is a name that the scaling itself uses. Set id to another one."
    )
    scaling.on_concurrency(target=2)
    scaling.on_invocations(per_minute=2)
    for own in (child.node.id for child in scaling.node.children):
        assert f"id='{own}': is a name that the scaling itself uses." in (
            rejection(lambda own=own: scaling.on_metric(one.metric_invocations(), target=70, id=own))  # type: ignore[misc]
        )


def test_an_imported_endpoint_scales_by_targets_that_are_given(stack: Stack) -> None:
    scaling = TgiEndpoint.from_endpoint_name(stack, "Llm", "Llama-Prod").auto_scale(min_instances=1, max_instances=3)
    assert "target=None: is required: the plan does not know how many requests fit the instances." in (
        rejection(scaling.on_concurrency)
    )
    scaling.on_concurrency(target=10)
    template = template_of(stack)
    assert properties(template, TARGET)["ResourceId"] == "endpoint/Llama-Prod/variant/AllTraffic"
    assert policy(template, "Concurrency")["TargetValue"] == 10


def test_an_imported_endpoint_with_components_has_no_instances_to_scale(stack: Stack) -> None:
    one = TgiEndpoint.from_endpoint_name(stack, "Llm", "Llama-Prod", inference_component_name="llama")
    assert rejection(lambda: one.auto_scale(max_instances=3)) == (
        "Team/Llm: 1 problem to solve before this can be deployed\n"
        "  - auto_scale='llama': is for endpoints without inference components, for whose copies SageMaker itself adds"
        " instances. Scale the copies where the component is deployed."
    )


def test_an_endpoint_of_another_region_cannot_be_scaled(stack: Stack) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/llama-prod"
    one = TgiEndpoint.from_endpoint_arn(stack, "Llm", arn)
    assert (
        "auto_scale='us-east-1': is for an endpoint of the region us-east-1, but a stack scales those of its own:"
        " eu-west-1. Import it into a stack of its own account and Region."
    ) in rejection(lambda: one.auto_scale(max_instances=3))


def test_an_endpoint_does_not_load_what_scales_it_before_it_scales() -> None:
    code = "import sys, constructs_lib.endpoint.tgi; print('constructs_lib.endpoint.scaling' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == "False"
