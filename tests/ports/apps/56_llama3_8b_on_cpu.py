"""Llama 3 8B on an instance without a GPU, with variables for Inferentia."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Chatbot", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("meta-llama/Meta-Llama-3-8B", token=token),
        instance_type=InstanceType.named("ml.m5.xlarge"),
        image=TgiImage.version("3.0.1"),
        options=TgiOptions(max_input_tokens=3686, max_total_tokens=4096, max_batch_size=4),
        environment={"HF_NUM_CORES": "2", "HF_AUTO_CAST_TYPE": "fp16"},
        endpoint_name="chatbot",
    )
    return stack
