"""One URL for several models, whose endpoints exist already or belong to other stacks of this app."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Unpack

from aws_cdk import Stack

import constructs_lib
from constructs_lib import FrontDoor, ServingOptions
from stacks.console import Console
from stacks.cost_tags import add_cost_tags
from stacks.monitoring import Monitoring, Watched, add_monitoring
from stacks.outputs import add_default_consumer, add_front_door_outputs, add_links, add_output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import Environment
    from constructs import Construct

    from constructs_lib import Cors, EngineEndpoint, RoutedModel
    from stacks.protection import Protection


ENDPOINT_OF: Final = {
    "tgi": "TgiEndpoint",
    "vllm": "VllmEndpoint",
    "sglang": "SglangEndpoint",
    "lmi": "LmiEndpoint",
    "tgi-neuron": "TgiNeuronEndpoint",
}
"""The construct that imports an endpoint of each engine."""


@dataclass(frozen=True, kw_only=True)
class ExistingEndpoint:
    """An existing endpoint in the stack's account and Region.

    Args:
        endpoint_name: Its name.
        engine: What its container runs, one of `ENDPOINT_OF`. Default: tgi.
        model_id: The model's repository on the hub. Default: unknown.
        serving: How the model is served: the members of `ServingFacts`. Default: unknown.
    """

    endpoint_name: str
    engine: str = "tgi"
    model_id: str | None = None
    serving: ServingOptions = field(default_factory=ServingOptions)


class FrontDoorStack(Stack):
    """A front door to several endpoints of others: deleting it removes the URL and the API key, but no model.

    Args:
        scope: The app.
        id: The stack's name. Default: FrontDoorStack.
        endpoints: The endpoints, or a Split, Fallback or Mirror of endpoints of other stacks, by the names that clients
            use for their models.
        cloud_watch_role: Whether to set the account's role for API Gateway logs (see FrontDoor). One stack per account
            and Region is enough. Default: True.
        playground: Whether `GET /` serves a page for trying the models. Default: False.
        cors: The origins whose pages may call from a browser. Default: none.
        monitoring: Alarms of the front door and of the existing endpoints, and the topic that they notify; endpoints of
            other stacks are monitored there. Default: none.
        cost_tags: Whether its resources get tags by which Cost Explorer groups costs. Default: True.
        env: Account and Region. Default: any; one template for all Regions.
        protection: A key and a network for the front door, as documented at `Protection`.

    Attributes:
        front_door: The front door.
        consumer: The consumer whose key is in the outputs: 10 requests per second, 20 at once, 300 000 a month. Create
            others with `front_door.add_consumer`.
    """

    def __init__(
        self,
        scope: Construct,
        id: str = "FrontDoorStack",
        *,
        endpoints: Mapping[str, ExistingEndpoint | RoutedModel],
        cloud_watch_role: bool = True,
        playground: bool = False,
        cors: Cors | None = None,
        monitoring: Monitoring | None = None,
        cost_tags: bool = True,
        env: Environment | None = None,
        **protection: Unpack[Protection],
    ) -> None:
        super().__init__(scope, id, env=env, description=f"One streaming API for {', '.join(endpoints)}")
        self._existing: list[Watched] = []
        self.front_door = FrontDoor(
            self,
            "FrontDoor",
            models={name: self._endpoint(name, endpoint) for name, endpoint in endpoints.items()},
            playground=playground,
            cors=cors,
            cloud_watch_role=cloud_watch_role,
            **protection,
        )
        self.consumer = add_default_consumer(self.front_door)
        console = Console(self)
        add_front_door_outputs(self, console, self.front_door, self.consumer)
        add_output(self, "Models", ", ".join(endpoints), "Names of the models in requests")
        link = console.rest_api(self.front_door.rest_api_id)
        add_links(self, console, {"ApiConsole": (link, "The API in the AWS console")})
        if monitoring is not None:
            add_monitoring(self, monitoring, [*self._existing, self.front_door])
        if cost_tags:
            add_cost_tags(self, model_id=None, endpoints=(), front_door=self.front_door)

    def _endpoint(self, name: str, endpoint: ExistingEndpoint | RoutedModel) -> RoutedModel:
        if not isinstance(endpoint, ExistingEndpoint):
            return endpoint
        construct: type[EngineEndpoint] = getattr(constructs_lib, ENDPOINT_OF[endpoint.engine])
        existing = construct.from_endpoint_name(
            self, f"Endpoint-{name}", endpoint.endpoint_name, model_id=endpoint.model_id, **endpoint.serving
        )
        self._existing.append(existing)
        return existing
