"""DeepSeek R1 Distill Llama 70B on Inferentia."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Size, Stack

from constructs_lib import AutoCastType, InstanceType, Model, NeuronOptions, TgiNeuronEndpoint, TgiNeuronImage


def build(app: App) -> Stack:
    stack = Stack(app, "Inferentia", env=Environment(account="123456789012", region="us-east-1"))
    TgiNeuronEndpoint(
        stack,
        "DeepSeek",
        model=Model.from_hub("deepseek-ai/DeepSeek-R1-Distill-Llama-70B"),
        instance_type=InstanceType.INF2_48XLARGE,
        image=TgiNeuronImage.version("0.0.25"),
        options=NeuronOptions(
            num_cores=24,
            auto_cast_type=AutoCastType.BF16,
            max_batch_size=4,
            max_input_tokens=3686,
            max_total_tokens=4096,
        ),
        startup_timeout=Duration.minutes(60),
        volume_size=Size.gibibytes(512),
        endpoint_name="deepseek-70b",
    )
    return stack
