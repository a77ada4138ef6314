"""TgiNeuronEndpoint: a Hugging Face text model on Inferentia 2 or Trainium 1, served by Text Generation Inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from constructs_lib.endpoint.endpoint_options import EndpointOptions
from constructs_lib.endpoint.engine_endpoint import EngineEndpoint
from constructs_lib.endpoint.tgi_neuron_image import TgiNeuronImage
from constructs_lib.planning.engines.tgi_neuron.engine import TGI_NEURON
from constructs_lib.planning.engines.tgi_neuron.options import NeuronOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from constructs_lib.endpoint.model import Model
    from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType


class TgiNeuronEndpoint(EngineEndpoint):
    """A SageMaker real-time endpoint that serves one model with TGI on Inferentia 2 or Trainium 1.

    The container compiles nothing: it serves a model that was exported for a batch, a length and a number of cores
    (`optimum-cli export neuron`), or one that the hub's cache of compiled models has. Which ones it has cannot be known
    at synth; a warning says how to look it up. `NeuronOptions` has the sizes, and what TGI does not have there. In all
    else it is like `TgiEndpoint`.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        model: The weights. `Model.from_hub`: an exported model, or one with an entry in the hub's cache.
            `Model.from_s3` or `Model.from_s3_archive`: an exported model, the only kind that `network_isolation`
            allows.
        instance_type: An instance type of the families inf2, trn1 and trn1n, billed by the hour for as long as the
            endpoint exists, so there is no default. `InstanceType.cheapest_for(tokens=…, concurrency=…)` selects the
            cheapest one whose cores hold the model; the load's length and one request at a time are the sizes that
            `options` leaves open. A list of up to 5 types by priority: SageMaker starts instances of the first type
            that it has.
        image: The container image. Default: AWS's image of the newest version that this library knows.
        options: The sizes of the compiled model, and launcher options of TGI. Default: the container reads the sizes
            from the model or from the hub's cache.
        arguments: Further arguments, the same for every engine: the members of `EndpointOptions`. Defaults that differ:
            `startup_timeout` is 1 hour; `volume_size` on Inferentia 2, which has no local storage, is twice the weights
            and 64 GiB more, at least 128 GiB, and 256 GiB for weights of unknown size.

    Raises:
        ConfigurationError: The endpoint could not be deployed with these arguments. No resource has been created.
    """

    ENGINE = TGI_NEURON
    IMAGE = TgiNeuronImage

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        model: Model,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType],
        image: TgiNeuronImage | None = None,
        options: NeuronOptions | None = None,
        **arguments: Unpack[EndpointOptions],
    ) -> None:
        super().__init__(scope, id, arguments, model=model, instance_type=instance_type, image=image, options=options)
