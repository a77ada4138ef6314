"""TgiEndpoint: a Hugging Face text model on SageMaker, served by Text Generation Inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from constructs_lib.endpoint.endpoint_options import EndpointOptions
from constructs_lib.endpoint.engine_endpoint import EngineEndpoint
from constructs_lib.endpoint.tgi_image import TgiImage
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from constructs_lib.endpoint.model import Model
    from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType


class TgiEndpoint(EngineEndpoint):
    """A SageMaker real-time endpoint that serves one model with TGI.

    Anything that would keep it from starting is rejected at synth, all problems at once; what is legal but risky is a
    warning that can be acknowledged. Every change of the model, its options or its hardware creates a new Model and
    EndpointConfig, and the endpoint moves to them in place: it keeps serving, and keeps its name. It can be used
    wherever the CDK takes a SageMaker `IEndpoint`, as grantee of permissions for its containers and, in a VPC, as
    `IConnectable`. There is no serverless one: SageMaker's serverless inference has no GPUs.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        model: The weights: `Model.from_hub`, `Model.from_s3` or `Model.from_s3_archive`.
        instance_type: The instance type, billed by the hour for as long as the endpoint exists, so there is no default.
            `InstanceType.cheapest_for(tokens=…, concurrency=…)` selects the cheapest instance type that serves that
            load by the plan's estimate; a new version of this library may then select another one. A list of up to 5
            types by priority, for when the first ones are scarce: SageMaker starts instances of the first type that it
            has, and the model is planned for each.
        image: The container image of TGI. Default: AWS's image of the newest version that this library knows.
        options: Launcher options of TGI. Default: every GPU of the instance, and TGI's own defaults for the rest.
        arguments: Further arguments, the same for every engine: the members of `EndpointOptions`.

    Raises:
        ConfigurationError: The endpoint could not be deployed with these arguments. No resource has been created.
    """

    ENGINE = TGI
    IMAGE = TgiImage

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        model: Model,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType],
        image: TgiImage | None = None,
        options: TgiOptions | None = None,
        **arguments: Unpack[EndpointOptions],
    ) -> None:
        super().__init__(scope, id, arguments, model=model, instance_type=instance_type, image=image, options=options)
