"""Gemma 2B on A10G, scaled by the GPU's utilization."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Gemma", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    gemma = TgiEndpoint(
        stack,
        "Gemma",
        model=Model.from_hub("google/gemma-2b", token=token),
        instance_type=InstanceType.G5_4XLARGE,
        image=TgiImage.version("1.4.5"),
        options=TgiOptions(max_input_tokens=2048, max_total_tokens=4096, max_batch_total_tokens=8192),
        startup_timeout=Duration.minutes(5),
        endpoint_name="gemma-2b",
    )
    gemma.auto_scale(min_instances=1, max_instances=5).on_metric(
        gemma.metric_gpu_utilization(),
        target=60,
        scale_in_cooldown=Duration.seconds(600),
        scale_out_cooldown=Duration.seconds(200),
    )
    return stack
