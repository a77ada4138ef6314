"""Asynchronous endpoints as a caller types them. Never run: mypy checks that each line is accepted or rejected."""

from __future__ import annotations

from typing import assert_type

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from aws_cdk.interfaces.aws_sagemaker import IEndpointRef

from constructs_lib import AsyncTgiEndpoint, FrontDoor, InstanceType, Model

stack = Stack(App(), "Team")
bucket = s3.Bucket(stack, "Bucket")
topic = sns.Topic(stack, "Topic")
batch = AsyncTgiEndpoint(
    stack,
    "Batch",
    model=Model.from_hub("org/model"),
    instance_type=[InstanceType.G5_2XLARGE, InstanceType.G6_2XLARGE],
    bucket=bucket,
    success_topic=topic,
    include_response_in=["success"],
    backlog_per_instance=2.5,
    max_instances=4,
)
assert_type(batch.grant_invoke_async(iam.User(stack, "User")), iam.Grant)
assert_type(batch.metric_backlog(period=Duration.minutes(1)), cloudwatch.Metric)
assert_type(batch.max_concurrent_invocations, int)
assert_type(batch.output_url, str)
batch.monitor(topic=topic, oldest_request=Duration.hours(1), failures=None, disk=70)
theirs: IEndpointRef = batch
grantee: iam.IGrantable = batch

# What mypy rejects. It reports an ignore that is not needed, so these would fail if they were accepted.
AsyncTgiEndpoint(  # type: ignore[call-arg]
    stack, "NoBucket", model=Model.from_hub("org/model"), instance_type=InstanceType.G5_2XLARGE
)
AsyncTgiEndpoint(
    stack,
    "Topic",
    model=Model.from_hub("org/model"),
    instance_type=InstanceType.G5_2XLARGE,
    bucket="team-bucket",  # type: ignore[arg-type]
    include_response_in=["failure"],  # type: ignore[list-item]
)
batch.monitor(overload=3)  # type: ignore[call-arg]
batch.grant_invoke(iam.User(stack, "Other"))  # type: ignore[attr-defined]
batch.auto_scale(max_instances=2)  # type: ignore[attr-defined]
integration: sagemaker.IEndpoint = batch  # type: ignore[assignment]
batch.metric_invocations()  # type: ignore[attr-defined]
FrontDoor(stack, "Api", models={"batch": batch})  # type: ignore[dict-item]
