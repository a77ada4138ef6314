"""The plan as JSON, for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from constructs_lib.cli.formatting import HOURS_PER_MONTH
from constructs_lib.planning.sizing.cheapest import cheapest

if TYPE_CHECKING:
    from constructs_lib.cli.arguments import PlanArguments
    from constructs_lib.planning.sizing.candidates import Candidate


def report(request: PlanArguments, found: list[Candidate], contexts: dict[str, int]) -> dict[str, Any]:
    """The plan as JSON values; sizes are bytes of one GPU, prices US dollars in us-east-1.

    The warnings are those of the cheapest instance.

    Args:
        request: The arguments of `plan`.
        found: The instances to show.
        contexts: Longest request of each instance, by its name.
    """
    best = cheapest(found)
    return {
        "model": asdict(request.facts),
        "request": {
            "tokens": request.tokens,
            "concurrency": request.concurrency,
            "quantize": request.options.quantize,
            "image": request.version,
            "region": request.region,
        },
        "fits": any(candidate.fits for candidate in found),
        "cheapest": best.instance.name if best else None,
        "warnings": [asdict(warning) for warning in request.warnings(best)] if best else [],
        "candidates": [_candidate(candidate, contexts) for candidate in found],
    }


def _candidate(candidate: Candidate, contexts: dict[str, int]) -> dict[str, Any]:
    instance, price = candidate.instance, candidate.price_usd_per_hour
    return {
        "instance": instance.name,
        "fits": candidate.fits,
        "reason": candidate.reason,
        "accelerator": instance.accelerator,
        "accelerator_count": instance.accelerator_count,
        "num_shard": candidate.num_shard,
        "context": contexts.get(instance.name),
        "concurrent_requests": candidate.concurrency,
        "caution": candidate.caution,
        "settings": dict(candidate.settings),
        "price_usd_per_hour": price,
        "price_usd_per_month": None if price is None else round(price * HOURS_PER_MONTH, 2),
        "price_is_derived": instance.price_is_derived,
        "memory": candidate.memory.to_json() if candidate.memory else None,
    }
