"""WizardCoder 1B, with an hour to start."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage


def build(app: App) -> Stack:
    stack = Stack(app, "WizardCoder", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "WizardCoder",
        model=Model.from_hub("WizardLM/WizardCoder-1B-V1.0"),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("1.1.0"),
        startup_timeout=Duration.minutes(60),
    )
    return stack
