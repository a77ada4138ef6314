"""The base of the ready-made stacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import constructs_lib
from stacks.model_stack import ModelStack

if TYPE_CHECKING:
    from aws_cdk import Environment
    from constructs import Construct

    from constructs_lib import Cors, InstanceType
    from stacks.model_stack import Route
    from stacks.monitoring import Monitoring
    from stacks.protection import Protection
    from stacks.staged import Staged


@dataclass(frozen=True, kw_only=True)
class Preset:
    """The configuration of one model.

    Args:
        name: The name that clients use for the model.
        model_id: Repository on the Hugging Face hub.
        instance_type: The instance type, which is what you pay for.
        options: Options of the engine.
        gated: Whether the hub may require a token with access to the repository. Default: False.
        version: Version of the engine. Default: the newest image.
        endpoint: Name of the construct of the engine. Default: TgiEndpoint.
    """

    name: str
    model_id: str
    instance_type: InstanceType
    options: Any
    gated: bool = False
    version: str | None = None
    endpoint: str = "TgiEndpoint"


class PresetStack(ModelStack):
    """A stack for the preset of its class, named like the class.

    Args:
        scope: The app.
        id: The stack's name. Default: the name of the class.
        route: Returns what answers for the model (see ModelStack). Default: the endpoint alone.
        staged: Where to copy the weights of a commit to (see ModelStack). Default: they are not copied.
        hf_token_secret: Name of the Secrets Manager secret whose value is a hub token; only gated models read it.
        cloud_watch_role: Whether to set the account's role for API Gateway logs. Default: True.
        playground: Whether `GET /` serves a page for trying the model. Default: False.
        cors: The origins whose pages may call from a browser. Default: none.
        detailed_observability: Whether SageMaker collects detailed metrics, which are billed by volume. Default: False.
        smoke_test: Whether a deployment fails, and so is rolled back, if the model gives no token (see
            FrontDoor.add_smoke_test). Default: True.
        monitoring: Alarms of the endpoint and the front door, and the topic that they notify. Default: none.
        cost_tags: Whether its resources get tags by which Cost Explorer groups costs. Default: True.
        env: Account and Region. Default: any; one template for all Regions.
        protection: A key and a network, as documented at `Protection`.

    Attributes:
        preset: The configuration.
    """

    preset: ClassVar[Preset]

    def __init__(
        self,
        scope: Construct,
        id: str | None = None,
        *,
        route: Route | None = None,
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
        **protection: Unpack[Protection],
    ) -> None:
        super().__init__(
            scope,
            id or type(self).__name__,
            name=self.preset.name,
            model_id=self.preset.model_id,
            instance_type=self.preset.instance_type,
            options=self.preset.options,
            version=self.preset.version,
            endpoint_type=getattr(constructs_lib, self.preset.endpoint),
            route=route,
            staged=staged,
            hf_token_secret=hf_token_secret if self.preset.gated else None,
            cloud_watch_role=cloud_watch_role,
            playground=playground,
            cors=cors,
            detailed_observability=detailed_observability,
            smoke_test=smoke_test,
            monitoring=monitoring,
            cost_tags=cost_tags,
            env=env,
            **protection,
        )
