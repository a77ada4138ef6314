"""Llama 3 70B over eight A100 that takes chats only."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Llama370b", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("meta-llama/Meta-Llama-3-70B-Instruct", token=token),
        instance_type=InstanceType.P4D_24XLARGE,
        image=TgiImage.version("2.0.0"),
        options=TgiOptions(
            max_input_tokens=2048, max_total_tokens=4096, max_batch_total_tokens=8192, messages_api_enabled=True
        ),
        startup_timeout=Duration.minutes(15),
    )
    return stack
