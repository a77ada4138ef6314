"""Idefics 80B in 8 bits over eight GPUs, behind an API."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import FrontDoor, InstanceType, Model, Quantization, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Idefics80b", env=Environment(account="123456789012", region="us-east-1"))
    endpoint = TgiEndpoint(
        stack,
        "Idefics",
        model=Model.from_hub("HuggingFaceM4/idefics-80b-instruct"),
        instance_type=InstanceType.G5_48XLARGE,
        image=TgiImage.version("1.1.0"),
        options=TgiOptions(
            quantize=Quantization.BITSANDBYTES,
            max_input_tokens=2048,
            max_total_tokens=4096,
            max_batch_total_tokens=8192,
        ),
        startup_timeout=Duration.minutes(10),
        endpoint_name="idefics-80b",
    )
    FrontDoor(stack, "Api", models={"idefics": endpoint})
    return stack
