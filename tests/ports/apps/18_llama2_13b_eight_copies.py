"""Llama 2 13B in eight copies, one on each GPU of an instance."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import FleetModel, InstanceType, Model, ModelFleet, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Llama213b", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    llama = FleetModel(
        model=Model.from_hub("meta-llama/Llama-2-13b-chat-hf", token=token),
        copies=(8, 8),
        image=TgiImage.version("1.1.0"),
        options=TgiOptions(num_shard=1, max_input_tokens=2048, max_total_tokens=4096, max_batch_total_tokens=16384),
        startup_timeout=Duration.minutes(5),
    )
    ModelFleet(stack, "Fleet", models={"llama": llama}, instance_type=InstanceType.P4D_24XLARGE)
    return stack
