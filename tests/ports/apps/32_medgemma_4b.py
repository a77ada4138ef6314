"""MedGemma 4B on one A10G."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "MedGemma4b", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiEndpoint(
        stack,
        "MedGemma",
        model=Model.from_hub("google/medgemma-1.5-4b-it", token=token),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("3.3.4"),
        options=TgiOptions(max_input_tokens=2048, max_total_tokens=4096),
        environment={"HF_TRUST_REMOTE_CODE": "true"},
        endpoint_name="medgemma-4b",
    )
    return stack
