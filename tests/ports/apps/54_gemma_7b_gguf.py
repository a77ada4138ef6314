"""A repository of GGUF files by its name, which TGI does not read."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage


def build(app: App) -> Stack:
    stack = Stack(app, "GemmaGguf", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Gemma",
        model=Model.from_hub("pyrotank41/gemma-7b-it-escrow-merged-gguf"),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("1.4.2"),
        startup_timeout=Duration.minutes(5),
    )
    return stack
