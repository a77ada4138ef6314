"""Which instances can serve a model, cheapest first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from constructs_lib.planning.image import NEWEST
from constructs_lib.planning.instance import GpuInstance
from constructs_lib.planning.memory import GIB, MemoryPlan, concurrent_requests, memory_plan
from constructs_lib.planning.model import ModelFacts
from constructs_lib.planning.tgi_options import TgiOptions
from constructs_lib.planning.tgi_shards import possible_shards


@dataclass(frozen=True, slots=True)
class Candidate:
    """One instance type for a model.

    Args:
        instance: The instance type.
        num_shard: GPUs of it that share the model; the largest possible number.
        memory: What one of them holds; None where that cannot be said.
        fits: Whether it serves what is asked.
        reason: Why it does not, as a sentence; None if it does.
        settings: Options of TGI that follow, by their names in `TgiOptions`.
        concurrency: Requests of the asked length (else of the longest context) that it serves at the same time.
        price_usd_per_hour: What an hour costs in us-east-1; None where no price is published.
    """

    instance: GpuInstance
    num_shard: int
    memory: MemoryPlan | None
    fits: bool
    reason: str | None
    settings: Mapping[str, object] = field(default_factory=dict)
    concurrency: int = 0
    price_usd_per_hour: float | None = None


def candidates(
    facts: ModelFacts,
    *,
    tokens: int | None = None,
    concurrency: int | None = None,
    options: TgiOptions | None = None,
    version: str = NEWEST,
    region: str | None = None,
) -> list[Candidate]:
    """Every instance of the catalogue, those that can serve the model first, and then by price.

    Args:
        facts: The model.
        tokens: Longest prompt and answer together. Default: options.max_total_tokens, else any length.
        concurrency: Requests of that length at the same time, at least. Default: 1.
        options: Options of TGI. Default: its own.
        version: Version of TGI.
        region: Region, where it matters which instances there are. Default: any.
    """
    options = options or TgiOptions()
    if tokens is not None:
        options = replace(options, max_total_tokens=tokens, max_input_tokens=options.max_input_tokens or tokens - 1)
    del region
    found = [_candidate(facts, instance, options, version, concurrency or 1) for instance in GpuInstance.all()]
    return sorted(found, key=lambda one: (not one.fits, one.price_usd_per_hour or math.inf, one.instance.name))


def _candidate(
    facts: ModelFacts, instance: GpuInstance, options: TgiOptions, version: str, concurrency: int
) -> Candidate:
    price = instance.price_usd_per_hour
    shards = possible_shards(facts, instance.accelerator_count or 0)
    if not instance.is_gpu or instance.memory_gib is None or not shards:
        return Candidate(instance, 0, None, False, "It has no GPUs that TGI runs on.", price_usd_per_hour=price)
    memory = memory_plan(facts, instance, options, version, shards[-1])
    served = concurrent_requests(memory, options.max_total_tokens or max(1, memory.context))
    fits = memory.fits and served >= concurrency
    reason = None if fits else f"{memory.shortfall / GIB:.1f} GiB short on each GPU."
    return Candidate(instance, shards[-1], memory, fits, reason, {}, served, price)
