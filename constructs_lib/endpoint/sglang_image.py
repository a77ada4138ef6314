"""The container image of an SGLang endpoint."""

from __future__ import annotations

from typing import Self

from constructs_lib.endpoint.container_image import CatalogueImage
from constructs_lib.endpoint.engine_image import EngineImage
from constructs_lib.planning.engines.sglang.images import AWS, HUGGING_FACE
from constructs_lib.planning.images.catalogue import ImageChoice


class SglangImage(EngineImage):
    """A container image of SGLang.

    Create one with `SglangImage.version` such as `SglangImage.version("0.5.20")`, `SglangImage.hugging_face`,
    `SglangImage.from_ecr_repository` or `SglangImage.from_uri`.
    """

    FAMILY = AWS

    @classmethod
    def hugging_face(cls, version: str) -> Self:
        """The image that Hugging Face publishes in AWS's registry, in the stack's Region.

        Args:
            version: Full version of SGLang, such as `0.5.8`. A version without such an image is rejected with a list of
                the versions that have one.
        """
        return cls(ImageChoice(version=version, family=HUGGING_FACE), CatalogueImage(HUGGING_FACE, version))
