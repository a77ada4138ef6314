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
from local.deployment.deployed_scaling import read_alarms, read_targets
from local.deployment.instance_sizes import Demand
from local.errors import UserError
from tests.local.deployment.scaled_stack import IMAGE, alarm, create, scaled_template, tracking_policy

pytestmark = pytest.mark.xdist_group("control_plane")

ARN = (
    "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:Wake:resource/sagemaker/inference-component/"
    "Scaled-Component:policyName/Wake"
)

FAILURES = metric_key("NoCapacityInvocationFailures", {"InferenceComponentName": "Scaled-Component"})
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
    targets = read_targets(plane)
    assert targets == [
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
                    metric="ConcurrentRequestsPerCopy",
                    target=2.0,
                    period=10,
                    scale_out_cooldown=120.0,
                    scale_in_cooldown=300.0,
                    scales_in=False,
                )
            ],
        )
    ]
    assert read_alarms(plane, targets) == [
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
    (alarm,) = read_alarms(plane, read_targets(plane))
    assert alarm.watched == Expression("FILL(failed, 0) * 2", {"failed": Query(FAILURES, "Sum")})
    assert alarm.period == 30


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"Statistic": None, "ExtendedStatistic": "p90"},
            r"Choose a statistic that the emulated CloudWatch has: Average, Maximum, Minimum, SampleCount, Sum\.",
        ),
        (
            {"MetricName": None, "Metrics": [FAILED, {"Id": "e", "Expression": "ANOMALY_DETECTION_BAND(failed)"}]},
            (
                r"invokes a scaling policy by an expression\.\n"
                r"ANOMALY_DETECTION_BAND\(failed\): the emulated CloudWatch cannot evaluate "
                r"ANOMALY_DETECTION_BAND\(failed\)\.\nWrite it with arithmetic, comparisons, IF, FILL, SUM, AVG, MAX"
            ),
        ),
    ],
    ids=["percentile", "expression"],
)
def test_an_alarm_that_cannot_be_evaluated_is_an_error(
    plane: ControlPlane, changes: dict[str, Any], message: str
) -> None:
    template = scaled_template()
    properties = template["Resources"]["NoCapacity"]["Properties"] | changes
    template["Resources"]["NoCapacity"]["Properties"] = {
        name: value for name, value in properties.items() if value is not None
    }
    create(plane, template)
    with pytest.raises(UserError, match=message):
        read_alarms(plane, read_targets(plane))


def test_a_policy_that_tracks_a_metric_of_its_own_is_an_error(plane: ControlPlane) -> None:
    template = scaled_template()
    custom = {"MetricName": "Queue", "Namespace": "own", "Statistic": "Average"}
    template["Resources"]["Track"] = tracking_policy(
        "Target", "Track", PredefinedMetricSpecification={}, CustomizedMetricSpecification=custom
    )
    create(plane, template)
    with pytest.raises(UserError, match=r"The scaling policy Track tracks a metric of its own, which nothing records"):
        read_targets(plane)
