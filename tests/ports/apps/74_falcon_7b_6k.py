"""Falcon 7B with three times the context that it was trained on."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions, read_model_file

# The commit before the repository's files became those of transformers' own Falcon, which TGI 0.8.2 does not have.
COMMIT = "eb410fb6ffa9028e97adb801f0d6ec46d02f8b07"
MODELS = read_model_file(Path(__file__).with_name("falcon_7b_2023.json"))


def build(app: App) -> Stack:
    stack = Stack(app, "FastChat", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Falcon",
        model=Model.from_hub("tiiuae/falcon-7b-instruct", revision=COMMIT, facts=MODELS["tiiuae/falcon-7b-instruct"]),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("0.8.2"),
        options=TgiOptions(max_input_tokens=3000, max_total_tokens=6000),
        startup_timeout=Duration.minutes(40),
        endpoint_name="falcon-7b",
    )
    return stack
