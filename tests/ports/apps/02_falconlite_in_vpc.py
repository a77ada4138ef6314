"""FalconLite, GPTQ with its own code, on four GPUs in a VPC, in office hours. Its rope scaler needs another image."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, Quantization, ScaleToZero, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "FalconLite", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    vpc = ec2.Vpc(stack, "Vpc")
    TgiEndpoint(
        stack,
        "FalconLite",
        model=Model.from_hub("amazon/FalconLite", token=token),
        instance_type=InstanceType.G5_12XLARGE,
        image=TgiImage.version("0.9.3"),
        options=TgiOptions(
            quantize=Quantization.GPTQ,
            trust_remote_code=True,
            max_input_tokens=12000,
            max_total_tokens=12001,
            max_batch_prefill_tokens=12001,
            max_batch_total_tokens=12001,
        ),
        startup_timeout=Duration.minutes(10),
        vpc=vpc,
        endpoint_name="falcon-lite",
        scale_to_zero=ScaleToZero.hours("mon-fri 08:00-19:00", time_zone="America/New_York", outside="closed"),
        environment={"GPTQ_BITS": "4", "GPTQ_GROUPSIZE": "128", "DNTK_ALPHA_SCALER": "0.25"},
    )
    return stack
