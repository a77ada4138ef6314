"""Llama 3 70B on Inferentia."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Size, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import AutoCastType, InstanceType, Model, NeuronOptions, TgiNeuronEndpoint, TgiNeuronImage


def build(app: App) -> Stack:
    stack = Stack(app, "Llama370bInferentia", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiNeuronEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("meta-llama/Meta-Llama-3-70B-Instruct", token=token),
        instance_type=InstanceType.INF2_48XLARGE,
        image=TgiNeuronImage.version("0.0.22"),
        options=NeuronOptions(
            num_cores=24,
            auto_cast_type=AutoCastType.FP16,
            max_batch_size=4,
            max_input_tokens=4000,
            max_total_tokens=4096,
            messages_api_enabled=True,
        ),
        startup_timeout=Duration.minutes(40),
        volume_size=Size.gibibytes(512),
    )
    return stack
