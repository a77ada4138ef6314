"""SglangEndpoint: a Hugging Face text model on SageMaker, served by SGLang."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from constructs_lib.endpoint.endpoint_options import EndpointOptions
from constructs_lib.endpoint.engine_endpoint import EngineEndpoint
from constructs_lib.endpoint.sglang_image import SglangImage
from constructs_lib.planning.engines.sglang.engine import SGLANG
from constructs_lib.planning.engines.sglang.options import SglangOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from constructs_lib.endpoint.model import Model
    from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType


class SglangEndpoint(EngineEndpoint):
    """A SageMaker real-time endpoint that serves one model with SGLang.

    SGLang answers chats only at /invocations, so a front door offers /v1/chat/completions for it and refuses
    completions of a prompt. Anything that would keep the endpoint from starting is rejected at synth, all problems at
    once; what is legal but risky is a warning that can be acknowledged. How updates work, and what it can be used as,
    `TgiEndpoint` describes: both are the same.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        model: The weights: `Model.from_hub`, `Model.from_s3` or `Model.from_s3_archive`.
        instance_type: The instance type, a load for which the cheapest is chosen, or a list of types by priority, as
            `TgiEndpoint` describes them.
        image: The container image of SGLang. Default: AWS's image of the newest version that this library knows.
        options: Options of SGLang's server. Default: every GPU of the instance, a limit of the queue, metrics, and
            SGLang's own defaults for the rest.
        arguments: Further arguments, the same for every engine: the members of `EndpointOptions`.

    Raises:
        ConfigurationError: The endpoint could not be deployed with these arguments. No resource has been created.
    """

    ENGINE = SGLANG
    IMAGE = SglangImage

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        model: Model,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType],
        image: SglangImage | None = None,
        options: SglangOptions | None = None,
        **arguments: Unpack[EndpointOptions],
    ) -> None:
        super().__init__(scope, id, arguments, model=model, instance_type=instance_type, image=image, options=options)
