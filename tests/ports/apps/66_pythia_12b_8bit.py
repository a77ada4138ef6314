"""Pythia 12B in 8 bits over four A10G on the oldest image."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, Quantization, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "OpenAssistant", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Pythia",
        model=Model.from_hub("OpenAssistant/pythia-12b-sft-v8-7k-steps"),
        instance_type=InstanceType.G5_12XLARGE,
        image=TgiImage.version("0.6.0"),
        options=TgiOptions(quantize=Quantization.BITSANDBYTES),
        startup_timeout=Duration.minutes(5),
    )
    return stack
