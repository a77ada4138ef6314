"""Problems and warnings about memory: what does not fit, what would fit instead, and what fits narrowly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

from constructs_lib.planning.engine import EngineContext, Settings
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.hardware.storage import STORAGE_SHARE, storage_problem, stored_bytes
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.candidates import Candidate, candidates, format_gib
from constructs_lib.planning.sizing.memory import fit_memory
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.unknown import Unknown

TIGHT = 0.10
"""Less than this share of the usable memory to spare is worth a warning: public reports differ by as much."""

MAX_SUGGESTIONS = 3
_MAX_SETTINGS = 2


def fit_problems(
    ctx: EngineContext, facts: ModelFacts, memory: MemoryPlan, volume_size_gib: int | None
) -> Iterator[Problem]:
    """That a model does not fit, in GiB, with the three cheapest alternatives."""
    if not memory.fits:
        yield Problem("instance_type", ctx.instance.name, _misfit(ctx, facts, memory), _alternatives(ctx, facts))
    elif found := _storage_problem(ctx, memory, volume_size_gib):
        own_volume = volume_size_gib is not None and ctx.instance.volume_configurable
        message = f"{found[0].lower()}{found[1:].rstrip('.')}"
        if own_volume and "storage" in found:
            stored = stored_bytes(memory.download, is_archive=ctx.model.is_archive)
            least = math.ceil(stored / GIB / STORAGE_SHARE)
            yield Problem("volume_size", volume_size_gib, message, f"Raise it to {least} GiB or more.")
        else:
            yield Problem("instance_type", ctx.instance.name, message, _alternatives(ctx, facts))


def _storage_problem(ctx: EngineContext, memory: MemoryPlan, volume_size_gib: int | None = None) -> str | None:
    return storage_problem(
        ctx.instance,
        download=memory.download,
        host_peak=memory.host_peak,
        volume_size_gib=volume_size_gib,
        is_archive=ctx.model.is_archive,
    )


def _misfit(ctx: EngineContext, facts: ModelFacts, memory: MemoryPlan) -> str:
    shards = ctx.engine.memory_model.shards(ctx)
    each = "its GPU" if shards == 1 else f"each of {shards} GPUs"
    keys = memory.cache.request_bytes(memory.asked_tokens)
    return (
        f"cannot hold {facts.hub_id}: {format_gib(memory.shortfall)} GiB short on {each}, of which"
        f" {ctx.engine.display_name} fills {format_gib(memory.usable)} GiB: {format_gib(memory.weights)} GiB of"
        f" weights, {format_gib(memory.runtime)} GiB for CUDA, {format_gib(memory.prefill)} GiB to prefill"
        f" {memory.prefill_tokens} tokens and {format_gib(keys)} GiB for the keys and values of {memory.asked_tokens}"
        " tokens are too much"
    )


def _alternatives(ctx: EngineContext, facts: ModelFacts) -> str:
    alternatives = sorted([*islice(_settings(ctx, facts), _MAX_SETTINGS), *_instances(ctx, facts)])
    if not alternatives:
        return "No instance in the catalogue would fit; use a smaller model, or one that was published compressed."
    texts = [text for _, text in alternatives[:MAX_SUGGESTIONS]]
    return f"What would fit, cheapest first: {'; '.join(texts)}."


def _settings(ctx: EngineContext, facts: ModelFacts) -> Iterator[tuple[float, str]]:
    """Changes of the options with which it fits the same instance."""
    price = ctx.instance.price_usd_per_hour or math.inf
    for group in ctx.engine.memory_model.remedies(ctx, facts):
        found = next((change for change in group if _fits_with(ctx, facts, change)), None)
        if found:
            options = " and ".join(f"options.{keyword}={value!r}" for keyword, value in found.items())
            yield price, f"this one with {options}"


def _fits_with(ctx: EngineContext, facts: ModelFacts, change: Settings) -> bool:
    changed = ctx.with_values(change)
    if next(ctx.engine.problems(changed), None):
        return False
    _, memory = fit_memory(changed, facts, ctx.engine.memory_model.shards(changed))
    return memory.fits and _storage_problem(ctx, memory) is None


def _instances(ctx: EngineContext, facts: ModelFacts) -> Iterator[tuple[float, str]]:
    """The cheapest instance of each kind and number of GPUs that would fit."""
    known = {name: value for name, value in ctx.values.items() if not isinstance(value, Unknown)}
    options = ctx.engine.options_type(**known)
    seen: set[tuple[str, int | None]] = set()
    for one in candidates(
        facts,
        engine=ctx.engine,
        options=options,
        version=format_version(ctx.version),
        is_archive=ctx.model.is_archive,
    ):
        gpus = (one.instance.accelerator, one.instance.accelerator_count)
        if one.fits and one.caution is None and gpus not in seen:
            seen.add(gpus)
            yield one.price_usd_per_hour or math.inf, _describe(one, ctx.engine.memory_model.option_names.shards)


def _describe(one: Candidate, option: str) -> str:
    price = "" if one.price_usd_per_hour is None else f" (${one.price_usd_per_hour:.2f} an hour)"
    shards = one.settings.get(option)
    return f"{one.instance.name}{price}" + (f" with options.{option}={shards}" if shards else "")


def fit_warnings(ctx: EngineContext, facts: ModelFacts, memory: MemoryPlan) -> Iterator[PlanWarning]:
    """That it fits narrowly."""
    if memory.fits and memory.spare < TIGHT:
        yield PlanWarning(
            "tgi-endpoint:tightMemory",
            f"{facts.hub_id} leaves {max(0.0, memory.spare):.0%} of the memory of {ctx.instance.name} to spare beside"
            f" {memory.asked_tokens} tokens, less than the error of such an estimate. If {ctx.engine.display_name} runs"
            f" out of memory, use larger GPUs, or lower {' or '.join(ctx.engine.memory_model.option_names.sizes)}.",
        )
