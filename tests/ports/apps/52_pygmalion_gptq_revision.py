"""Pygmalion 2 13B in GPTQ, from a branch of its repository."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, Quantization, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Pygmalion", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Pygmalion",
        model=Model.from_hub("TheBloke/Pygmalion-2-13B-GPTQ", revision="gptq-4bit-32g-actorder_True"),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("1.0.3"),
        options=TgiOptions(quantize=Quantization.GPTQ),
        startup_timeout=Duration.minutes(5),
        environment={"GPTQ_BITS": "4", "GPTQ_GROUPSIZE": "32"},
        endpoint_name="pygmalion-13b",
    )
    return stack
