"""Zephyr 7B that takes chats only, with TGI's own limits."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Zephyr", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Zephyr",
        model=Model.from_hub("HuggingFaceH4/zephyr-7b-beta"),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("1.4.0"),
        options=TgiOptions(messages_api_enabled=True),
        startup_timeout=Duration.minutes(5),
    )
    return stack
