"""Problems and warnings about memory: what does not fit, what would fit instead, and what fits narrowly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

from constructs_lib.planning.engine import EngineContext, Reduction, Settings
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.hardware.storage import STORAGE_SHARE, storage_problem, stored_bytes
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.candidates import Candidate, candidates, each_unit, format_gib
from constructs_lib.planning.sizing.memory import fit_memory
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.unknown import Unknown

MAX_SUGGESTIONS = 3
_MAX_SETTINGS = 2


def fit_problems(
    ctx: EngineContext, facts: ModelFacts, memory: MemoryPlan, volume_size_gib: int | None
) -> Iterator[Problem]:
    """That a model does not fit, in GiB, with the three cheapest alternatives."""
    if memory.is_too_large:
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
    each = each_unit(ctx.engine, ctx.engine.memory_model.shards(ctx))
    keys = memory.cache.request_bytes(memory.asked_tokens)
    prefill = f"{format_gib(memory.prefill)} GiB to prefill {memory.prefill_tokens} tokens" if memory.prefill else ""
    taken = [
        f"{format_gib(memory.weights)} GiB of weights",
        f"{format_gib(memory.runtime)} GiB for {ctx.engine.hardware.runtime}",
        *filter(None, [prefill]),
    ]
    return (
        f"cannot hold {facts.hub_id}: {format_gib(memory.shortfall)} GiB short on {each}, of which"
        f" {ctx.engine.display_name} fills {format_gib(memory.usable)} GiB: {', '.join(taken)} and {format_gib(keys)}"
        f" GiB for the keys and values of {memory.asked_tokens} tokens are too much"
    )


def _alternatives(ctx: EngineContext, facts: ModelFacts) -> str:
    """Changes of options first, which cost nothing, then instances, the cheapest first."""
    settings = list(islice(_settings(ctx, facts), _MAX_SETTINGS))
    texts = [*settings, *islice(_instances(ctx, facts), MAX_SUGGESTIONS - len(settings))]
    if not texts:
        return "No instance in the catalogue would fit; use a smaller model, or one that was published compressed."
    return f"What would fit{'' if settings else ', cheapest first'}: {'; '.join(texts)}."


def _settings(ctx: EngineContext, facts: ModelFacts) -> Iterator[str]:
    """Changes of the options with which it fits the same instance."""
    for remedy in ctx.engine.memory_model.remedies(ctx, facts):
        if isinstance(remedy, Reduction):
            found = _least_reduction(ctx, facts, remedy)
        else:
            found = next((change for change in remedy if _fits_with(ctx, facts, change)), None)
        if found:
            options = " and ".join(f"options.{keyword}={value!r}" for keyword, value in found.items())
            yield f"this one with {options}"


def _least_reduction(ctx: EngineContext, facts: ModelFacts, reduction: Reduction) -> Settings | None:
    """The highest number with which it fits, rounded down to two digits; None if not even the lowest does."""
    fitting, too_large = reduction.least, reduction.below
    if fitting >= too_large or not _fits_with(ctx, facts, reduction.settings(fitting)):
        return None
    while too_large - fitting > 1:
        middle = (fitting + too_large) // 2
        if _fits_with(ctx, facts, reduction.settings(middle)):
            fitting = middle
        else:
            too_large = middle
    digit = 10 ** max(0, len(str(fitting)) - 2)
    return reduction.settings(max(reduction.least, fitting // digit * digit))


def _fits_with(ctx: EngineContext, facts: ModelFacts, change: Settings) -> bool:
    changed = ctx.with_values(change)
    if next(ctx.engine.problems(changed), None):
        return False
    _, memory = fit_memory(changed, facts, ctx.engine.memory_model.shards(changed))
    return memory.fits and _storage_problem(ctx, memory) is None


def _instances(ctx: EngineContext, facts: ModelFacts) -> Iterator[str]:
    """The cheapest instance of each kind and number of GPUs that would fit, with memory to spare."""
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
            yield _describe(one, ctx.engine.memory_model.option_names.shards)


def _describe(one: Candidate, option: str) -> str:
    price = "" if one.price_usd_per_hour is None else f" (${one.price_usd_per_hour:.2f} an hour)"
    shards = one.settings.get(option)
    return f"{one.instance.name}{price}" + (f" with options.{option}={shards}" if shards else "")


def fit_warnings(
    ctx: EngineContext, fitted: EngineContext, facts: ModelFacts, memory: MemoryPlan
) -> Iterator[PlanWarning]:
    """That it fits narrowly or may not fit, and with shorter requests than by default.

    Args:
        ctx: The context as requested.
        fitted: The same with the settings that fit.
        facts: The model.
        memory: Its memory plan.
    """
    names, engine, hardware = ctx.engine.memory_model.option_names, ctx.engine.display_name, ctx.engine.hardware
    if memory.is_tight:
        yield PlanWarning(
            "tgi-endpoint:tightMemory",
            f"{facts.hub_id} may not start on {ctx.instance.name}: by estimate each {hardware.unit} has"
            f" {_left(memory)}, and the estimate may be {format_gib(memory.uncertainty)} GiB off. If {engine} runs"
            f" out of memory, use {hardware.larger}, or lower {' or '.join(names.sizes)}.",
        )
    shortened = {name: fitted.values[name] for name in names.limits if name in fitted.values.keys() - ctx.values.keys()}
    if shortened and not memory.is_too_large:
        chosen = " and ".join(f"{name}={value}" for name, value in shortened.items())
        yield PlanWarning(
            "tgi-endpoint:shorterRequests",
            f"{engine}'s default length of requests does not fit the memory of {ctx.instance.name}, so the plan sets"
            f" {chosen}. Set {'both' if len(shortened) > 1 else 'it'} yourself, or use {hardware.larger}.",
        )


def _left(memory: MemoryPlan) -> str:
    if memory.shortfall:
        return f"{format_gib(memory.shortfall)} GiB too little"
    return f"{memory.slack / GIB:.1f} GiB to spare"
