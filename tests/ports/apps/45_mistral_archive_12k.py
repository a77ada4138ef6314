"""A Mistral 7B of one's own from an archive, with a context of 12,288 tokens, on demand."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_s3 as s3

from constructs_lib import InstanceType, Model, ScaleToZero, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "MistralArchive", env=Environment(account="123456789012", region="us-east-1"))
    weights = s3.Bucket.from_bucket_name(stack, "Weights", "team-weights")
    TgiEndpoint(
        stack,
        "Mistral",
        model=Model.from_s3_archive(weights, "mistral/model.tar.gz", like="mistralai/Mistral-7B-Instruct-v0.2"),
        instance_type=InstanceType.G5_4XLARGE,
        image=TgiImage.version("1.3.3"),
        options=TgiOptions(max_input_tokens=12287, max_total_tokens=12288, max_batch_prefill_tokens=12288),
        startup_timeout=Duration.minutes(20),
        endpoint_name="mistral-own",
        scale_to_zero=ScaleToZero(),
    )
    return stack
