"""How long a model may take to load, by its size.

The rates are far below what instances achieve, because a timeout that is too short fails a healthy deployment and one
that is too long only delays the report of a failure. AWS's own tests of the TGI images use 1800 s for a model of 20
billion parameters; the formula gives 1260 s.
"""

from __future__ import annotations

import math

from constructs_lib.planning.models.facts import ModelChoice

MIN_SECONDS, MAX_SECONDS = 60, 3600
UNKNOWN_SIZE = 1800

BASE = 300
"""Seconds for what does not depend on the size: Python, kernels, warm-up, CUDA graphs."""

READ_PER_GIB = 5
HUB_PER_GIB = 20
COMPRESS_PER_GIB = 5
S3_PER_GIB = 10


def startup_seconds(model: ModelChoice, *, compresses: bool = False) -> int:
    """The default startup health check timeout.

    300 s + 5 s per GiB of weights to read + 20 s per GiB to download from the hub (S3 has its own timeout) + 5 s per
    GiB to compress while loading; rounded up to a minute, at most 3600 s. 1800 s for a model of unknown size.

    Args:
        model: Which weights.
        compresses: Whether the weights are quantized while they load.
    """
    return min(MAX_SECONDS, _startup(model, compresses=compresses))


def outgrows_startup(model: ModelChoice, *, compresses: bool = False) -> bool:
    """Whether the formula of `startup_seconds` gives more than SageMaker's longest timeout."""
    return _startup(model, compresses=compresses) > MAX_SECONDS


def download_seconds(model: ModelChoice) -> int | None:
    """The default model data download timeout: 60 s + 10 s per GiB, rounded and limited like that; None for the hub."""
    return min(MAX_SECONDS, _seconds(model, MIN_SECONDS, S3_PER_GIB)) if model.source == "s3" else None


def _startup(model: ModelChoice, *, compresses: bool) -> int:
    per_gib = READ_PER_GIB + (HUB_PER_GIB if model.source == "hub" else 0) + (COMPRESS_PER_GIB if compresses else 0)
    return _seconds(model, BASE, per_gib)


def _seconds(model: ModelChoice, base: int, per_gib: int) -> int:
    facts = model.known_facts()
    if facts is None:
        return UNKNOWN_SIZE
    return math.ceil((base + per_gib * facts.checkpoint_bytes / 2**30) / 60) * 60
