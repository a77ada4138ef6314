"""Llama 2 13B from JumpStart's bucket, whose licence has to be accepted, cut off from every network."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_s3 as s3

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Llama2", env=Environment(account="123456789012", region="us-east-1"))
    weights = s3.Bucket.from_bucket_name(stack, "Weights", "jumpstart-private-cache-prod-us-east-1")
    TgiEndpoint(
        stack,
        "Llama",
        model=Model.from_s3(weights, "llama-2-13b-chat/", model_id="meta-llama/Llama-2-13b-chat-hf", accept_eula=True),
        instance_type=InstanceType.G5_12XLARGE,
        image=TgiImage.version("2.2.0"),
        options=TgiOptions(max_input_tokens=4095, max_total_tokens=4096),
        network_isolation=True,
        environment={"SAGEMAKER_PROGRAM": "inference.py", "MODEL_CACHE_ROOT": "/opt/ml/model"},
    )
    return stack
