"""Endpoints with components, scalable targets, policies and alarms, read from what was deployed."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.autoscaling.alarms import Alarm
from local.autoscaling.expressions import Expression, Query
from local.autoscaling.metrics import metric_key
from local.autoscaling.policies import Step, StepPolicy, Target, TrackingPolicy
from local.deployment.control_plane import ControlPlane
from local.deployment.deployed_endpoint import DeployedComponent, DeployedContainer, read_endpoints
from local.deployment.deployed_scaling import read_scaling
from local.deployment.instance_sizes import Demand
from tests.local.deployment.deployments import create
from tests.local.deployment.scaled_stack import IMAGE, adapter, alarm, scaled_template, tracking_policy

pytestmark = pytest.mark.xdist_group("control_plane")

ARN = (
    "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:Wake:resource/sagemaker/inference-component/"
    "Scaled-Component:policyName/Wake"
)

FAILURES = metric_key("NoCapacityInvocationFailures", {"InferenceComponentName": "Scaled-Component"})
CONCURRENT = metric_key("ConcurrentRequestsPerCopy", {"InferenceComponentName": "Scaled-Component"})
FAILED = {
    "Id": "failed",
    "ReturnData": False,
    "MetricStat": {
        "Metric": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "NoCapacityInvocationFailures",
            "Dimensions": [{"Name": "InferenceComponentName", "Value": "Scaled-Component"}],
        },
        "Stat": "Sum",
        "Period": 30,
    },
}


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as running:
        yield running


def test_an_endpoint_is_read_with_its_components(plane: ControlPlane) -> None:
    create(plane, scaled_template())
    (endpoint,) = read_endpoints(plane)
    assert (endpoint.variant, endpoint.instance_type, endpoint.instances) == ("AllTraffic", "ml.g5.xlarge", 1)
    assert (endpoint.max_instances, endpoint.container) == (2, None)
    (container,) = endpoint.containers()
    assert container == DeployedContainer(
        model_name=container.model_name, image=IMAGE, environment={"HF_MODEL_ID": "m/m"}
    )
    name = "Scaled-Component"
    demand = Demand(accelerators=1, memory=1024)
    assert endpoint.components == {
        name: DeployedComponent(name=name, container=container, copies=1, demand=demand),
    }


def test_an_adapter_is_read_with_the_component_whose_copies_have_it(plane: ControlPlane) -> None:
    template = scaled_template()
    template["Resources"]["Adapter"] = adapter()
    create(plane, template)
    (endpoint,) = read_endpoints(plane)
    assert list(endpoint.components) == ["Scaled-Component"]
    assert endpoint.adapters == {"Scaled-Adapter": "Scaled-Component"}


def test_a_component_may_have_a_container_of_its_own_for_each_instance_type(plane: ControlPlane) -> None:
    template = scaled_template()
    specification = template["Resources"]["Component"]["Properties"].pop("Specification")
    del specification["ModelName"]
    template["Resources"]["Component"]["Properties"]["Specifications"] = [
        {**specification, "InstanceType": name, "Container": {"Image": image, "Environment": {"HF_MODEL_ID": image}}}
        for name, image in (("ml.g5.12xlarge", "large"), ("ml.g5.xlarge", "small"))
    ]
    create(plane, template)
    (endpoint,) = read_endpoints(plane)
    assert [container.image for container in endpoint.containers()] == ["small"]


def test_targets_are_read_with_their_policies_and_alarms(plane: ControlPlane) -> None:
    template = scaled_template()
    template["Resources"]["Track"] = tracking_policy("Target", "Track", ScaleOutCooldown=120)
    template["Resources"]["Other"] = alarm("Wake", "Component", AlarmActions=["arn:aws:sns:us-east-1:1:people"])
    create(plane, template)
    scaling = read_scaling(plane)
    assert scaling.notes == []
    assert scaling.targets == [
        Target(
            resource_id="inference-component/Scaled-Component",
            minimum=0,
            maximum=2,
            steps=[
                StepPolicy(
                    name="Wake",
                    arn=ARN,
                    adjustment_type="ChangeInCapacity",
                    steps=[Step(0.0, None, 1.0)],
                    cooldown=60.0,
                    min_magnitude=1,
                )
            ],
            tracking=[
                TrackingPolicy(
                    name="Track",
                    watched=Expression("metric", {"metric": Query(CONCURRENT, "Average")}),
                    target=2.0,
                    period=10.0,
                    scale_out_cooldown=120.0,
                    scale_in_cooldown=300.0,
                    scales_in=False,
                )
            ],
        )
    ]
    assert scaling.alarms == [
        Alarm(
            name="Scaled-NoCapacity",
            watched=Expression("metric", {"metric": Query(FAILURES, "Sum")}),
            period=60.0,
            evaluation_periods=1,
            datapoints_to_alarm=1,
            comparison="GreaterThanOrEqualToThreshold",
            threshold=1.0,
            treat_missing="notBreaching",
            actions=[ARN],
        )
    ]


def test_an_alarm_may_evaluate_an_expression(plane: ControlPlane) -> None:
    template = scaled_template()
    properties = template["Resources"]["NoCapacity"]["Properties"]
    for name in ("MetricName", "Namespace", "Statistic", "Period", "Dimensions"):
        del properties[name]
    properties["Metrics"] = [FAILED, {"Id": "result", "Expression": "FILL(failed, 0) * 2", "ReturnData": True}]
    create(plane, template)
    (alarm,) = read_scaling(plane).alarms
    assert alarm.watched == Expression("FILL(failed, 0) * 2", {"failed": Query(FAILURES, "Sum")})
    assert alarm.period == 30


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"Statistic": None, "ExtendedStatistic": "p90"},
            "a percentile of NoCapacityInvocationFailures is no statistic that is calculated here",
        ),
        (
            {"MetricName": None, "Metrics": [FAILED, {"Id": "e", "Expression": "RATE(failed)"}]},
            "RATE(failed): the emulated CloudWatch cannot evaluate RATE(failed).",
        ),
        ({"MetricName": "GPUUtilization"}, "nothing publishes AWS/SageMaker GPUUtilization here"),
    ],
    ids=["percentile", "expression", "unknown metric"],
)
def test_an_alarm_that_cannot_be_evaluated_does_nothing_and_a_note_says_so(
    plane: ControlPlane, changes: dict[str, Any], reason: str
) -> None:
    template = scaled_template()
    properties = template["Resources"]["NoCapacity"]["Properties"] | changes
    template["Resources"]["NoCapacity"]["Properties"] = {
        name: value for name, value in properties.items() if value is not None
    }
    create(plane, template)
    scaling = read_scaling(plane)
    assert (scaling.alarms, scaling.notes) == ([], [f"the alarm Scaled-NoCapacity does nothing: {reason}"])


@pytest.mark.parametrize(
    ("specification", "notes"),
    [
        (
            {"CustomizedMetricSpecification": {"MetricName": "Queue", "Namespace": "own", "Statistic": "Average"}},
            ["the policy Track does nothing: nothing publishes own Queue here"],
        ),
        (
            {"PredefinedMetricSpecification": {"PredefinedMetricType": "Other"}},
            ["the policy Track does nothing: nothing publishes Other here"],
        ),
        (
            {
                "CustomizedMetricSpecification": {
                    "MetricName": "Invocations",
                    "Namespace": "AWS/SageMaker",
                    "Statistic": "Sum",
                    "Dimensions": [{"Name": "InferenceComponentName", "Value": "Scaled-Component"}],
                }
            },
            [],
        ),
    ],
    ids=["own metric", "unknown predefined metric", "metric of SageMaker"],
)
def test_a_policy_tracks_a_metric_that_is_published_here(
    plane: ControlPlane, specification: dict[str, Any], notes: list[str]
) -> None:
    template = scaled_template()
    template["Resources"]["Track"] = tracking_policy("Target", "Track", **specification)
    if "CustomizedMetricSpecification" in specification:
        configuration = template["Resources"]["Track"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
        del configuration["PredefinedMetricSpecification"]
    create(plane, template)
    scaling = read_scaling(plane)
    assert scaling.notes == notes
    assert [policy.watched.queries["metric"].statistic for policy in scaling.targets[0].tracking] == ["Sum"] * (
        not notes
    )


def test_scheduled_actions_do_nothing_and_a_note_says_so(plane: ControlPlane) -> None:
    template = scaled_template()
    action = {"ScheduledActionName": "Open", "Schedule": "cron(0 8 ? * MON-FRI *)"}
    template["Resources"]["Target"]["Properties"]["ScheduledActions"] = [action]
    create(plane, template)
    assert read_scaling(plane).notes == ["inference-component/Scaled-Component: its scheduled actions do nothing here"]
