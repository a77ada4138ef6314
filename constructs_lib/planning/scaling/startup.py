"""How long a model takes until it serves, as an estimate; `planning.timeouts` has the limits, which are far above.

Measured in us-east-1 in July 2026: an ml.g5.xlarge with Qwen/Qwen3-0.6B from the hub answers 9:24 after the first
request that found no copy; 1:42 of that pass until a copy is ordered (Hugging Face's skill
`hf-cloud-sagemaker-production-defaults`). AWS measured 1.75 minutes for the instance (SageMaker guide, "Scale an
endpoint to zero instances"). What is left, without what 1.1 GiB of weights take, is `IMAGE_AND_START`.
"""

from __future__ import annotations

from constructs_lib.planning.models.facts import ModelChoice

ALARM = 102
"""Seconds from the first request that finds no copy until one is ordered: the alarm and its policy."""

INSTANCE = 105
"""Seconds until SageMaker has an instance."""

IMAGE_AND_START = 350
"""Seconds for what does not depend on the size of the weights: the image, Python, kernels, warm-up, CUDA graphs."""

DOWNLOAD_PER_GIB = 4
"""Seconds per GiB from the hub or from S3: 285 to 359 MB/s within SageMaker, in
aws-samples/sagemaker-stablediffusion-quick-kit issue 15."""

UNPACK_PER_GIB = 10
"""Seconds per GiB of an archive that one core unpacks. An assumption, as the next two."""

READ_PER_GIB = 2
COMPRESS_PER_GIB = 3

LONGEST_SMOKE_TEST = 14 * 60
"""Seconds."""

UNKNOWN_GIB = 15
"""Weights of unknown size count as those of a model with 8 billion parameters."""


def load_seconds(model: ModelChoice, *, compresses: bool = False) -> int:
    """Seconds that image and weights take on a new instance.

    350 s + 6 s per GiB of weights (4 s to download, 2 s to read) + 10 s per GiB to unpack an archive + 3 s per GiB to
    compress while loading. Weights of unknown size count as 15 GiB.

    Args:
        model: Which weights.
        compresses: Whether the weights are quantized while they load.
    """
    facts = model.known_facts()
    gib = UNKNOWN_GIB if facts is None else facts.checkpoint_bytes / 2**30
    per_gib = DOWNLOAD_PER_GIB + READ_PER_GIB
    per_gib += (UNPACK_PER_GIB if model.is_archive else 0) + (COMPRESS_PER_GIB if compresses else 0)
    return IMAGE_AND_START + round(per_gib * gib)


def start_seconds(load_seconds: int) -> int:
    """Seconds from an order until the new instance serves.

    Args:
        load_seconds: What image and weights take.
    """
    return INSTANCE + load_seconds


def wake_seconds(load_seconds: int) -> int:
    """Seconds from the first request that finds no copy to the first answer.

    Args:
        load_seconds: What image and weights take.
    """
    return ALARM + start_seconds(load_seconds)


def smoke_test_seconds(load_seconds: int) -> int:
    """Time limit of the test of a model whose endpoint is in service, at most 14 minutes.

    As long as a new instance takes: instances that an update adds, or that SageMaker has replaced, may still be loading
    the model. One invocation of Lambda takes 15 minutes at most, and the test has to report its result.

    Args:
        load_seconds: What image and weights take.
    """
    return min(start_seconds(load_seconds), LONGEST_SMOKE_TEST)
