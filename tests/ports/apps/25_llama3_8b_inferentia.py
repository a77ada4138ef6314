"""Llama 3 8B on Inferentia."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Size, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import AutoCastType, InstanceType, Model, NeuronOptions, TgiNeuronEndpoint, TgiNeuronImage


def build(app: App) -> Stack:
    stack = Stack(app, "Llama3Inferentia", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    TgiNeuronEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("meta-llama/Meta-Llama-3-8B", token=token),
        instance_type=InstanceType.INF2_XLARGE,
        image=TgiNeuronImage.version("0.0.23"),
        options=NeuronOptions(
            num_cores=2,
            auto_cast_type=AutoCastType.FP16,
            max_batch_size=8,
            max_input_tokens=3686,
            max_total_tokens=4096,
        ),
        startup_timeout=Duration.minutes(30),
        volume_size=Size.gibibytes(512),
    )
    return stack
