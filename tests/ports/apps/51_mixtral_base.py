"""Mixtral 8x7B, the base model, over eight A10G with TGI's own limits."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage


def build(app: App) -> Stack:
    stack = Stack(app, "MixtralBase", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiEndpoint(
        stack,
        "Mixtral",
        model=Model.from_hub("mistralai/Mixtral-8x7B-v0.1", token=token),
        instance_type=InstanceType.G5_48XLARGE,
        image=TgiImage.version("2.0.2"),
        startup_timeout=Duration.minutes(5),
    )
    return stack
