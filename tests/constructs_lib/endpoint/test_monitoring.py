"""monitor of endpoints: each alarm with all that decides when it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_sns as sns

from constructs_lib import InstanceType, Model, ScaleToZero, TgiEndpoint, TgiOptions
from tests.constructs_lib.endpoint.fleets import fleet, qwen
from tests.constructs_lib.rendered import Json, resources, template_of
from tests.constructs_lib.watched import alarms, watched

if TYPE_CHECKING:
    pass


RULE = "AWS::Events::Rule"
QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
OWN = {"EndpointName": "<Llm20BDA581.EndpointName>", "VariantName": "AllTraffic"}
IMPORTED = {"EndpointName": "qwen", "VariantName": "AllTraffic"}
ALL = {"ModelErrors", "Overload", "Idle", "Disk", "HostMemory"}


def endpoint(stack: Stack, **arguments: Any) -> TgiEndpoint:
    defaults: dict[str, Any] = {
        "model": QWEN,
        "instance_type": InstanceType.G6_XLARGE,
        "options": TgiOptions(max_input_tokens=1536, max_total_tokens=2048),
        "detailed_observability": False,
    }
    return TgiEndpoint(stack, "Llm", **{**defaults, **arguments})


def topic(stack: Stack) -> sns.Topic:
    return sns.Topic(stack, "Alarms")


def monitored(stack: Stack, *, given: dict[str, Any] | None = None, **arguments: Any) -> dict[str, Json]:
    """The alarms of an endpoint without a topic, by their ids."""
    endpoint(stack, **arguments).monitor(**given or {})
    return alarms(template_of(stack), "Llm")


def test_an_endpoint_without_monitor_has_no_alarm(stack: Stack) -> None:
    endpoint(stack)
    template = template_of(stack)
    assert resources(template, "AWS::CloudWatch::Alarm") == resources(template, RULE) == {}


def test_an_endpoint_has_five_alarms(stack: Stack) -> None:
    assert set(monitored(stack)) == ALL


def test_model_errors_are_what_the_container_failed_to_answer_without_mistakes_of_clients(stack: Stack) -> None:
    assert watched(monitored(stack)["ModelErrors"]) == {
        "when": "> 5 in 2 of 3",
        "metrics": {
            "requests": "AWS/SageMaker Invocations Sum",
            "server": "AWS/SageMaker Invocation5XXErrors Sum",
            "client": "AWS/SageMaker Invocation4XXErrors Sum",
            "failed": "AWS/SageMaker InvocationModelErrors Sum",
        },
        "dimensions": OWN,
        "period": 300,
        "math": {
            "unanswered": "failed - client",
            "errors": "MAX([server, unanswered])",
            "result": "IF(errors >= 3, 100 * errors / requests, 0)",
        },
    }


def test_overload_is_more_than_the_plan_says_that_an_instance_works_on(stack: Stack) -> None:
    held = endpoint(Stack(App(), "Other"))._plan
    assert held.memory is not None
    assert held.memory.concurrent_requests(1024) == 62
    assert watched(monitored(stack)["Overload"]) == {
        "when": "> 62 in 6 of 6",
        "metric": "AWS/SageMaker ConcurrentRequestsPerModel Maximum",
        "dimensions": OWN,
        "period": 300,
    }


def test_overload_counts_requests_of_the_size_that_the_endpoint_is_scaled_by(stack: Stack) -> None:
    llm = endpoint(stack)
    llm.auto_scale(max_instances=2, request_tokens=512)
    llm.monitor()
    assert watched(alarms(template_of(stack), "Llm")["Overload"])["when"] == "> 124 in 6 of 6"


def test_overload_is_at_most_what_the_container_accepts_at_once(stack: Stack) -> None:
    limited = TgiOptions(max_input_tokens=1536, max_total_tokens=2048, max_concurrent_requests=20)
    assert watched(monitored(stack, options=limited)["Overload"])["when"] == "> 20 in 6 of 6"


def test_idle_is_a_day_of_hours_without_a_request_on_a_running_instance(stack: Stack) -> None:
    assert watched(monitored(stack)["Idle"]) == {
        "when": "< 1 in 24 of 24",
        "metrics": {
            "concurrent": "AWS/SageMaker ConcurrentRequestsPerModel Maximum",
            "requests": "AWS/SageMaker Invocations Sum",
        },
        "dimensions": OWN,
        "period": 3600,
        "math": {"result": "SUM([concurrent, requests])"},
    }


@pytest.mark.parametrize(
    ("alarm", "metric", "threshold"), [("Disk", "DiskUtilization", 85), ("HostMemory", "MemoryUtilization", 90)]
)
def test_disk_and_host_memory_are_those_of_the_fullest_instance(
    stack: Stack, alarm: str, metric: str, threshold: int
) -> None:
    assert watched(monitored(stack)[alarm]) == {
        "when": f"> {threshold} in 3 of 3",
        "metric": f"/aws/sagemaker/Endpoints {metric} Maximum",
        "dimensions": OWN,
        "period": 300,
    }


def test_a_model_that_goes_to_zero_is_watched_by_its_component_and_may_be_idle(stack: Stack) -> None:
    llm = endpoint(stack, scale_to_zero=ScaleToZero())
    llm.monitor()
    found = alarms(template_of(stack), "Llm")
    assert set(found) == {"ModelErrors", "NoCapacity", "Overload", "Disk", "HostMemory"}
    component = {"InferenceComponentName": llm.inference_component_name}
    for alarm in ("ModelErrors", "NoCapacity", "Overload"):
        assert watched(found[alarm])["dimensions"] == component
    assert watched(found["Overload"])["metric"] == "AWS/SageMaker ConcurrentRequestsPerCopy Maximum"
    assert watched(found["Disk"])["dimensions"]["VariantName"] == "AllTraffic"


def test_requests_that_find_no_copy_count_once_a_model_had_twice_the_time_to_wake(stack: Stack) -> None:
    llm = endpoint(stack, scale_to_zero=ScaleToZero())
    assert llm.wake is not None
    assert llm.wake.seconds == 642
    llm.monitor()
    assert watched(alarms(template_of(stack), "Llm")["NoCapacity"]) == {
        "when": ">= 1 in 5 of 5",
        "metric": "AWS/SageMaker NoCapacityInvocationFailures Sum",
        "dimensions": {"InferenceComponentName": llm.inference_component_name},
        "period": 300,
    }


def test_an_endpoint_of_which_nothing_is_known_has_no_alarm_on_overload_unless_told(stack: Stack) -> None:
    TgiEndpoint.from_endpoint_name(stack, "Llm", "qwen").monitor()
    TgiEndpoint.from_endpoint_name(stack, "Told", "qwen").monitor(overload=24)
    template = template_of(stack)
    assert set(alarms(template, "Llm")) == ALL - {"Overload"}
    assert watched(alarms(template, "Told")["Overload"]) == {
        "when": "> 24 in 3 of 3",
        "metric": "AWS/SageMaker ConcurrentRequestsPerModel Maximum",
        "dimensions": IMPORTED,
        "period": 300,
    }


def test_each_variant_has_alarms_of_its_own_by_what_its_own_plan_says(stack: Stack) -> None:
    llm = endpoint(stack)
    fewer = TgiOptions(max_input_tokens=1536, max_total_tokens=2048, max_concurrent_requests=20)
    llm.add_variant("Blue", weight=0.25, options=fewer)
    llm.monitor(topic=topic(stack), idle=None)
    template = template_of(stack)
    found = alarms(template, "Llm")
    assert set(found) == (ALL - {"Idle"}) | {f"{alarm}Blue" for alarm in ALL - {"Idle"}}
    for alarm in ALL - {"Idle"}:
        assert watched(found[f"{alarm}Blue"])["dimensions"] == {**OWN, "VariantName": "Blue"}
        assert watched(found[alarm])["dimensions"] == OWN
    assert watched(found["OverloadBlue"])["when"] == "> 20 in 6 of 6"
    assert len(resources(template, RULE)) == 1


def test_a_variant_that_comes_after_monitor_causes_a_warning(stack: Stack) -> None:
    llm = endpoint(stack)
    llm.add_variant("Blue", weight=1).auto_scale(max_instances=2, request_tokens=1024)
    llm.monitor(topic=topic(stack))
    llm.auto_scale(max_instances=2)
    assert early(llm) == []
    llm.add_variant("Green", weight=1).auto_scale(max_instances=2, request_tokens=1024)
    assert early(llm) == ["The variant Green has no alarms, as monitor was called before. Call monitor after it."]


def test_a_load_that_comes_after_monitor_causes_a_warning(stack: Stack) -> None:
    llm = endpoint(stack)
    blue = llm.add_variant("Blue", weight=1)
    llm.monitor(topic=topic(stack))
    llm.auto_scale(max_instances=2, request_tokens=1024)
    blue.auto_scale(max_instances=2, request_tokens=1024)
    end = "is not by request_tokens of auto_scale, as monitor was called before. Call monitor after it."
    assert early(llm) == [f"The threshold of Overload {end}", f"The threshold of Overload-Blue {end}"]


def test_a_load_after_monitor_without_the_alarm_on_it_causes_no_warning(stack: Stack) -> None:
    llm = endpoint(stack)
    llm.monitor(topic=topic(stack), overload=None)
    llm.auto_scale(max_instances=2, request_tokens=1024)
    assert early(llm) == []


def early(llm: TgiEndpoint) -> list[str]:
    """The warnings that monitor was called too early, without how to acknowledge them."""
    end = " [ack: tgi-endpoint:monitoredBefore]"
    return [str(entry.data).removesuffix(end) for entry in llm.node.metadata if str(entry.data).endswith(end)]


def test_a_fleet_watches_its_instances_and_each_model_itself(stack: Stack) -> None:
    many = fleet(stack, {"chat": qwen(), "code": qwen(copies=(1, 2))}, instances=(1, 2))
    many.monitor(topic=topic(stack), disk=70)
    many.models["chat"].monitor(model_errors=None)
    template = template_of(stack)
    assert set(alarms(template, "Fleet")) == {"Disk", "HostMemory"}
    assert watched(alarms(template, "Fleet")["Disk"]) == {
        "when": "> 70 in 3 of 3",
        "metric": "/aws/sagemaker/Endpoints DiskUtilization Maximum",
        "dimensions": {"EndpointName": "<Fleet30813DF3.EndpointName>", "VariantName": "AllTraffic"},
        "period": 300,
    }
    chat = alarms(template, "FleetModelschat")
    assert set(chat) == {"NoCapacity", "Overload", "Idle"}
    assert watched(chat["NoCapacity"])["when"] == ">= 1 in 1 of 1"
    component = {"InferenceComponentName": many.models["chat"].inference_component_name}
    assert watched(chat["Idle"])["dimensions"] == component
    assert alarms(template, "FleetModelscode") == {}
    assert len(resources(template, RULE)) == 1


def test_each_threshold_can_be_another_one(stack: Stack) -> None:
    given = {"model_errors": 0.5, "overload": 12, "idle": Duration.days(7), "disk": 60.5, "host_memory": 70}
    found = monitored(stack, given=given)
    assert {alarm: watched(found[alarm])["when"] for alarm in found} == {
        "ModelErrors": "> 0.5 in 2 of 3",
        "Overload": "> 12 in 6 of 6",
        "Idle": "< 1 in 168 of 168",
        "Disk": "> 60.5 in 3 of 3",
        "HostMemory": "> 70 in 3 of 3",
    }


@pytest.mark.parametrize(
    ("keyword", "alarm"),
    [
        ("model_errors", "ModelErrors"),
        ("overload", "Overload"),
        ("idle", "Idle"),
        ("disk", "Disk"),
        ("host_memory", "HostMemory"),
    ],
)
def test_each_alarm_can_be_left_out(stack: Stack, keyword: str, alarm: str) -> None:
    assert set(monitored(stack, given={keyword: None})) == ALL - {alarm}


def test_an_unmonitored_endpoint_does_not_load_what_monitoring_needs() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from aws_cdk import App, Stack; from constructs_lib import InstanceType, Model, TgiEndpoint;"
        "TgiEndpoint(Stack(App(), 'S'), 'E', model=Model.from_hub('Qwen/Qwen2.5-7B-Instruct'),"
        " instance_type=InstanceType.G5_2XLARGE);"
        "print(sorted({'aws_cdk.aws_sns', 'aws_cdk.aws_events', 'constructs_lib._alarms'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
