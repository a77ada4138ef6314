"""An app that GitHub Actions deploys: a model, a front door, and a key of the workflow's own to call it with.

README.md says how to run and deploy it. The workflows are in .github, and what they may do in AWS is in access/.
"""

from __future__ import annotations

from aws_cdk import App, CfnOutput, Stack, Tags
from constructs import Construct

from constructs_lib import FrontDoor, InstanceType, Model, VllmEndpoint, VllmOptions


class ChatService(Stack):
    """Qwen2.5 7B, which requires no hub token; for any account and Region, so that one assembly is deployed to all."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        qwen = VllmEndpoint(
            self,
            "Qwen",
            model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
            instance_type=InstanceType.G6E_XLARGE,
            options=VllmOptions(max_model_len=8_192),
            detailed_observability=False,
        )
        front_door = FrontDoor(self, "Api", models={"qwen": qwen})
        # A deployment whose model gives no token is rolled back by CloudFormation.
        front_door.add_smoke_test()
        # The workflow's call through the front door. The tag lets its role read this key and no other.
        workflow = front_door.add_consumer(
            "github-actions", rate=1, burst=2, monthly_requests=1_000, keys=("workflow",)
        )
        Tags.of(workflow).add("read-by", "github-actions")
        CfnOutput(self, "Url", value=front_door.url)
        CfnOutput(self, "WorkflowKey", value=workflow.secrets["workflow"].secret_arn)


app = App()
ChatService(app, "ChatService")
app.synth()
