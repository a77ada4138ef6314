"""Mixtral 8x7B asked for eight GPUs of an instance with one."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "MixtralT4", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Mixtral",
        model=Model.from_hub("mistralai/Mixtral-8x7B-Instruct-v0.1"),
        instance_type=InstanceType.G4DN_XLARGE,
        image=TgiImage.version("1.3.1"),
        options=TgiOptions(
            num_shard=8,
            max_input_tokens=24000,
            max_total_tokens=32000,
            max_batch_prefill_tokens=32000,
            max_batch_total_tokens=512000,
        ),
        startup_timeout=Duration.minutes(5),
    )
    return stack
