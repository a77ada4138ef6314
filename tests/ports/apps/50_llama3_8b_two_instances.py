"""Llama 3 8B in float16 on two instances."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import Dtype, InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Llama38b", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("meta-llama/Meta-Llama-3-8B-Instruct", token=token),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("3.3.6"),
        options=TgiOptions(
            dtype=Dtype.FLOAT16, max_input_tokens=4096, max_total_tokens=6144, max_concurrent_requests=64
        ),
        startup_timeout=Duration.minutes(5),
        instance_count=2,
        environment={"HF_TASK": "text-generation"},
        endpoint_name="llama3-8b",
    )
    return stack
