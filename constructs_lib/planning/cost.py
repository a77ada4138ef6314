"""What a front door costs while streams are open.

Lambda runs one environment for each open stream, and bills its memory for as long as the stream lasts.
"""

from __future__ import annotations

from typing import Final

LAMBDA_USD_PER_GB_SECOND: Final = 0.0000133334
"""Arm, us-east-1, the first 7.5 billion GB-seconds of a month. A GB is 1024 MiB.

Source: aws.amazon.com/lambda/pricing; AWS Price List, SKU usage type Lambda-GB-Second-ARM, read on 2026-11-29.
"""

LAMBDA_USD_PER_REQUEST: Final = 0.20 / 1_000_000
"""us-east-1. Source: aws.amazon.com/lambda/pricing, read on 2026-11-29."""

DEFAULT_MEMORY_MIB: Final = 256
"""Memory of a front door's function: the least with which a cold start takes at most a second of its processor time.

`python -m bench.memory` measures it; docs/scaling.md has the table.
"""

API_GATEWAY_USD_PER_REQUEST: Final = 3.50 / 1_000_000
"""REST API, us-east-1, the first 333 million requests of a month; each 10 MB of a streamed response are a request.

Source: aws.amazon.com/api-gateway/pricing; AWS Compute Blog, "Building responsive APIs with Amazon API Gateway response
streaming" (2025-11-19); read on 2026-11-29.
"""

SECONDS_PER_STREAM: Final = 10
"""How long an open stream is assumed to last until the next one takes its place: 250 tokens at 25 tokens a second.

It decides only the number of requests; longer streams make them fewer.
"""


def streams_usd_per_hour(streams: int, memory_mib: float) -> float:
    """What a front door costs in an hour in which that many streams are open at any time, in US dollars (us-east-1).

    Lambda's seconds and requests, and API Gateway's requests. Data transfer, logs, traces and free tiers are not
    included.

    Args:
        streams: Open streams.
        memory_mib: Memory of the function in MiB.
    """
    seconds = streams * 3600
    requests = seconds / SECONDS_PER_STREAM
    duration = seconds * memory_mib / 1024 * LAMBDA_USD_PER_GB_SECOND
    return duration + requests * (LAMBDA_USD_PER_REQUEST + API_GATEWAY_USD_PER_REQUEST)
