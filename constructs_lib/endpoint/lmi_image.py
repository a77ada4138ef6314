"""The container image of an LMI endpoint."""

from __future__ import annotations

from constructs_lib.endpoint.engine_image import EngineImage
from constructs_lib.planning.engines.lmi.engine import LMI


class LmiImage(EngineImage):
    """A container image of DJL LMI.

    Versions are those of LMI, as in the tag `0.36.0-lmi27.0.0-cu130`, not those of DJL Serving, of which one may have
    several with another vLLM each. Create one with `LmiImage.version` such as `LmiImage.version("27.0.0")`,
    `LmiImage.from_ecr_repository` or `LmiImage.from_uri`.
    """

    FAMILY = LMI.images
