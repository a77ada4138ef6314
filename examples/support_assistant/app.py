"""Another team's app: a support assistant on its own model, and a nightly job that calls the model directly.

Needs `pip install tgi-endpoint-cdk`; `cdk deploy SupportAssistant` in this folder deploys it.
"""

from __future__ import annotations

from aws_cdk import App, CfnOutput, Duration, Environment, Stack, Tags
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib import FrontDoor, GpuInstance, Model, TgiEndpoint, TgiOptions


class SupportAssistant(Stack):
    """Qwen2.5 7B, which needs no hub token, behind one URL."""

    def __init__(self, scope: Construct, id: str, *, env: Environment) -> None:
        super().__init__(scope, id, env=env)
        qwen = TgiEndpoint(
            self,
            "Qwen",
            model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
            instance_type=GpuInstance.G6E_XLARGE,
            options=TgiOptions(max_input_tokens=7_000, max_total_tokens=8_192),
        )
        door = FrontDoor(self, "Api", models={"qwen": qwen})

        nightly = iam.Role(self, "NightlyJob", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        qwen.grant_invoke(nightly)

        cloudwatch.Alarm(
            self,
            "Errors",
            metric=qwen.metric_invocation_model_errors(period=Duration.minutes(1)),
            threshold=5,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        CfnOutput(self, "Url", value=door.url)


app = App()
assistant = SupportAssistant(app, "SupportAssistant", env=Environment(region="eu-central-1"))
Tags.of(assistant).add("team", "support")
app.synth()
