"""Qwen2.5 14B in GPTQ with an image of one's own, on demand."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_ecr as ecr

from constructs_lib import InstanceType, Model, ScaleToZero, TgiEndpoint, TgiImage


def build(app: App) -> Stack:
    stack = Stack(app, "OwnImage", env=Environment(account="123456789012", region="us-east-1"))
    images = ecr.Repository.from_repository_name(stack, "Images", "team/tgi")
    TgiEndpoint(
        stack,
        "Qwen",
        model=Model.from_hub("Qwen/Qwen2.5-14B-Instruct-GPTQ-Int4"),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.from_ecr_repository(images, tag="tgi-3.3.6", version="3.3.6"),
        startup_timeout=Duration.minutes(10),
        environment={"AWS_REGION": stack.region},
        variant_name="primary",
        endpoint_name="qwen-14b",
        scale_to_zero=ScaleToZero(),
    )
    return stack
