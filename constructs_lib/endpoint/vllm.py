"""VllmEndpoint: a Hugging Face text model on SageMaker, served by vLLM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from constructs_lib.endpoint.endpoint_options import EndpointOptions
from constructs_lib.endpoint.engine_endpoint import EngineEndpoint
from constructs_lib.endpoint.lora_adapter import LoraAdapter
from constructs_lib.endpoint.vllm_image import VllmImage
from constructs_lib.planning.engines.vllm.adapters import with_adapters
from constructs_lib.planning.engines.vllm.engine import VLLM
from constructs_lib.planning.engines.vllm.options import VllmOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from constructs_lib.endpoint.model import Model
    from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType


class VllmEndpoint(EngineEndpoint):
    """A SageMaker real-time endpoint that serves one model with vLLM.

    It takes chats and completions of OpenAI's API at /invocations. vLLM starts without the supervisor of its image, so
    that a wrong option ends the container, and the deployment, at once; after a crash SageMaker's health check fails,
    and SageMaker replaces the container. Anything that would keep the endpoint from starting is rejected at synth, all
    problems at once; what is legal but risky is a warning that can be acknowledged. How updates work, and what it can
    be used as, `TgiEndpoint` describes: both are the same.

    Files beside the weights may be code: vLLM's image runs `model.py` and `code/model.py`, and installs
    `requirements.txt` at the start unless `network_isolation` is on.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        model: The weights: `Model.from_hub`, `Model.from_s3` or `Model.from_s3_archive`.
        instance_type: The instance type, a load for which the cheapest is chosen, or a list of types by priority, as
            `TgiEndpoint` describes them.
        image: The container image of vLLM. Default: AWS's image of the newest version that this library knows.
        options: Options of vLLM's server and its image. Default: every GPU of the instance, the longest requests that
            fit, a limit of the queue, OpenAI's sampling parameters, and vLLM's own defaults for the rest.
        adapters: LoRA adapters, each an inference component that SageMaker loads when a request first needs it; clients
            send the model `<model>:<adapter>`. Requires `scale_to_zero`, with which the model is a component as well.
            They set `enable_lora`, `max_lora_rank`, `max_loras` (at most 8) and `allow_runtime_lora_updating` of
            `options` unless those are given. Default: none.
        arguments: Further arguments, the same for every engine: the members of `EndpointOptions`.

    Raises:
        ConfigurationError: The endpoint could not be deployed with these arguments. No resource has been created.
    """

    ENGINE = VLLM
    IMAGE = VllmImage

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        model: Model,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType],
        image: VllmImage | None = None,
        options: VllmOptions | None = None,
        adapters: Sequence[LoraAdapter] = (),
        **arguments: Unpack[EndpointOptions],
    ) -> None:
        super().__init__(
            scope,
            id,
            arguments,
            model=model,
            instance_type=instance_type,
            image=image,
            options=_options_for(VllmOptions() if options is None else options, adapters),
            adapters=adapters,
        )


def _options_for(options: VllmOptions, adapters: Sequence[LoraAdapter]) -> VllmOptions:
    """The options with what adapters need."""
    given = adapters if isinstance(adapters, list | tuple) else ()
    specs = [one.spec() for one in given if isinstance(one, LoraAdapter)]
    return with_adapters(options, specs) if specs and isinstance(options, VllmOptions) else options
