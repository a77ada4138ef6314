"""Llama 3.1 8B on A10G that takes chats only, with a small batch, scaled by the requests a minute."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Llama31", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    llama = TgiEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("meta-llama/Llama-3.1-8B-Instruct", token=token),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("2.2.0"),
        options=TgiOptions(
            max_input_tokens=4000, max_total_tokens=4096, max_batch_total_tokens=6144, messages_api_enabled=True
        ),
    )
    scaling = llama.auto_scale(max_instances=4)
    scaling.on_invocations(
        per_minute=200, scale_in_cooldown=Duration.seconds(300), scale_out_cooldown=Duration.seconds(66)
    )
    return stack
