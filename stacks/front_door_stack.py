"""One URL for several models, whose endpoints exist already or are others of this app."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aws_cdk import Stack

from constructs_lib import FrontDoor, TgiEndpoint
from constructs_lib.planning.serving_limits import ServingOptions
from stacks.console import Console
from stacks.outputs import add_door_outputs, add_links, first_consumer, output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import Environment
    from constructs import Construct

    from constructs_lib import IModelEndpoint


@dataclass(frozen=True, kw_only=True)
class ExistingEndpoint:
    """An endpoint that exists already in the stack's account and Region.

    Args:
        endpoint_name: Its name.
        model_id: The model's repository on the hub. Default: not known.
        serving: How the model is served, as `TgiEndpoint.from_endpoint_name` takes it. Default: not known.
    """

    endpoint_name: str
    model_id: str | None = None
    serving: ServingOptions = field(default_factory=ServingOptions)


class FrontDoorStack(Stack):
    """A front door to several endpoints, none of which it owns: deleting it ends the URL and the API key, no model.

    Args:
        scope: The app.
        id: The stack's name. Default: FrontDoorStack.
        endpoints: The endpoints by the name under which clients ask for them.
        cloud_watch_role: Whether this stack sets the account's role for API Gateway logs (see FrontDoor). One stack
            per account and Region is enough. Default: True.
        playground: Whether `GET /` shows a page to try the models with. Default: False.
        env: Account and Region. Default: - whichever it is deployed to; the template fits every Region.

    Attributes:
        door: The front door.
        consumer: The consumer whose key the outputs name: 10 requests per second, 20 at once, 300 000 a month. Give
            others their own with `door.add_consumer`.
    """

    def __init__(
        self,
        scope: Construct,
        id: str = "FrontDoorStack",
        *,
        endpoints: Mapping[str, ExistingEndpoint | IModelEndpoint],
        cloud_watch_role: bool = True,
        playground: bool = False,
        env: Environment | None = None,
    ) -> None:
        super().__init__(scope, id, env=env, description=f"One streaming API for {', '.join(endpoints)}")
        self.door = FrontDoor(
            self,
            "FrontDoor",
            models={name: self._endpoint(name, endpoint) for name, endpoint in endpoints.items()},
            playground=playground,
            cloud_watch_role=cloud_watch_role,
        )
        self.consumer = first_consumer(self.door)
        add_door_outputs(self, self.door, self.consumer)
        output(self, "Models", ", ".join(endpoints), "Names of the models, as requests give them")
        console = Console(self)
        link = console.rest_api(self.door.api.rest_api_id)
        add_links(self, console, {"ApiConsole": (link, "The API in the AWS console")})

    def _endpoint(self, name: str, endpoint: ExistingEndpoint | IModelEndpoint) -> IModelEndpoint:
        if not isinstance(endpoint, ExistingEndpoint):
            return endpoint
        return TgiEndpoint.from_endpoint_name(
            self, f"Endpoint-{name}", endpoint.endpoint_name, model_id=endpoint.model_id, **endpoint.serving
        )
