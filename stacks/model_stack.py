"""One model behind one URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import FrontDoor, Model, TgiEndpoint
from stacks.console import Console
from stacks.outputs import add_door_outputs, add_links, first_consumer, output

if TYPE_CHECKING:
    from aws_cdk import Environment
    from constructs import Construct

    from constructs_lib import InstanceType, TgiOptions


class ModelStack(Stack):
    """A TGI endpoint for one model of the Hugging Face hub, and the front door to it.

    The stack is not protected against deletion: it holds no data, and what it bills by the hour is the endpoint's
    instance, which has to be easy to stop. Deleting it ends the URL and the API key for good.

    Args:
        scope: The app.
        id: The stack's name.
        name: The name under which clients ask for the model.
        model_id: Repository on the hub.
        instance_type: The instance that serves it; this is the bill.
        revision: Commit, tag or branch of the repository. Default: the main branch when an instance starts.
        options: TGI's launcher options. Default: - TGI's own defaults.
        hf_token_secret: Name of the Secrets Manager secret whose value is a hub token. Default: no token.
        cloud_watch_role: Whether this stack sets the account's role for API Gateway logs (see FrontDoor). One stack
            per account and Region is enough. Default: True.
        playground: Whether `GET /` shows a page to try the models with. Default: False.
        env: Account and Region. Default: - whichever it is deployed to; the template fits every Region.
        description: Shown by CloudFormation. Default: what the stack serves.
        termination_protection: Whether CloudFormation refuses to delete the stack. Default: False.

    Attributes:
        endpoint: The endpoint.
        door: The front door.
        consumer: The consumer whose key the outputs name: 10 requests per second, 20 at once, 300 000 a month. Give
            others their own with `door.add_consumer`.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        model_id: str,
        instance_type: InstanceType,
        revision: str | None = None,
        options: TgiOptions | None = None,
        hf_token_secret: str | None = None,
        cloud_watch_role: bool = True,
        playground: bool = False,
        env: Environment | None = None,
        description: str | None = None,
        termination_protection: bool = False,
    ) -> None:
        super().__init__(
            scope,
            id,
            env=env,
            description=description or f"{model_id} on {instance_type.name} behind a streaming API",
            termination_protection=termination_protection,
        )
        token = (
            secretsmanager.Secret.from_secret_name_v2(self, "HubToken", hf_token_secret) if hf_token_secret else None
        )
        self.endpoint = TgiEndpoint(
            self,
            "Endpoint",
            model=Model.from_hub(model_id, revision=revision, token=token),
            instance_type=instance_type,
            options=options,
        )
        self.door = FrontDoor(
            self,
            "FrontDoor",
            models={name: self.endpoint},
            playground=playground,
            cloud_watch_role=cloud_watch_role,
        )
        self.consumer = first_consumer(self.door)
        self._add_outputs()

    def _add_outputs(self) -> None:
        name = self.endpoint.endpoint_name
        add_door_outputs(self, self.door, self.consumer)
        output(self, "EndpointName", name, "SageMaker endpoint")
        console = Console(self)
        links = {
            "EndpointConsole": (console.endpoint(name), "The endpoint in the AWS console"),
            "EndpointLogs": (console.endpoint_logs(name), "The log of the model server in the AWS console"),
            "ApiConsole": (console.rest_api(self.door.api.rest_api_id), "The API in the AWS console"),
        }
        add_links(self, console, links)
