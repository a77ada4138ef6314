"""A 13B model on an instance without a GPU."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage


def build(app: App) -> Stack:
    stack = Stack(app, "Crosswords", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("azugarini/clue-instruct-llama-13b"),
        instance_type=InstanceType.named("ml.t2.2xlarge"),
        image=TgiImage.version("1.4.2"),
        startup_timeout=Duration.minutes(5),
    )
    return stack
