"""Llama 3 70B in 8 bits, with a storage volume that its instance does not take."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Size, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import Dtype, InstanceType, Model, Quantization, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Llama370bAsync", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("meta-llama/Meta-Llama-3-70B-Instruct", token=token),
        instance_type=InstanceType.G5_48XLARGE,
        image=TgiImage.version("3.3.6"),
        options=TgiOptions(
            quantize=Quantization.BITSANDBYTES,
            dtype=Dtype.FLOAT16,
            max_input_tokens=8000,
            max_total_tokens=10000,
            max_batch_prefill_tokens=32000,
            max_concurrent_requests=128,
            watermark_gamma=0,
            watermark_delta=0,
        ),
        startup_timeout=Duration.minutes(15),
        model_download_timeout=Duration.minutes(30),
        volume_size=Size.gibibytes(200),
        endpoint_name="llama3-70b",
    )
    return stack
