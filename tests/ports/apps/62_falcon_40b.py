"""Falcon 40B over four A10G on an image that is older than its files."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Falcon40b", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Falcon",
        model=Model.from_hub("tiiuae/falcon-40b-instruct"),
        instance_type=InstanceType.G5_12XLARGE,
        image=TgiImage.version("0.8.2"),
        options=TgiOptions(max_input_tokens=1024, max_total_tokens=2048),
    )
    return stack
