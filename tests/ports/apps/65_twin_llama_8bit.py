"""A fine-tune of Llama 3.1 8B in 8 bits that takes chats only."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, Quantization, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "TwinLlama", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("mlabonne/TwinLlama-3.1-8B", token=token, like="meta-llama/Llama-3.1-8B-Instruct"),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("2.2.0"),
        options=TgiOptions(
            quantize=Quantization.BITSANDBYTES,
            max_input_tokens=2048,
            max_total_tokens=4096,
            max_batch_total_tokens=4096,
            messages_api_enabled=True,
        ),
        startup_timeout=Duration.minutes(15),
        endpoint_name="twin-llama",
    )
    return stack
