"""Llama 3.1 8B on one A10G with TGI's own limits."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage


def build(app: App) -> Stack:
    stack = Stack(app, "Llama318b", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("meta-llama/Llama-3.1-8B-Instruct", token=token),
        instance_type=InstanceType.G5_4XLARGE,
        image=TgiImage.version("3.0.1"),
        startup_timeout=Duration.minutes(15),
    )
    return stack
