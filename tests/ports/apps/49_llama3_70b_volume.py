"""Llama 3 70B in 8 bits for asynchronous requests, with a storage volume that its instance does not take."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Size, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns

from constructs_lib import AsyncTgiEndpoint, Dtype, InstanceType, Model, Quantization, TgiImage, TgiOptions


def build(app: App) -> Stack:
    return llama(app, "Llama370bAsync", Size.gibibytes(200))


def repaired(app: App) -> Stack:
    return llama(app, "Llama370bAsyncWithoutVolume", None)


def llama(app: App, name: str, volume_size: Size | None) -> Stack:
    stack = Stack(app, name, env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    topic_arn = "arn:aws:sns:us-east-1:123456789012:llama3-70b-{}"
    AsyncTgiEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("meta-llama/Meta-Llama-3-70B-Instruct", token=token),
        instance_type=InstanceType.G5_48XLARGE,
        bucket=s3.Bucket.from_bucket_name(stack, "Data", "llama3-70b-data"),
        success_topic=sns.Topic.from_topic_arn(stack, "Done", topic_arn.format("done")),
        error_topic=sns.Topic.from_topic_arn(stack, "Failed", topic_arn.format("failed")),
        max_concurrent_invocations=4,
        min_instances=1,
        image=TgiImage.version("3.3.6"),
        options=TgiOptions(
            quantize=Quantization.BITSANDBYTES,
            dtype=Dtype.FLOAT16,
            max_input_tokens=8000,
            max_total_tokens=10000,
            max_batch_prefill_tokens=32000,
            max_concurrent_requests=128,
            watermark_gamma=0,
            watermark_delta=0,
        ),
        startup_timeout=Duration.minutes(15),
        model_download_timeout=Duration.minutes(30),
        volume_size=volume_size,
        endpoint_name="llama3-70b",
    )
    return stack
