"""Foundation-Sec 8B, which has the shape of Llama 3.1 8B, with TGI's own limits."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage


def build(app: App) -> Stack:
    stack = Stack(app, "Security", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiEndpoint(
        stack,
        "FoundationSec",
        model=Model.from_hub(
            "fdtn-ai/Foundation-Sec-8B-Instruct", token=token, like="meta-llama/Llama-3.1-8B-Instruct"
        ),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("3.3.4"),
        endpoint_name="foundation-sec",
    )
    return stack
