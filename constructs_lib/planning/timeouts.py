"""How long a model may take to load, by its size.

Both rates are far below what the instances can do, because a timeout that is too short fails a healthy deployment and
one that is too long costs only the wait for a failure. AWS's own tests of the TGI images take 1800 s for a 20-billion
parameter model; the formula gives it 1260 s.
"""

from __future__ import annotations

import math

from constructs_lib.planning.models.facts import ModelChoice

SHORTEST, LONGEST = 60, 3600
UNKNOWN_SIZE = 1800

BASE = 300
"""Seconds for what does not depend on the size: Python, kernels, warm-up, CUDA graphs."""

READ_PER_GIB = 5
HUB_PER_GIB = 20
COMPRESS_PER_GIB = 5
S3_PER_GIB = 10


def startup_seconds(model: ModelChoice, *, compresses: bool = False) -> int:
    """The default start-up health check timeout.

    300 s + 5 s per GiB of weights to read + 20 s per GiB to download from the hub (S3 has its own timeout) + 5 s per
    GiB to compress while loading; rounded up to a minute, at most 3600 s. 1800 s for a model of unknown size.

    Args:
        model: Which weights.
        compresses: Whether the weights are quantized while they load.
    """
    return min(LONGEST, _startup(model, compresses=compresses))


def outgrows_startup(model: ModelChoice, *, compresses: bool = False) -> bool:
    """Whether the formula of `startup_seconds` gives more than SageMaker's longest timeout."""
    return _startup(model, compresses=compresses) > LONGEST


def download_seconds(model: ModelChoice) -> int | None:
    """The default model data download timeout: 60 s + 10 s per GiB, in the same way; None for the hub."""
    return min(LONGEST, _seconds(model, SHORTEST, S3_PER_GIB)) if model.source == "s3" else None


def _startup(model: ModelChoice, *, compresses: bool) -> int:
    per_gib = READ_PER_GIB + (HUB_PER_GIB if model.source == "hub" else 0) + (COMPRESS_PER_GIB if compresses else 0)
    return _seconds(model, BASE, per_gib)


def _seconds(model: ModelChoice, base: int, per_gib: int) -> int:
    facts = model.known_facts()
    if facts is None:
        return UNKNOWN_SIZE
    return math.ceil((base + per_gib * facts.checkpoint_bytes / 2**30) / 60) * 60
