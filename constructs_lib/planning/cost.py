"""What a front door costs while streams are open.

Lambda runs one environment for each open stream, and bills its memory for as long as the stream lasts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from constructs_lib.planning.capacity import Capacity

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

TOKENS_PER_STREAM: Final = 1024
"""Prompt and answer of the requests that make up a full load, unless an endpoint is told what its clients send."""

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


def describe_price(capacity: Capacity, streams: int | None, tokens: int | None, memory_mib: float | None) -> str | None:
    """What an hour of an endpoint costs, as a text such as `1.515 USD at minimum, 3.030 USD at maximum`.

    It ends with what the front door costs beside it while as many streams are open as the endpoint serves.

    Args:
        capacity: The endpoint's instances.
        streams: Requests that the largest number of instances serves concurrently; None if that is not known.
        tokens: Tokens of each; None like the number.
        memory_mib: Memory of the front door's function; None without one, or if only the deployment knows it.

    Returns:
        The text; None if no price of the instances is published.
    """
    least, most = capacity.min_usd_per_hour, capacity.max_usd_per_hour
    first = capacity.instances[0].price_usd_per_hour
    about = "about " if capacity.price_is_derived else ""
    if least is not None and most is not None:
        price = _usd(least) if least == most else f"{_usd(least)} at minimum, {_usd(most)} at maximum"
    elif first is not None:
        price = f"{_usd(first)} for each {capacity.instances[0].name}"
    else:
        return None
    if streams is None or tokens is None or memory_mib is None:
        return about + price
    front_door, noun = _usd(streams_usd_per_hour(streams, memory_mib)), "stream" if streams == 1 else "streams"
    return f"{about}{price}; front door {front_door} per hour of {streams} open {noun} of {tokens} tokens"


def _usd(price: float) -> str:
    return f"{price:,.3f} USD"
