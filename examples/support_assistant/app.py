"""An app of another team: a support assistant that a web shop and a chat bot call, each with its own API key.

A nightly job invokes the model directly. README.md says how to run and deploy it.
"""

from __future__ import annotations

import os

from aws_cdk import App, CfnOutput, Duration, Environment, Stack, Tags
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib import Cors, FrontDoor, InstanceType, Model, TgiEndpoint, TgiOptions


class SupportAssistant(Stack):
    """Qwen2.5 7B, which requires no hub token, behind one URL."""

    def __init__(self, scope: Construct, id: str, *, env: Environment) -> None:
        super().__init__(scope, id, env=env)
        qwen = TgiEndpoint(
            self,
            "Qwen",
            model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
            instance_type=InstanceType.G6E_XLARGE,
            options=TgiOptions(max_input_tokens=7_000, max_total_tokens=8_192),
            detailed_observability=False,
        )
        front_door = FrontDoor(
            self,
            "Api",
            models={"qwen": qwen},
            default_max_tokens=512,
            cors=Cors(allowed_origins=["https://support.example.com"]),
        )
        shop = front_door.add_consumer("web-shop", rate=20, burst=40)
        bot = front_door.add_consumer("chat-bot", rate=2, burst=4, monthly_requests=50_000)

        # ECS tasks of this account alone, as the ECS guide has it (Amazon ECS task IAM role).
        here = {"StringEquals": {"aws:SourceAccount": self.account}}
        ecs_tasks = iam.ServicePrincipal("ecs-tasks.amazonaws.com", conditions=here)
        nightly = iam.Role(self, "NightlyJob", assumed_by=ecs_tasks)
        qwen.grant_invoke(nightly)

        cloudwatch.Alarm(
            self,
            "Errors",
            metric=qwen.metric_invocation_model_errors(period=Duration.minutes(1)),
            threshold=5,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        cloudwatch.Alarm(
            self,
            "SlowStart",
            metric=front_door.metric_time_to_first_token(statistic="p90"),
            threshold=5_000,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        CfnOutput(self, "Url", value=front_door.url)
        for name, consumer in {"WebShop": shop, "ChatBot": bot}.items():
            CfnOutput(self, f"{name}KeyId", value=consumer.key_id)


app = App()
assistant = SupportAssistant(app, "SupportAssistant", env=Environment(region=os.environ.get("CDK_DEFAULT_REGION")))
Tags.of(assistant).add("team", "support")
app.synth()
