"""Mistral 7B Instruct with a hub token, on TGI 2.4."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "MistralToken", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiEndpoint(
        stack,
        "Mistral",
        model=Model.from_hub("mistralai/Mistral-7B-Instruct-v0.1", token=token),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("2.4.0"),
        options=TgiOptions(max_input_tokens=2048, max_total_tokens=4096),
        endpoint_name="mistral-7b",
    )
    return stack
