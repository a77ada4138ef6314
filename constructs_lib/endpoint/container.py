"""ContainerEndpoint: a model on SageMaker in a container image of your own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from constructs_lib._tokens import hide_tokens
from constructs_lib.endpoint.endpoint_options import EndpointOptions, endpoint_arguments
from constructs_lib.endpoint.image_weights import ImageWeights
from constructs_lib.endpoint.real_time import RealTimeEndpoint
from constructs_lib.planning.engines.container.engine import CONTAINERS
from constructs_lib.planning.engines.container.options import ContainerOptions, ContainerProtocol
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES
from constructs_lib.planning.serving_limits import ServingFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from constructs_lib.endpoint.model import Model
    from constructs_lib.endpoint.own_image import OwnImage
    from constructs_lib.planning.hardware.instance_types import InstanceType


class ContainerEndpoint(RealTimeEndpoint):
    """A SageMaker real-time endpoint that runs a container image of your own.

    Use it for a server that no other construct of this library knows. A fork or a build of TGI has TGI's options with
    `TgiEndpoint(image=TgiImage.from_ecr_repository(…, own_build=True))`.

    Nothing is known of the container but what you declare, so neither memory nor options are checked. SageMaker expects
    of it (docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html):

    - SageMaker starts it as `docker run IMAGE serve`: the image's ENTRYPOINT, in its exec form, has to accept the
      argument `serve`. It runs as root. It gets SIGTERM, and SIGKILL 30 seconds later.
    - It listens on port 8080 of every interface, with HTTP.
    - `GET /ping` answers 200 within 2 seconds once the model can answer, and goes on to: SageMaker replaces an instance
      on which it does not. `startup_timeout` says how long the first such answer may take.
    - `POST /invocations` answers what `protocol` says. With `stream` true it answers in chunks as the model generates;
      `serving.stream_format` says how. All of an answer that is not streamed has to be there within 60 seconds, all of
      a streamed one within 8 minutes. An error has a status of 400 or more; one of `serving.overload_statuses` says
      that nothing was generated because there are too many requests, and the front door then sends the request again.
    - No request has an Authorization header: the front door and SageMaker check who calls.
    - Weights in S3 are below /opt/ml/model, read only. A model of the hub it downloads itself: it gets HF_MODEL_ID,
      HF_MODEL_REVISION and, with a token, HF_TOKEN.
    - The host has the NVIDIA driver, the image has CUDA: say which with `cuda` of the image.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        image: The container image.
        instance_type: The instance type, billed by the hour for as long as the endpoint exists, so there is no default.
            `InstanceType.without_accelerator(…)` is one without GPUs. A list of up to 5 types by priority, for when the
            first ones are scarce.
        protocol: What the container answers at `POST /invocations`.
        serving: What else is known of it: limits, which a front door checks requests against, and what it cannot do.
            Default: it answers chats and completions, streams server-sent events, cannot call tools, and refuses with
            429 or 503 what is too much.
        model: The weights. Default: they are in the image, or the container gets them itself.
        max_body_bytes: Largest request body that the container accepts. Default: 6291456, SageMaker's own limit.
        arguments: Further arguments, the same for every engine: the members of `EndpointOptions`.

    Raises:
        ConfigurationError: The endpoint could not be deployed with these arguments. No resource has been created.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        image: OwnImage,
        instance_type: InstanceType | Sequence[InstanceType],
        protocol: ContainerProtocol,
        serving: ServingFacts | None = None,
        model: Model | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        **arguments: Unpack[EndpointOptions],
    ) -> None:
        self._container = CONTAINERS.get(str(protocol), CONTAINERS[ContainerProtocol.OPENAI])
        declared = ServingFacts(tools=False) if serving is None else serving
        if isinstance(declared, ServingFacts):
            declared = hide_tokens(declared)
        super().__init__(
            scope,
            id,
            engine=self._container,
            arguments=endpoint_arguments(
                type(self),
                arguments,
                model=ImageWeights() if model is None else model,
                instance_type=instance_type,
                image=image,
                options=ContainerOptions(protocol=protocol, serving=declared, max_body_bytes=max_body_bytes),
            ),
        )

    @property
    def engine(self) -> str:
        """What the container answers: `openai` or `tgi`."""
        return self._container.name
