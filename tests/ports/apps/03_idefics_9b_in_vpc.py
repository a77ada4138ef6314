"""Idefics 9B, which reads images, over four GPUs in a VPC, in office hours."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, ScaleToZero, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Idefics", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    vpc = ec2.Vpc(stack, "Vpc")
    TgiEndpoint(
        stack,
        "Idefics",
        model=Model.from_hub("HuggingFaceM4/idefics-9b-instruct", token=token),
        instance_type=InstanceType.G5_12XLARGE,
        image=TgiImage.version("1.1.0"),
        options=TgiOptions(max_input_tokens=1024, max_total_tokens=2048, max_batch_total_tokens=8192),
        startup_timeout=Duration.minutes(5),
        vpc=vpc,
        endpoint_name="idefics-9b",
        scale_to_zero=ScaleToZero.hours("mon-fri 08:00-19:00", time_zone="America/New_York", outside="closed"),
    )
    return stack
