"""Falcon 7B with code of its own, called by the function of a Lex bot."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_lambda as lambda_

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions, read_model_file

# The commit before the repository's files became those of transformers' own Falcon, which TGI 0.8.2 does not have.
COMMIT = "eb410fb6ffa9028e97adb801f0d6ec46d02f8b07"
MODELS = read_model_file(Path(__file__).with_name("falcon_7b_2023.json"))


def build(app: App) -> Stack:
    stack = Stack(app, "Faq", env=Environment(account="123456789012", region="us-east-1"))
    endpoint = TgiEndpoint(
        stack,
        "Falcon",
        model=Model.from_hub("tiiuae/falcon-7b-instruct", revision=COMMIT, facts=MODELS["tiiuae/falcon-7b-instruct"]),
        instance_type=InstanceType.G5_8XLARGE,
        image=TgiImage.version("0.8.2"),
        options=TgiOptions(trust_remote_code=True),
        startup_timeout=Duration.minutes(5),
        endpoint_name="falcon-7b",
    )
    answers = lambda_.Function(
        stack,
        "Answers",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        environment={"ENDPOINT_NAME": endpoint.endpoint_name},
    )
    endpoint.grant_invoke(answers)
    return stack
