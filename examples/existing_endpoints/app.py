"""An app of a platform team: one URL with keys, budgets and alarms for endpoints that other teams have deployed.

The endpoints are called by their names, which `-c chat=<name> -c code=<name>` exchange. Nothing here creates, changes
or deletes one. README.md says what must be declared of them, and what about endpoints of other accounts.
"""

from __future__ import annotations

import os

from aws_cdk import App, CfnOutput, Environment, Stack
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib import FrontDoor, TgiEndpoint, VllmEndpoint


class SharedUrl(Stack):
    """A front door for two endpoints of the stack's own account and Region.

    Args:
        scope: The app.
        id: The stack's name.
        chat: Name of the endpoint that runs TGI.
        code: Name of the endpoint that runs vLLM.
        env: The Region.
    """

    def __init__(self, scope: Construct, id: str, *, chat: str, code: str, env: Environment) -> None:
        super().__init__(scope, id, env=env)
        # What is not declared is not known: clients are not told it, and nothing keeps their requests within it.
        models = {
            "chat": TgiEndpoint.from_endpoint_name(
                self,
                "Chat",
                chat,
                model_id="Qwen/Qwen2.5-7B-Instruct",
                max_input_tokens=7_000,
                max_total_tokens=8_192,
            ),
            "code": VllmEndpoint.from_endpoint_name(
                self,
                "Code",
                code,
                model_id="Qwen/Qwen2.5-Coder-7B-Instruct",
                max_total_tokens=16_384,
                tools=True,
            ),
        }
        front_door = FrontDoor(self, "Api", models=models, default_max_tokens=512)
        everybody = front_door.add_consumer("everybody", models=["chat"], rate=10, burst=20)
        front_door.add_consumer("developers", rate=20, burst=40, tokens_per_day=20_000_000)

        topic = sns.Topic(self, "Alarms", enforce_ssl=True)
        for model in models.values():
            model.monitor(topic=topic)
        front_door.monitor(topic=topic)
        CfnOutput(self, "Url", value=front_door.url)
        CfnOutput(self, "EverybodyKeyId", value=everybody.key_id)


app = App()
SharedUrl(
    app,
    "SharedUrl",
    chat=app.node.try_get_context("chat") or "chat-prod",
    code=app.node.try_get_context("code") or "code-prod",
    env=Environment(region=os.environ.get("CDK_DEFAULT_REGION")),
)
app.synth()
