"""Mistral 7B Instruct on one A10G with TGI's own limits."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage


def build(app: App) -> Stack:
    stack = Stack(app, "MistralDefaults", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Mistral",
        model=Model.from_hub("mistralai/Mistral-7B-Instruct-v0.1"),
        instance_type=InstanceType.G5_4XLARGE,
        image=TgiImage.version("1.1.0"),
        startup_timeout=Duration.minutes(5),
    )
    return stack
