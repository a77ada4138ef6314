"""The images of vLLM, AWS's and Hugging Face's, and how their entrypoints read variables.

AWS builds a second line of images, `server-sagemaker-cuda-v2.6` and the like, from commits between vLLM's versions; its
tags name no version of vLLM, so the catalogue does not have them.

Sources: sagemaker-core's image_uri_config; aws/deep-learning-containers at e0ecedea, `docs/src/data/vllm*` (CUDA),
`docker/vllm/Dockerfile` and `docker/huggingface/vllm/Dockerfile` (what is in an image); see also
engines/sagemaker_arguments.py.
"""

from __future__ import annotations

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.sagemaker_arguments import Entrypoint, Reading
from constructs_lib.planning.images.catalogue import ImageFamily, Version

PREFIX = "SM_VLLM_"

_WHOLE_ARRAYS = frozenset(("allowed_origins", "allowed_methods", "allowed_headers", "middleware"))
_BOOLEANS_SINCE: Version = (0, 17, 1)
_ARRAYS_SINCE: Version = (0, 28, 0)
"""By the day of its release. Hugging Face's entrypoint is a file of its own, which had not changed by then."""

SUPERVISED_SINCE: Version = (0, 20, 1)
"""First version in whose images a supervisor starts vLLM (`standard-supervisor`)."""

QUOTES_SINCE: Version = (0, 24, 0)
"""First version whose supervisor keeps blanks and quotes of arguments (model-hosting-container-standards 0.1.16)."""

AWS = ImageFamily(
    "vllm",
    construct="VllmImage",
    cuda_since=(((0, 20, 0), (13, 0)), ((0, 0, 0), (12, 9))),
    version_in_tag=r"^(\d+\.\d+(?:\.\d+)?)-gpu-",
    unlisted_tags=r"server-sagemaker-cuda-v\d+(?:\.\d+)*",
)
HUGGING_FACE = ImageFamily(
    "huggingface-vllm",
    construct="VllmImage",
    cuda_since=(((0, 21, 0), (13, 0)), ((0, 0, 0), (12, 9))),
    version_in_tag=r"^(\d+\.\d+(?:\.\d+)?)-transformers",
    method="hugging_face",
)


def is_hugging_faces(ctx: EngineContext) -> bool:
    """Whether the image is Hugging Face's."""
    return ctx.images == HUGGING_FACE


def entrypoint_of(ctx: EngineContext) -> Entrypoint:
    """How the image makes arguments of variables."""
    return Entrypoint(prefix=PREFIX, reading=_reading(ctx), whole_arrays=_WHOLE_ARRAYS)


def _reading(ctx: EngineContext) -> Reading:
    if ctx.version < _BOOLEANS_SINCE:
        return Reading.VALUES
    return Reading.ARRAYS if ctx.version >= _ARRAYS_SINCE and not is_hugging_faces(ctx) else Reading.BOOLEANS
