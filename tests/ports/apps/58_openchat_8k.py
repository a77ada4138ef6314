"""OpenChat 13B over four A10G with a context of 8192 tokens."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "OpenChat", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "OpenChat",
        model=Model.from_hub("openchat/openchat_8192"),
        instance_type=InstanceType.G5_12XLARGE,
        image=TgiImage.version("0.8.2"),
        options=TgiOptions(max_input_tokens=7000, max_total_tokens=8192),
        startup_timeout=Duration.minutes(10),
        endpoint_name="openchat",
    )
    return stack
