"""SEA-LION 7B, an MPT with code of its own, over four A10G."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "SeaLion", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "SeaLion",
        model=Model.from_hub("aisingapore/sealion7b-instruct-nc"),
        instance_type=InstanceType.G5_12XLARGE,
        image=TgiImage.version("1.4.0"),
        options=TgiOptions(trust_remote_code=True),
        startup_timeout=Duration.minutes(6),
        model_download_timeout=Duration.minutes(30),
    )
    return stack
