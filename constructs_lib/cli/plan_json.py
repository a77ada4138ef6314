"""The plan as JSON, for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from constructs_lib.cli.engine import compression
from constructs_lib.cli.formatting import HOURS_PER_MONTH
from constructs_lib.planning.cost import DEFAULT_MEMORY_MIB, streams_usd_per_hour
from constructs_lib.planning.sizing.cheapest import cheapest

if TYPE_CHECKING:
    from constructs_lib.cli.arguments import PlanArguments
    from constructs_lib.planning.sizing.candidates import Candidate
    from constructs_lib.planning.summary import PlanSummary


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
            "engine": request.engine.name,
            "quantize": compression(request.engine, request.options),
            "image": request.version,
            "region": request.region,
            "min_instances": request.min_instances,
            "max_instances": request.max_instances,
        },
        "fits": any(each.fits for each in found),
        "cheapest": best.instance.name if best else None,
        "warnings": [asdict(warning) for warning in request.warnings(best)] if best else [],
        "candidates": [candidate(request, each, contexts) for each in found],
    }


def candidate(request: PlanArguments, one: Candidate, contexts: dict[str, int]) -> dict[str, Any]:
    """An instance as JSON values; see `report`."""
    instance, price = one.instance, one.price_usd_per_hour
    return {
        "instance": instance.name,
        "fits": one.fits,
        "reason": one.reason,
        "accelerator": instance.accelerator,
        "accelerator_count": instance.accelerator_count,
        "num_shard": one.num_shard,
        "context": contexts.get(instance.name),
        "concurrent_requests": one.concurrency,
        "caution": one.caution,
        "settings": dict(one.settings),
        "price_usd_per_hour": price,
        "price_usd_per_month": None if price is None else round(price * HOURS_PER_MONTH, 2),
        "price_is_derived": instance.price_is_derived,
        **(_costs(request.summary(one)) if one.fits else {}),
        "memory": one.memory.to_json() if one.memory else None,
    }


def _costs(line: PlanSummary) -> dict[str, Any]:
    """What the range of instances costs, and beside it a front door with the default memory."""
    streams = line.streams
    return {
        "min_usd_per_hour": line.min_usd_per_hour,
        "max_usd_per_hour": line.max_usd_per_hour,
        "stream_tokens": line.stream_tokens,
        "streams": streams,
        "front_door_usd_per_hour": None if streams is None else streams_usd_per_hour(streams, DEFAULT_MEMORY_MIB),
    }
