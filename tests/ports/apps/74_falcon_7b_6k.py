"""Falcon 7B with three times the context that it was trained on."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "FastChat", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Falcon",
        model=Model.from_hub("tiiuae/falcon-7b-instruct"),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("0.8.2"),
        options=TgiOptions(max_input_tokens=3000, max_total_tokens=6000),
        startup_timeout=Duration.minutes(40),
        endpoint_name="falcon-7b",
    )
    return stack
