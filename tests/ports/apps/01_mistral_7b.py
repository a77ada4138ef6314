"""Mistral 7B Instruct on one A10G, with limits for prompts and answers."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Mistral", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Mistral",
        model=Model.from_hub("mistralai/Mistral-7B-Instruct-v0.1"),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("1.1.0"),
        options=TgiOptions(max_input_tokens=2048, max_total_tokens=4096),
        startup_timeout=Duration.minutes(10),
    )
    return stack
