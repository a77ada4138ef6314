"""DeepSeek R1 Distill Llama 70B on Inferentia."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Size, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Inferentia", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "DeepSeek",
        model=Model.from_hub("deepseek-ai/DeepSeek-R1-Distill-Llama-70B"),
        instance_type=InstanceType.named("ml.inf2.48xlarge"),
        options=TgiOptions(max_input_tokens=3686, max_total_tokens=4096, max_batch_size=4),
        startup_timeout=Duration.minutes(60),
        volume_size=Size.gibibytes(512),
        endpoint_name="deepseek-70b",
    )
    return stack
