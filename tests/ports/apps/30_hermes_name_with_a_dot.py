"""Hermes 3 under the name of its model, which has a dot."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Hermes", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Hermes",
        model=Model.from_hub("NousResearch/Hermes-3-Llama-3.1-8B"),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("2.0.1"),
        options=TgiOptions(max_input_tokens=2048, max_total_tokens=4096),
        environment={"HF_TASK": "text-generation"},
        endpoint_name="Hermes-3-Llama-3.1-8B",
    )
    return stack
