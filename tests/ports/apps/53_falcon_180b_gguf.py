"""A repository of GGUF files, which TGI does not read."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage


def build(app: App) -> Stack:
    stack = Stack(app, "FalconGguf", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Falcon",
        model=Model.from_hub("TheBloke/Falcon-180B-Chat-GGUF"),
        instance_type=InstanceType.P4D_24XLARGE,
        image=TgiImage.version("1.4.2"),
        startup_timeout=Duration.minutes(35),
    )
    return stack
