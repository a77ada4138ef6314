"""What is in each image of TGI for Neuron: the version of TGI and the compiler. Architectures are in `models/`.

An image has the version of optimum-neuron; TGI has another one. Sources: awslabs/llm-hosting-container
huggingface/pytorch/optimum/docker; for the images with TGI 3.3 huggingface/text-generation-inference
`Dockerfile.neuron` at v3.3.4 and v3.3.6.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.images.catalogue import Version

OLDEST_SUPPORTED: Version = (0, 0, 19)
"""First image whose TGI takes a batch size, without which a compiled model cannot be filled."""

READS_CONFIGURATION: Version = (0, 3, 0)
"""First image that reads the sizes from an exported model, or from the hub's cache, if they are not given."""

ONE_NAME_FOR_SIZES: Version = (0, 0, 23)
"""First image whose server reads TGI's own names; before it reads HF_BATCH_SIZE and HF_SEQUENCE_LENGTH as well."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in an image.

    Args:
        tgi: The version of TGI.
        compiler: The version of neuronx-cc; a compiled model in the hub's cache has to be of the same.
    """

    tgi: Version
    compiler: str


_CONTENTS: dict[Version, Contents] = {
    (0, 3, 0): Contents((3, 3, 6), "2.19.8089.0"),
    (0, 2, 0): Contents((3, 3, 4), "2.17.194.0"),
    (0, 0, 27): Contents((3, 0, 0), "2.15.143.0"),
    (0, 0, 25): Contents((2, 1, 1), "2.15.128.0"),
    (0, 0, 24): Contents((2, 1, 1), "2.14.227.0"),
    (0, 0, 22): Contents((2, 0, 2), "2.13.66.0"),
    (0, 0, 21): Contents((1, 4, 1), "2.13.66.0"),
    (0, 0, 19): Contents((1, 4, 1), "2.12.68.0"),
    (0, 0, 0): Contents((1, 0, 2), "2.11.0.34"),
}
"""By the first image that has it, the newest first."""


def contents_of(version: Version) -> Contents:
    """What is in an image; of a version that is not listed, what is in the one before."""
    return next(contents for first, contents in _CONTENTS.items() if version >= first)


def with_tgi_version(ctx: EngineContext) -> EngineContext:
    """The context with the version of TGI in place of the image's, for what is the same as on GPUs."""
    return replace(ctx, version=contents_of(ctx.version).tgi)
