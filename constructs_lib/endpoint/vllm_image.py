"""The container image of a vLLM endpoint."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Self

from constructs_lib.endpoint.container_image import CatalogueImage
from constructs_lib.endpoint.engine_image import EngineImage
from constructs_lib.planning.engines.vllm.images import AWS, HUGGING_FACE
from constructs_lib.planning.images.catalogue import ImageChoice

if TYPE_CHECKING:
    from constructs_lib.planning.images.catalogue import ImageFamily

_HUGGING_FACES = re.compile(rf"(?:^|/){HUGGING_FACE.name}(?:[:@]|$)")


class VllmImage(EngineImage):
    """A container image of vLLM.

    Create one with `VllmImage.version` such as `VllmImage.version("0.30.0")`, `VllmImage.hugging_face`,
    `VllmImage.from_ecr_repository` or `VllmImage.from_uri`. An image of your own in a repository that is named
    `huggingface-vllm` is taken for a copy of Hugging Face's, any other for one of AWS's.
    """

    FAMILY = AWS

    @classmethod
    def hugging_face(cls, version: str) -> Self:
        """The image that Hugging Face publishes in AWS's registry, in the stack's Region.

        It is AWS's with another transformers, with CUDA libraries that run on older hosts as well, and with LMCache, a
        cache of prompts in the host's memory that `VllmOptions(lmcache=True)` switches on.

        Args:
            version: Full version of vLLM, such as `0.29.0`. A version without such an image is rejected with a list of
                the versions that have one.
        """
        return cls(ImageChoice(version=version, family=HUGGING_FACE), CatalogueImage(HUGGING_FACE, version))

    @classmethod
    def _family_of(cls, uri: str | None) -> ImageFamily:
        return HUGGING_FACE if uri and _HUGGING_FACES.search(uri) else cls.FAMILY
