"""An app of a platform team: models that several teams share on the GPUs of one endpoint, behind one URL.

README.md says how to run and deploy it.
"""

from __future__ import annotations

import os

from aws_cdk import App, CfnOutput, Duration, Environment, Stack, Tags
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib import FleetModel, FrontDoor, InstanceType, Model, ModelFleet, ScaleToZero, TgiOptions


class SharedModels(Stack):
    """Three models, which require no hub token, on one or two instances with four GPUs each."""

    def __init__(self, scope: Construct, id: str, *, env: Environment) -> None:
        super().__init__(scope, id, env=env)
        limits = TgiOptions(max_input_tokens=7_000, max_total_tokens=8_192)
        fleet = ModelFleet(
            self,
            "Fleet",
            instance_type=InstanceType.G6E_12XLARGE,
            instances=(1, 2),
            detailed_observability=False,
            models={
                # Busy by day: one GPU, and up to two more while many ask.
                "chat": FleetModel(
                    model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
                    options=limits,
                    copies=(1, 3),
                    request_tokens=2_000,
                ),
                # Always there, on the two GPUs that the plan finds it needs.
                "large": FleetModel(model=Model.from_hub("Qwen/Qwen2.5-32B-Instruct"), options=limits),
                # Asked now and then: its GPU is free for others in between.
                "code": FleetModel(
                    model=Model.from_hub("Qwen/Qwen2.5-Coder-7B-Instruct"),
                    options=limits,
                    scale_to_zero=ScaleToZero(idle=Duration.minutes(45)),
                ),
            },
        )
        front_door = FrontDoor(self, "Api", models=fleet.models)
        front_door.add_consumer("team-a", rate=20, burst=40)
        front_door.add_consumer("team-b", rate=20, burst=40)
        # A deployment after which chat or large gives no token is rolled back.
        front_door.add_smoke_test()

        for name, model in fleet.models.items():
            cloudwatch.Alarm(
                self,
                f"Errors-{name}",
                metric=model.metric_invocation_model_errors(period=Duration.minutes(1)),
                threshold=5,
                evaluation_periods=3,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
        CfnOutput(self, "Url", value=front_door.url)


app = App()
shared = SharedModels(app, "SharedModels", env=Environment(region=os.environ.get("CDK_DEFAULT_REGION")))
Tags.of(shared).add("team", "platform")
app.synth()
