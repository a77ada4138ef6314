"""Llama 3 8B on Inferentia."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Size, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Llama3Inferentia", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("meta-llama/Meta-Llama-3-8B", token=token),
        instance_type=InstanceType.named("ml.inf2.xlarge"),
        options=TgiOptions(max_input_tokens=3686, max_total_tokens=4096, max_batch_size=8),
        startup_timeout=Duration.minutes(30),
        volume_size=Size.gibibytes(512),
    )
    return stack
