"""Llama 3.2 11B Vision over four L4 that takes chats only."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Llama32Vision", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiEndpoint(
        stack,
        "Vision",
        model=Model.from_hub("meta-llama/Llama-3.2-11B-Vision-Instruct", token=token),
        instance_type=InstanceType.G6_12XLARGE,
        image=TgiImage.version("2.3.1"),
        options=TgiOptions(max_input_tokens=6000, max_total_tokens=8192, messages_api_enabled=True),
        startup_timeout=Duration.minutes(5),
        environment={"HF_HUB_ENABLE_HF_TRANSFER": "1"},
    )
    return stack
