"""The images of SGLang: AWS's and Hugging Face's.

Sources: sagemaker-core's image_uri_config; aws/deep-learning-containers `docs/src/data/sglang` at e0ecedea for the CUDA
releases of versions that it does not have, `docs/src/data/sglang-server` for tags that name no version of SGLang.
"""

from __future__ import annotations

from constructs_lib.planning.images.catalogue import ImageFamily

_CUDA_SINCE = (((0, 5, 11), (13, 0)), ((0, 0, 0), (12, 9)))

AWS = ImageFamily(
    "sglang",
    construct="SglangImage",
    cuda_since=_CUDA_SINCE,
    version_in_tag=r"^(\d+\.\d+\.\d+)-gpu-",
    unlisted_tags=r"server-sagemaker-cuda-v\d+(?:\.\d+)*",
)
HUGGING_FACE = ImageFamily(
    "huggingface-sglang",
    construct="SglangImage",
    cuda_since=_CUDA_SINCE,
    version_in_tag=r"^(\d+\.\d+\.\d+)-transformers",
    method="hugging_face",
)
