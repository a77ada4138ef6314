"""The container image of an SGLang endpoint."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Self

from constructs_lib.endpoint.container_image import CatalogueImage
from constructs_lib.endpoint.engine_image import EngineImage
from constructs_lib.planning.engines.sglang.images import AWS, HUGGING_FACE
from constructs_lib.planning.images.catalogue import ImageChoice

if TYPE_CHECKING:
    from constructs_lib.planning.images.catalogue import ImageFamily

_HUGGING_FACES = re.compile(rf"(?:^|/){HUGGING_FACE.name}(?:[:@]|$)")


class SglangImage(EngineImage):
    """A container image of SGLang.

    Create one with `SglangImage.version` such as `SglangImage.version("0.5.20")`, `SglangImage.hugging_face`,
    `SglangImage.from_ecr_repository` or `SglangImage.from_uri`. An image of your own in a repository that is named
    `huggingface-sglang` is taken for a copy of Hugging Face's, any other for one of AWS's.
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

    @classmethod
    def _family_of(cls, uri: str | None) -> ImageFamily:
        return HUGGING_FACE if uri and _HUGGING_FACES.search(uri) else cls.FAMILY
