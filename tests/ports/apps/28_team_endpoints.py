"""One endpoint for each team, all with the same model, and each with two variants that share its requests 9 to 1."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage

TEAMS = {"search": 1, "support": 1}


def build(app: App) -> Stack:
    stack = Stack(app, "Teams", env=Environment(account="123456789012", region="us-east-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "HubToken", "hub-token")
    for team, instances in TEAMS.items():
        endpoint = TgiEndpoint(
            stack,
            team.title(),
            model=Model.from_hub("meta-llama/Llama-3.1-8B-Instruct", token=token),
            instance_type=InstanceType.G5_2XLARGE,
            image=TgiImage.version("3.3.6"),
            instance_count=instances,
            variant_name="a",
            variant_weight=90,
        )
        endpoint.add_variant("b", weight=10, instance_count=instances)
    return stack
