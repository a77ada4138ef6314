"""DeepSeek R1 Distill Llama 8B in float16 over four A10G, ten requests at once."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import Dtype, InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "DeepSeek8b", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "DeepSeek",
        model=Model.from_hub("deepseek-ai/DeepSeek-R1-Distill-Llama-8B"),
        instance_type=InstanceType.G5_12XLARGE,
        image=TgiImage.version("3.0.1"),
        options=TgiOptions(
            dtype=Dtype.FLOAT16,
            max_input_tokens=4096,
            max_total_tokens=8192,
            max_batch_prefill_tokens=10000,
            max_concurrent_requests=10,
        ),
        startup_timeout=Duration.minutes(10),
        environment={"HF_TASK": "text-generation", "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"},
        endpoint_name="deepseek-8b",
    )
    return stack
