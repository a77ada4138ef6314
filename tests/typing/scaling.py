"""Scaling as a caller types it. Never run: mypy checks that each line is accepted or rejected."""

from __future__ import annotations

from typing import assert_type

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib import EndpointScaling, InstanceType, Model, TgiEndpoint

stack = Stack(App(), "Team")
own = TgiEndpoint(
    stack,
    "Own",
    model=Model.from_hub("org/model"),
    instance_type=[InstanceType.G5_2XLARGE, InstanceType.G6_2XLARGE],
    replace_on_instance_type_change=True,
)
shared = TgiEndpoint.from_endpoint_name(stack, "Shared", "chat")
scaling = own.auto_scale(min_instances=1, max_instances=4, request_tokens=2000)
assert_type(scaling, EndpointScaling)
assert_type(shared.auto_scale(max_instances=4), EndpointScaling)
assert_type(scaling.scalable_target, autoscaling.CfnScalableTarget)
scaling.on_concurrency()
scaling.on_concurrency(target=8.5, scale_in_cooldown=Duration.minutes(5), scale_out_cooldown=Duration.minutes(10))
scaling.on_invocations(per_minute=100)
scaling.on_metric(own.metric_gpu_utilization(), target=80, scale_in_cooldown=Duration.minutes(5))
scaling.on_metric(cloudwatch.MathExpression(expression="m / 2", using_metrics={}), target=1, id="Half")
scaling.on_schedule("mon-fri 08:00-19:00", "sat 10:00-14:00", time_zone="Europe/Berlin", minimum=2, maximum=8)

# What mypy rejects. It reports an ignore that is not needed, so these would fail if they were accepted.
own.auto_scale(min_instances=1)  # type: ignore[call-arg]
own.auto_scale(1, 4)  # type: ignore[call-arg]
shared.auto_scale(max_instances=4, request_tokens=2000)  # type: ignore[call-arg]
scaling.on_concurrency(scale_in_cooldown=300)  # type: ignore[arg-type]
scaling.on_concurrency(cooldown=Duration.minutes(5))  # type: ignore[call-arg]
scaling.on_invocations()  # type: ignore[call-arg]
scaling.on_metric("GPUUtilization", target=80)  # type: ignore[arg-type]
scaling.on_schedule("mon-fri 08:00-19:00", minimum=2)  # type: ignore[call-arg]
