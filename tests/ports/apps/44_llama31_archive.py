"""A Llama 3.1 8B of one's own from the archive of a training job."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_s3 as s3

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Llama31Archive", env=Environment(account="123456789012", region="us-east-1"))
    weights = s3.Bucket.from_bucket_name(stack, "Weights", "team-weights")
    TgiEndpoint(
        stack,
        "Llama",
        model=Model.from_s3_archive(weights, "llama/model.tar.gz", model_id="meta-llama/Llama-3.1-8B-Instruct"),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("3.0.1"),
        options=TgiOptions(max_input_tokens=1024, max_total_tokens=2048, messages_api_enabled=True),
        environment={"NUMBER_OF_GPU": "1"},
        endpoint_name="llama-own",
    )
    return stack
