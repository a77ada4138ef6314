"""How long a model may take to load, by its size.

A timeout that is too short fails a healthy deployment; one that is too long only delays the report of a failure. So the
rates are far below what instances achieve, a timeout is half as long again as they give, and it is never shorter than
what AWS itself sets: 1200 s each for the download and the start of Llama 2 7B from S3 (JumpStart's `deploy_kwargs`, in
aws/sagemaker-python-sdk tests/unit/sagemaker/jumpstart/constants.py), and 1800 s for GPT-NeoX 20B from the hub
(awslabs/llm-hosting-container tests/huggingface/sagemaker_dlc_test.py), for which the formula gives 1920 s.
"""

from __future__ import annotations

import math

from constructs_lib.planning.models.facts import ModelChoice, ModelFacts

SHORTEST, LONGEST = 1200, 3600
"""Seconds. SageMaker takes no more than the second."""

UNKNOWN_SIZE = 1800

START = 300
"""Seconds for what does not depend on the size: Python, kernels, warm-up, CUDA graphs."""

S3_START = 60
"""Seconds before the download from S3 begins."""

READ_PER_GIB = 5
HUB_PER_GIB = 20
COMPRESS_PER_GIB = 5
S3_PER_GIB = 10
UNPACK_PER_GIB = 20
"""SageMaker unpacks an archive within the same timeout (botocore 1.44.5, ModelDataDownloadTimeoutInSeconds: download
and extract); gzip is read by one core."""

_SLACK = 1.5


def startup_seconds(model: ModelChoice, *, compresses: bool = False) -> int:
    """The default startup health check timeout.

    One and a half times (300 s + 5 s per GiB of weights to read + 20 s per GiB to download from the hub + 5 s per GiB
    to compress while loading), rounded up to a minute, at least 1200 s and at most 3600 s. 1800 s for a model of
    unknown size. Weights in S3 are there before the container starts, and have a timeout of their own.

    Args:
        model: Which weights.
        compresses: Whether the weights are quantized while they load.
    """
    facts = model.known_facts()
    return _timeout(_start(facts, model, compresses=compresses)) if facts else UNKNOWN_SIZE


def outgrows_startup(model: ModelChoice, *, compresses: bool = False) -> bool:
    """Whether the start may take longer than SageMaker's longest timeout."""
    facts = model.known_facts()
    return facts is not None and _start(facts, model, compresses=compresses) > LONGEST


def download_seconds(model: ModelChoice) -> int | None:
    """The default model data download timeout; None for the hub.

    One and a half times (60 s + 10 s per GiB of weights + 20 s per GiB to unpack an archive), rounded and limited like
    `startup_seconds`. For a model of unknown size 1800 s, 3600 s in an archive.
    """
    if model.source != "s3":
        return None
    facts = model.known_facts()
    if facts is None:
        return LONGEST if model.is_archive else UNKNOWN_SIZE
    return _timeout(_download(facts, model))


def outgrows_download(model: ModelChoice) -> bool:
    """Whether download and unpacking may take longer than SageMaker's longest timeout."""
    facts = model.known_facts()
    return model.source == "s3" and facts is not None and _download(facts, model) > LONGEST


def _start(facts: ModelFacts, model: ModelChoice, *, compresses: bool) -> float:
    per_gib = READ_PER_GIB + (HUB_PER_GIB if model.source == "hub" else 0) + (COMPRESS_PER_GIB if compresses else 0)
    return START + per_gib * _gib(facts)


def _download(facts: ModelFacts, model: ModelChoice) -> float:
    return S3_START + (S3_PER_GIB + (UNPACK_PER_GIB if model.is_archive else 0)) * _gib(facts)


def _timeout(seconds: float) -> int:
    return min(LONGEST, max(SHORTEST, math.ceil(_SLACK * seconds / 60) * 60))


def _gib(facts: ModelFacts) -> float:
    return facts.checkpoint_bytes / 2**30
