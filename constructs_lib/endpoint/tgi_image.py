"""The container image of a TGI endpoint."""

from __future__ import annotations

from constructs_lib.endpoint.engine_image import EngineImage
from constructs_lib.planning.engines.tgi.engine import TGI


class TgiImage(EngineImage):
    """A container image of Text Generation Inference.

    Create one with `TgiImage.version` such as `TgiImage.version("3.3.6")`, `TgiImage.from_ecr_repository` or
    `TgiImage.from_uri`.
    """

    FAMILY = TGI.images
