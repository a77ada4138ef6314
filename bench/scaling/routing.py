"""Which copy gets a request: SageMaker's RoutingStrategy.

Source: botocore 1.44.5, service model of SageMaker, ProductionVariantRoutingConfig and PrefixAwareRoutingConfig. How
SageMaker chooses the instance of a prefix is not documented; here every prefix has an order of the copies of its own
(rendezvous hashing), which changes little when a copy comes or goes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from hashlib import blake2b

from bench.scaling.fleet import Copy
from bench.scaling.requests import Request

Route = Callable[[Sequence[Copy], Request], Copy]


def least_outstanding(rng: random.Random) -> Route:
    """LEAST_OUTSTANDING_REQUESTS: the copy with the fewest requests in flight; chance decides between equals."""

    def route(copies: Sequence[Copy], _request: Request) -> Copy:
        fewest = min(copy.container.in_flight for copy in copies)
        return rng.choice([copy for copy in copies if copy.container.in_flight == fewest])

    return route


def prefix_aware(threshold: int, rng: random.Random) -> Route:
    """PREFIX_AWARE: the copy that the prefix belongs to, until it has `threshold` requests in flight, then the next.

    If all have, and for requests without a shared prefix: the copy with the fewest.

    Args:
        threshold: ConcurrencyThreshold.
        rng: Decides between equals.
    """
    otherwise = least_outstanding(rng)

    def route(copies: Sequence[Copy], request: Request) -> Copy:
        if request.prefix < 0 or len(copies) < 2:
            return otherwise(copies, request)
        for copy in sorted(copies, key=lambda one: _weight(request.prefix, one.number)):
            if copy.container.in_flight < threshold:
                return copy
        return otherwise(copies, request)

    return route


def _weight(prefix: int, copy: int) -> bytes:
    return blake2b(f"{prefix}/{copy}".encode(), digest_size=8).digest()
