"""An app of a team with a model server of its own: the image in server/, behind the same front door as every model.

It requires the image (`docker build --platform linux/amd64 server`) in an ECR repository `model-server` of the stack's
Region; the variable IMAGE_TAG names the image. README.md says how to run and deploy it.
"""

from __future__ import annotations

import os

from aws_cdk import App, CfnOutput, Duration, Environment, Stack
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from constructs_lib import ContainerEndpoint, ContainerProtocol, FrontDoor, InstanceType, OwnImage, ServingFacts


class OwnContainer(Stack):
    """The server of server/server.py on an instance without a GPU."""

    def __init__(self, scope: Construct, id: str, *, env: Environment) -> None:
        super().__init__(scope, id, env=env)
        repository = ecr.Repository.from_repository_name(self, "Images", "model-server")
        endpoint = ContainerEndpoint(
            self,
            "Model",
            image=OwnImage.from_ecr_repository(repository, tag=os.environ.get("IMAGE_TAG", "1.0.0")),
            instance_type=InstanceType.without_accelerator("ml.c7i.xlarge"),
            protocol=ContainerProtocol.OPENAI,
            serving=ServingFacts(completions=False, tools=False, max_total_tokens=4096, reads_images=False),
            startup_timeout=Duration.minutes(5),
            detailed_observability=False,
        )
        front_door = FrontDoor(self, "Api", models={"shout": endpoint})
        front_door.add_consumer("team-a", rate=20, burst=40)
        front_door.add_smoke_test()
        CfnOutput(self, "Url", value=front_door.url)


app = App()
OwnContainer(app, "OwnContainer", env=Environment(region=os.environ.get("CDK_DEFAULT_REGION")))
app.synth()
