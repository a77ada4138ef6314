"""DocsGPT 7B from an archive, on the smallest A10G instance."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_s3 as s3

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "DocsGpt", env=Environment(account="123456789012", region="us-east-1"))
    weights = s3.Bucket.from_bucket_name(stack, "Weights", "team-weights")
    TgiEndpoint(
        stack,
        "DocsGpt",
        model=Model.from_s3_archive(weights, "docsgpt/model.tar.gz", model_id="Arc53/DocsGPT-7B"),
        instance_type=InstanceType.G5_XLARGE,
        image=TgiImage.version("1.1.0"),
        options=TgiOptions(
            max_input_tokens=7000, max_total_tokens=8000, max_batch_prefill_tokens=7000, max_batch_total_tokens=8192
        ),
        startup_timeout=Duration.minutes(10),
        endpoint_name="docsgpt-7b",
    )
    return stack
