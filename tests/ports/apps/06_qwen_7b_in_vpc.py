"""Qwen2.5 7B on one A10G in a VPC, with TGI's own limits."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage


def build(app: App) -> Stack:
    stack = Stack(app, "Qwen", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    vpc = ec2.Vpc(stack, "Vpc")
    TgiEndpoint(
        stack,
        "Qwen",
        model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct", token=token),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("2.2.0"),
        startup_timeout=Duration.minutes(5),
        vpc=vpc,
        endpoint_name="qwen-7b",
    )
    return stack
