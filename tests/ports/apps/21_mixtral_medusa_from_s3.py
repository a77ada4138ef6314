"""Mixtral 8x7B compressed by AWQ, with Medusa heads, from a bucket of one's own."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_s3 as s3

from constructs_lib import InstanceType, Model, Quantization, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Medusa", env=Environment(account="123456789012", region="us-east-1"))
    weights = s3.Bucket.from_bucket_name(stack, "Weights", "team-weights")
    TgiEndpoint(
        stack,
        "Mixtral",
        model=Model.from_s3(weights, "mixtral-medusa-awq/", like="mistralai/Mixtral-8x7B-Instruct-v0.1"),
        instance_type=InstanceType.G5_12XLARGE,
        image=TgiImage.version("1.4.0"),
        options=TgiOptions(
            quantize=Quantization.AWQ, max_input_tokens=8000, max_total_tokens=16384, max_batch_prefill_tokens=16384
        ),
        startup_timeout=Duration.minutes(5),
    )
    return stack
