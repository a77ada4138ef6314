"""The plan for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from constructs_lib.cli.formatting import HOURS_PER_MONTH

if TYPE_CHECKING:
    from constructs_lib.cli.arguments import Asked
    from constructs_lib.planning.sizing.candidates import Candidate


def report(asked: Asked, found: list[Candidate], contexts: dict[str, int]) -> dict[str, Any]:
    """The plan as JSON values; sizes are bytes of one GPU, prices US dollars in us-east-1.

    Args:
        asked: What was asked for.
        found: The instances that were asked for.
        contexts: Longest request of each, by the name of the instance.
    """
    return {
        "model": asdict(asked.facts),
        "request": {
            "tokens": asked.tokens,
            "concurrency": asked.concurrency,
            "quantize": asked.options.quantize,
            "image": asked.version,
            "region": asked.region,
        },
        "fits": any(one.fits for one in found),
        "candidates": [_candidate(one, contexts) for one in found],
    }


def _candidate(one: Candidate, contexts: dict[str, int]) -> dict[str, Any]:
    price = one.price_usd_per_hour
    return {
        "instance": one.instance.name,
        "fits": one.fits,
        "reason": one.reason,
        "accelerator": one.instance.accelerator,
        "accelerator_count": one.instance.accelerator_count,
        "num_shard": one.num_shard,
        "context": contexts.get(one.instance.name),
        "concurrent_requests": one.concurrency,
        "caution": one.caution,
        "settings": dict(one.settings),
        "price_usd_per_hour": price,
        "price_usd_per_month": None if price is None else round(price * HOURS_PER_MONTH, 2),
        "price_is_derived": one.instance.price_is_derived,
        "memory": one.memory.to_json() if one.memory else None,
    }
