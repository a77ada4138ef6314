"""Monitoring as a caller types it. Never run: mypy checks that each line is accepted or rejected."""

from __future__ import annotations

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_sns as sns

from constructs_lib import FleetModel, FrontDoor, InstanceType, Model, ModelFleet, TgiEndpoint

stack = Stack(App(), "Team")
topic = sns.Topic(stack, "Alarms")
imported_topic = sns.Topic.from_topic_arn(stack, "Pager", "arn:aws:sns:eu-west-1:123456789012:pager")
model = Model.from_hub("org/model")
own = TgiEndpoint(stack, "Own", model=model, instance_type=InstanceType.G5_2XLARGE)
shared = TgiEndpoint.from_endpoint_name(stack, "Shared", "chat")
fleet = ModelFleet(stack, "Fleet", models={"chat": FleetModel(model=model)}, instance_type=InstanceType.G5_12XLARGE)
front_door = FrontDoor(stack, "Api", models={"own": own})

own.monitor()
own.monitor(topic=topic, runbook="https://wiki.example.com/llm")
own.monitor(model_errors=2.5, no_capacity=3, overload=24, idle=Duration.hours(72), disk=None, host_memory=95)
shared.monitor(topic=imported_topic, overload=24, idle=None)
fleet.monitor(topic=topic, disk=90)
fleet.models["chat"].monitor(topic=topic, model_errors=None)
front_door.monitor(topic=topic, server_errors=1, time_to_first_token=Duration.seconds(3), overload=None)
front_door.monitor(availability_objective=99.9, first_token_objective=(95, Duration.seconds(2)), concurrency=2400)

# What mypy rejects. It reports an ignore that is not needed, so these would fail if they were accepted.
own.monitor(topic)  # type: ignore[call-arg]
own.monitor(topic="arn:aws:sns:eu-west-1:123456789012:pager")  # type: ignore[arg-type]
own.monitor(idle=24)  # type: ignore[arg-type]
own.monitor(server_errors=1)  # type: ignore[call-arg]
fleet.monitor(model_errors=1)  # type: ignore[call-arg]
fleet.models["chat"].monitor(disk=80)  # type: ignore[call-arg]
front_door.monitor(time_to_first_token=3)  # type: ignore[arg-type]
front_door.monitor(first_token_objective=95)  # type: ignore[arg-type]
front_door.monitor(availability_objective=(99, 5))  # type: ignore[arg-type]
