"""One model behind one URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

from aws_cdk import Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import EngineEndpoint, FrontDoor, Model, TgiEndpoint
from stacks.console import Console
from stacks.cost_tags import add_cost_tags
from stacks.monitoring import Monitoring, add_monitoring
from stacks.outputs import add_default_consumer, add_front_door_outputs, add_links, add_output
from stacks.protection import Protection, of_endpoint, of_staging

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Environment
    from constructs import Construct

    from constructs_lib import Cors, InstanceType, RoutedModel
    from stacks.staged import Staged

Route: TypeAlias = "Callable[[ModelStack, EngineEndpoint], RoutedModel]"
"""What answers for the model of a stack, made of the stack and its endpoint."""


class ModelStack(Stack):
    """An endpoint for one model of the Hugging Face hub, and its front door.

    The stack is not protected against deletion: it stores no data, and the endpoint's instance, which is billed by the
    hour, must be easy to stop. Deleting it removes the URL and the API key for good.

    Args:
        scope: The app.
        id: The stack's name.
        name: The name that clients use for the model.
        model_id: Repository on the hub.
        instance_type: The instance type, which is what you pay for.
        revision: Commit, tag or branch of the repository. Default: the main branch when an instance starts.
        endpoint_type: The construct of the engine, such as `VllmEndpoint`. Default: `TgiEndpoint`.
        route: Returns what answers for the model: of the stack, to which it may add another endpoint, and the endpoint,
            such as `Split({endpoint: 95, vllm: 5})`. Default: the endpoint alone.
        options: Options of the engine. Default: the engine's own defaults.
        version: Version of the engine. Default: the newest image.
        staged: Where to copy the weights of a commit to, from where the endpoint then reads them with network
            isolation. Default: each instance downloads them from the hub.
        hf_token_secret: Name of the Secrets Manager secret whose value is a hub token. Default: no token.
        cloud_watch_role: Whether to set the account's role for API Gateway logs (see FrontDoor). One stack per account
            and Region is enough. Default: True.
        playground: Whether `GET /` serves a page for trying the model. Default: False.
        cors: The origins whose pages may call from a browser. Default: none.
        detailed_observability: Whether SageMaker collects detailed metrics, which are billed by volume. Default: False.
        smoke_test: Whether a deployment fails, and so is rolled back, if the model gives no token (see
            FrontDoor.add_smoke_test). Default: True.
        monitoring: Alarms of the endpoint and the front door, and the topic that they notify. Default: none.
        cost_tags: Whether its resources get tags by which Cost Explorer groups costs. Default: True.
        env: Account and Region. Default: any; one template for all Regions.
        description: Description of the stack. Default: the model and its instance type.
        termination_protection: Whether CloudFormation rejects deleting the stack. Default: False.
        protection: A key and a network, as documented at `Protection`.

    Attributes:
        endpoint: The endpoint.
        front_door: The front door.
        consumer: The consumer whose key is in the outputs: 10 requests per second, 20 at once, 300 000 a month. Create
            others with `front_door.add_consumer`.
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
        endpoint_type: type[EngineEndpoint] = TgiEndpoint,
        route: Route | None = None,
        options: object = None,
        version: str | None = None,
        staged: Staged | None = None,
        hf_token_secret: str | None = None,
        cloud_watch_role: bool = True,
        playground: bool = False,
        cors: Cors | None = None,
        detailed_observability: bool = False,
        smoke_test: bool = True,
        monitoring: Monitoring | None = None,
        cost_tags: bool = True,
        env: Environment | None = None,
        description: str | None = None,
        termination_protection: bool = False,
        **protection: Unpack[Protection],
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
        model = (
            Model.from_hub(model_id, revision=revision, token=token)
            if staged is None
            else Model.staged(
                model_id,
                revision=staged.revision,
                bucket=staged.import_bucket(self),
                token=token,
                **of_staging(protection),
            )
        )
        construct: Any = endpoint_type  # each engine's construct takes options and images of its own type
        self.endpoint: EngineEndpoint = construct(
            self,
            "Endpoint",
            model=model,
            network_isolation=staged is not None,
            instance_type=instance_type,
            options=options,
            image=endpoint_type.IMAGE.version(version) if version else None,
            detailed_observability=detailed_observability,
            **of_endpoint(protection),
        )
        self.front_door = FrontDoor(
            self,
            "FrontDoor",
            models={name: self.endpoint if route is None else route(self, self.endpoint)},
            playground=playground,
            cors=cors,
            cloud_watch_role=cloud_watch_role,
            **protection,
        )
        self.consumer = add_default_consumer(self.front_door)
        self._add_outputs()
        if smoke_test:
            self.front_door.add_smoke_test()
        endpoints = [self.endpoint] if route is None else self._endpoints()
        if monitoring is not None:
            add_monitoring(self, monitoring, [*endpoints, self.front_door])
        if cost_tags:
            add_cost_tags(self, model_id=model_id, endpoints=endpoints, front_door=self.front_door)

    def _endpoints(self) -> list[EngineEndpoint]:
        """The endpoints of this stack, also those that `route` has added."""
        own = [one for one in self.front_door.endpoints if isinstance(one, EngineEndpoint) and Stack.of(one) is self]
        return [*dict.fromkeys([self.endpoint, *own])]

    def _add_outputs(self) -> None:
        name, console = self.endpoint.endpoint_name, Console(self)
        add_front_door_outputs(self, console, self.front_door, self.consumer)
        add_output(self, "EndpointName", name, "Name of the SageMaker endpoint")
        price = self.endpoint.describe_price(front_door_memory=self.front_door.memory_size)
        if price is not None:
            add_output(self, "PricePerHour", price, "On demand in N. Virginia, without data transfer and logs")
        links = {
            "EndpointConsole": (console.endpoint(name), "The endpoint in the AWS console"),
            "EndpointLogs": (console.endpoint_logs(name), "The log of the model server in the AWS console"),
            "ApiConsole": (console.rest_api(self.front_door.rest_api_id), "The API in the AWS console"),
        }
        add_links(self, console, links)
