"""Mixtral 8x7B over eight A10G with a context of 32,000 tokens."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Mixtral", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Mixtral",
        model=Model.from_hub("mistralai/Mixtral-8x7B-Instruct-v0.1"),
        instance_type=InstanceType.G5_48XLARGE,
        image=TgiImage.version("1.3.1"),
        options=TgiOptions(
            max_input_tokens=24000,
            max_total_tokens=32000,
            max_batch_prefill_tokens=32000,
            max_batch_total_tokens=512000,
        ),
        startup_timeout=Duration.minutes(5),
    )
    return stack
