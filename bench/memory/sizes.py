"""From processor time and peak memory to the size of the function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.memory.measure import Measured, Warm
from constructs_lib.planning.cost import streams_usd_per_hour

SIZES = (128, 160, 192, 256, 320, 384, 512)
"""The sizes that are compared, in MiB; Lambda has every one from 128 on."""

VCPU_MIB = 1769
"""The memory with which a function has one virtual processor; less memory, proportionally less of it.

Source: Lambda guide, "Configure Lambda function memory".
"""

MAX_COLD_START_SECONDS = 1.0

RESERVED_MIB = 32
"""What is kept free: 16 MiB for the X-Ray daemon, and as much for Lambda's own processes, which is an assumption.

Source of the first: Lambda guide, "Using AWS Lambda with AWS X-Ray" (awsdocs/aws-lambda-developer-guide): 3 percent of
the memory or 16 MB, whichever is greater.
"""

STREAMS = 64
"""The open streams whose price is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a size of the function means.

    Args:
        mib: The size.
        cold_start_seconds: Processor time of the slowest cold start, at its share of a processor.
        free_mib: What the largest case leaves of it; negative if it does not fit.
        request_seconds: Processor time of a short request to a warm sandbox, at its share.
        tokens_per_second: Most tokens that a sandbox passes on.
        usd_per_hour: What `STREAMS` open streams cost.
    """

    mib: int
    cold_start_seconds: float
    free_mib: float
    request_seconds: float
    tokens_per_second: float
    usd_per_hour: float

    @property
    def is_sufficient(self) -> bool:
        """Whether a cold start takes no longer than allowed, and the largest case leaves room for Lambda's own."""
        return self.cold_start_seconds <= MAX_COLD_START_SECONDS and self.free_mib >= RESERVED_MIB


def project(cold: Sequence[Measured], large: Sequence[Measured], warm: Warm) -> list[Size]:
    """Each size.

    Args:
        cold: The cold starts.
        large: The largest requests and answers.
        warm: A warm sandbox.
    """
    slowest = max(each.cpu_seconds for each in cold)
    peak = max(each.peak_mib for each in (*cold, *large))
    return [_project(mib, slowest, peak, warm) for mib in SIZES]


def smallest(sizes: Sequence[Size]) -> Size | None:
    """The smallest sufficient size; None if none is."""
    return min((size for size in sizes if size.is_sufficient), key=lambda size: size.mib, default=None)


def _project(mib: int, slowest: float, peak: float, warm: Warm) -> Size:
    share = mib / VCPU_MIB
    return Size(
        mib=mib,
        cold_start_seconds=slowest / share,
        free_mib=mib - peak,
        request_seconds=warm.request_seconds / share,
        tokens_per_second=share / warm.token_seconds,
        usd_per_hour=streams_usd_per_hour(STREAMS, mib),
    )
