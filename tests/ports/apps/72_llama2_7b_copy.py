"""A copy of Llama 2 7B that needs no token, under a variant name of one's own."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Llama27b", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("NousResearch/Llama-2-7b-chat-hf"),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("0.9.3"),
        options=TgiOptions(max_input_tokens=2048, max_total_tokens=4096, max_batch_total_tokens=8192),
        startup_timeout=Duration.minutes(10),
        variant_name="primary",
    )
    return stack
