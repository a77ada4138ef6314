"""The container image of a TGI endpoint on Inferentia 2 or Trainium 1."""

from __future__ import annotations

from constructs_lib.endpoint.engine_image import EngineImage
from constructs_lib.planning.engines.tgi_neuron.engine import TGI_NEURON


class TgiNeuronImage(EngineImage):
    """A container image of TGI for Inferentia 2 and Trainium 1.

    Its version is the one of AWS's image, which is optimum-neuron's: `TgiNeuronImage.version("0.3.0")` has TGI 3.3.6.
    Create one with `TgiNeuronImage.version`, `TgiNeuronImage.from_ecr_repository` or `TgiNeuronImage.from_uri`.
    """

    FAMILY = TGI_NEURON.images
