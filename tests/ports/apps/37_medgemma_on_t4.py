"""A copy of MedGemma 4B on a T4, which does not compute in bfloat16."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Saarathi", env=Environment(account="123456789012", region="ap-south-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiEndpoint(
        stack,
        "MedGemma",
        model=Model.from_hub("alibayram/medgemma", token=token, like="google/gemma-3-4b-it"),
        instance_type=InstanceType.G4DN_XLARGE,
        image=TgiImage.version("3.3.6"),
        options=TgiOptions(max_input_tokens=3072, max_total_tokens=4096),
        startup_timeout=Duration.minutes(10),
        variant_name="primary",
        endpoint_name="medgemma",
    )
    return stack
