"""The alarms of an asynchronous endpoint: what they watch, from when, and what they tell people to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from constructs_lib import AsyncTgiEndpoint, ConfigurationError, InstanceType, Model
from constructs_lib.planning.monitoring.alarm import MAX_DESCRIPTION, RUNBOOK
from tests.constructs_lib.rendered import ENDPOINT, Json, resources, template_of, text
from tests.test_docs import ROOT, anchors

if TYPE_CHECKING:
    from aws_cdk import Stack

ALARM = "AWS::CloudWatch::Alarm"
RULE = "AWS::Events::Rule"
QUEUE = ["EndpointName"]
REQUESTS = ["EndpointName", "VariantName"]


def endpoint(stack: Stack, **arguments: Any) -> AsyncTgiEndpoint:
    return AsyncTgiEndpoint(
        stack,
        "Batch",
        model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
        instance_type=InstanceType.G5_2XLARGE,
        bucket=s3.Bucket.from_bucket_name(stack, "Bucket", "team-bucket"),
        **arguments,
    )


def alarms(stack: Stack, *, min_instances: int = 0, **given: Any) -> dict[str, Json]:
    """The alarms by their ids, without the one that wakes the endpoint."""
    batch = endpoint(stack, min_instances=min_instances, max_instances=2)
    batch.monitor(**given)
    found = resources(template_of(stack), ALARM)
    return {
        name.removeprefix("BatchMonitoring")[:-8]: each["Properties"]
        for name, each in found.items()
        if name.startswith("BatchMonitoring")
    }


def watched(alarm: Json) -> dict[str, tuple[str, list[str]]]:
    """Statistic and names of dimensions by metric."""
    if "MetricName" in alarm:
        names = [each["Name"] for each in alarm["Dimensions"]]
        return {alarm["MetricName"]: (alarm["Statistic"], names)}
    stats = [each["MetricStat"] for each in alarm["Metrics"] if "MetricStat" in each]
    return {
        each["Metric"]["MetricName"]: (each["Stat"], [one["Name"] for one in each["Metric"]["Dimensions"]])
        for each in stats
    }


def test_each_alarm_watches_metrics_that_asynchronous_endpoints_have(stack: Stack) -> None:
    assert {name: watched(alarm) for name, alarm in alarms(stack).items()} == {
        "NoCapacity": {"HasBacklogWithoutCapacity": ("Minimum", QUEUE)},
        "OldestRequest": {"ApproximateAgeOfOldestRequest": ("Maximum", QUEUE)},
        "Failures": {"InvocationFailures": ("Sum", REQUESTS), "Invocation4XXErrors": ("Sum", REQUESTS)},
        "Expired": {"ExpiredRequests": ("Sum", REQUESTS)},
        "DeliveryFailures": {
            "RequestDownloadFailures": ("Sum", REQUESTS),
            "ResponseUploadFailures": ("Sum", REQUESTS),
            "NotificationFailures": ("Sum", REQUESTS),
        },
        "Disk": {"DiskUtilization": ("Maximum", REQUESTS)},
        "HostMemory": {"MemoryUtilization": ("Maximum", REQUESTS)},
    }


def figures(alarm: Json) -> tuple[Any, ...]:
    return tuple(alarm[name] for name in ("ComparisonOperator", "Threshold", "EvaluationPeriods", "DatapointsToAlarm"))


def test_by_default_people_are_told_of_what_needs_them(stack: Stack) -> None:
    found = alarms(stack)
    assert figures(found["OldestRequest"]) == ("GreaterThanThreshold", 10_800, 1, 1)
    assert figures(found["Failures"]) == ("GreaterThanOrEqualToThreshold", 3, 3, 2)
    assert figures(found["Expired"]) == ("GreaterThanOrEqualToThreshold", 1, 1, 1)
    assert figures(found["DeliveryFailures"]) == ("GreaterThanOrEqualToThreshold", 1, 1, 1)
    expressions = {name: found[name]["Metrics"][-1]["Expression"] for name in ("Failures", "DeliveryFailures")}
    assert expressions == {
        "Failures": "failed - FILL(client, 0)",
        "DeliveryFailures": "SUM([requests, answers, notifications])",
    }
    assert {each["TreatMissingData"] for each in found.values()} == {"notBreaching"}


def test_a_queue_without_an_instance_is_no_failure_for_twice_the_time_of_a_start(stack: Stack) -> None:
    alarm = alarms(stack)["NoCapacity"]
    # 102 s until an instance is ordered, 105 s for it, 440 s for the image and 15 GB of weights.
    assert figures(alarm) == ("GreaterThanOrEqualToThreshold", 1, 5, 5)
    assert alarm["Period"] == 300
    assert "for 25 minutes without any instance, and it takes 11 to start one." in alarm["AlarmDescription"]


def test_with_an_instance_at_all_times_that_alarm_is_none(stack: Stack) -> None:
    assert "NoCapacity" not in alarms(stack, min_instances=1)


def test_thresholds_can_be_set_and_alarms_left_out(stack: Stack) -> None:
    found = alarms(
        stack,
        oldest_request=Duration.minutes(20),
        failures=10,
        expired=None,
        delivery_failures=None,
        disk=70,
        host_memory=None,
    )
    assert sorted(found) == ["Disk", "Failures", "NoCapacity", "OldestRequest"]
    assert found["OldestRequest"]["Threshold"] == 1200
    assert "for more than 20 minutes" in found["OldestRequest"]["AlarmDescription"]
    assert found["Failures"]["Threshold"] == 10
    assert found["Disk"]["Threshold"] == 70


def test_descriptions_say_what_to_do_and_where_the_runbook_says_more(stack: Stack) -> None:
    found = alarms(stack, runbook="https://wiki.example.com/llm")
    sections = {name: alarm["AlarmDescription"].rpartition(" ")[2] for name, alarm in found.items()}
    assert sections == {
        "NoCapacity": "https://wiki.example.com/llm#insufficientinstancecapacity",
        "OldestRequest": "https://wiki.example.com/llm#requests-wait-in-the-queue",
        "Failures": "https://wiki.example.com/llm#asynchronous-requests-fail",
        "Expired": "https://wiki.example.com/llm#requests-wait-in-the-queue",
        "DeliveryFailures": "https://wiki.example.com/llm#asynchronous-requests-fail",
        "Disk": "https://wiki.example.com/llm#disk-full",
        "HostMemory": "https://wiki.example.com/llm#host-memory",
    }
    for alarm in found.values():
        assert 100 < len(alarm["AlarmDescription"]) <= MAX_DESCRIPTION


def test_the_runbook_has_the_section_of_each_alarm(stack: Stack) -> None:
    found = anchors(ROOT / RUNBOOK)
    for alarm in alarms(stack).values():
        assert alarm["AlarmDescription"].rpartition("#")[2] in found


def test_a_topic_is_told_of_alarms_and_of_the_endpoint_s_state(stack: Stack) -> None:
    found = alarms(stack, topic=sns.Topic.from_topic_arn(stack, "Told", "arn:aws:sns:eu-west-1:123456789012:told"))
    for alarm in found.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["arn:aws:sns:eu-west-1:123456789012:told"]
    template = template_of(stack)
    (rule,) = resources(template, RULE).values()
    (name,) = resources(template, ENDPOINT)
    assert f"<{name}.EndpointName>" in text(rule["Properties"]["EventPattern"]["detail"]["EndpointName"][0])


def test_mistakes_are_told_together(stack: Stack) -> None:
    batch = endpoint(stack)
    with pytest.raises(ConfigurationError) as raised:
        batch.monitor(oldest_request=7200, failures=0, overload=3, disk=101)  # type: ignore[arg-type, call-arg]
    assert [str(problem) for problem in raised.value.problems] == [
        "failures=0: must be from 1 to 4294967295 requests in five minutes. Raise it to 1 or more.",
        (
            "overload=3: is none of the alarms here: oldest_request, failures, expired, delivery_failures, disk,"
            " host_memory. Leave it out."
        ),
        "disk=101: must be above 0 and at most 100, in percent. Choose a number in that range, or leave it out.",
        "oldest_request=7200: must be a Duration of aws_cdk, which has a unit. Write Duration.seconds(7200).",
    ]
    with pytest.raises(ConfigurationError, match="oldest_request=25200: must be from 1 to 21600 seconds"):
        batch.monitor(oldest_request=Duration.hours(7))


def test_one_call_is_enough(stack: Stack) -> None:
    batch = endpoint(stack)
    batch.monitor()
    with pytest.raises(ConfigurationError, match="has been called already"):
        batch.monitor()
