"""A copy of MedGemma 4B for asynchronous requests, on a T4, which does not compute in bfloat16."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import AsyncTgiEndpoint, InstanceType, Model, TgiImage, TgiOptions


def build(app: App) -> Stack:
    return saarathi(app, "Saarathi", InstanceType.G4DN_XLARGE)


def repaired(app: App) -> Stack:
    return saarathi(app, "SaarathiOnA10g", InstanceType.G5_XLARGE)


def saarathi(app: App, name: str, instance_type: InstanceType) -> Stack:
    stack = Stack(app, name, env=Environment(account="123456789012", region="ap-south-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    AsyncTgiEndpoint(
        stack,
        "MedGemma",
        model=Model.from_hub("alibayram/medgemma", token=token, like="google/gemma-3-4b-it"),
        instance_type=instance_type,
        bucket=s3.Bucket.from_bucket_name(stack, "Data", "saarathi-data"),
        image=TgiImage.version("3.3.6"),
        options=TgiOptions(max_input_tokens=3072, max_total_tokens=4096),
        startup_timeout=Duration.minutes(10),
        variant_name="primary",
        endpoint_name="medgemma",
    )
    return stack
