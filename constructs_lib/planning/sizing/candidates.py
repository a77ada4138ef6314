"""Which instances can serve a model, cheapest first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from constructs_lib.planning.engine import Engine
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.hardware.host_ami import driver_warnings
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.hardware.storage import storage_problem
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import context_for, fit_memory, full_version
from constructs_lib.planning.validation.problem import Problem


@dataclass(frozen=True, slots=True)
class Candidate:
    """One instance type for a model.

    Args:
        instance: The instance type.
        num_shard: GPUs of it that share the model; 0 if it cannot be shared among them.
        memory: What one of them holds; None if that cannot be said.
        fits: Whether it serves what is requested, or may by an estimate that is too close to call (see `caution`).
        reason: Why it does not, as a sentence; None if it does.
        settings: Options that follow, by their names in the engine's options, in addition to those given.
        concurrency: Requests of the requested length (else of the longest context) that it serves concurrently.
        price_usd_per_hour: What an hour costs in us-east-1; None if no price is published.
        problem: What is wrong with the options or the image there, if that is why it does not.
        caution: Why one may not want it although it fits, as a sentence.
    """

    instance: InstanceType
    num_shard: int
    memory: MemoryPlan | None
    fits: bool
    reason: str | None
    settings: Mapping[str, object] = field(default_factory=dict)
    concurrency: int = 0
    price_usd_per_hour: float | None = None
    problem: Problem | None = None
    caution: str | None = None


@dataclass(frozen=True, kw_only=True)
class SizingRequest:
    """What instances are compared by.

    Args:
        engine: The engine.
        facts: The model.
        tokens: Longest prompt and answer together. Default: as the options say, else what is service at all.
        concurrency: Least number of requests of that length to serve concurrently.
        options: The engine's options. Default: its own defaults.
        version: Version of the engine. Default: its newest image.
        region: Region that must have the engine's image; which instances a Region has is not known here. Default: any.
        is_archive: Whether the weights are in an archive, which takes storage beside its contents. Default: False.
    """

    engine: Engine
    facts: ModelFacts
    tokens: int | None = None
    concurrency: int = 1
    options: object = None
    version: str | None = None
    region: str | None = None
    is_archive: bool = False

    @cached_property
    def given_options(self) -> object:
        """The options, with the engine's defaults if none are given."""
        return self.engine.options_type() if self.options is None else self.options

    @cached_property
    def image_version(self) -> str:
        """The version as text."""
        return self.version or self.engine.images.newest

    @cached_property
    def parsed_version(self) -> Version:
        """The version as numbers.

        Raises:
            ValueError: It is not a full version.
        """
        return full_version(self.image_version)


def candidates(
    facts: ModelFacts,
    *,
    engine: Engine,
    tokens: int | None = None,
    concurrency: int | None = None,
    options: object = None,
    version: str | None = None,
    region: str | None = None,
    is_archive: bool = False,
) -> list[Candidate]:
    """Every instance of the catalogue: those that can serve the model first, in each half the cheapest first.

    Args:
        facts: The model.
        engine: The engine.
        tokens: See `SizingRequest`, like the others.
        concurrency: Default: 1.
        options: Default: the engine's defaults.
        version: Default: that of the engine's newest image.
        region: Default: any.
        is_archive: Default: False.

    Raises:
        ValueError: The version is not a full one.
    """
    request = SizingRequest(
        engine=engine,
        facts=facts,
        tokens=tokens,
        concurrency=concurrency or 1,
        options=options,
        version=version,
        region=region,
        is_archive=is_archive,
    )
    return sorted((_priced(request, instance) for instance in InstanceType.all()), key=_order)


def _order(one: Candidate) -> tuple[bool, float, str]:
    price = math.inf if one.price_usd_per_hour is None else one.price_usd_per_hour
    return (not one.fits, price, one.instance.name)


def candidate(
    facts: ModelFacts,
    instance: InstanceType,
    *,
    engine: Engine,
    tokens: int | None = None,
    concurrency: int | None = None,
    options: object = None,
    version: str | None = None,
    region: str | None = None,
) -> Candidate:
    """One instance, which need not be in the catalogue, judged as `candidates` does."""
    request = SizingRequest(
        engine=engine,
        facts=facts,
        tokens=tokens,
        concurrency=concurrency or 1,
        options=options,
        version=version,
        region=region,
    )
    return _priced(request, instance)


def _priced(request: SizingRequest, instance: InstanceType) -> Candidate:
    found = _assess(request, instance)
    return replace(found, price_usd_per_hour=instance.price_usd_per_hour, caution=_caution(request.engine, found))


def _assess(request: SizingRequest, instance: InstanceType) -> Candidate:
    engine, facts = request.engine, request.facts
    reason = _unsupported(engine, instance) or _region_problem(request)
    if reason:
        return Candidate(instance, 0, None, False, reason)
    model = engine.memory_model
    settings = dict(model.settings_for(request.given_options, facts, instance, request.tokens, request.concurrency))
    options = replace(request.given_options, **settings)  # type: ignore[type-var]
    ctx = context_for(engine, facts, instance, options, request.parsed_version)
    found = next(engine.problems(ctx), None)
    if found:
        return Candidate(instance, 0, None, False, f"{found.keyword}: {found.message}.", problem=found)
    shards = model.shards(ctx)
    fitted, memory = fit_memory(ctx, facts, shards)
    served = memory.concurrent_requests(model.request_limit(ctx) or max(1, memory.context))
    if memory.is_tight:  # then the one that has to fit may
        served = max(1, served)
    reason = _memory_problem(request, instance, memory, shards, served)
    if reason is None:
        settings |= model.following_settings(ctx, fitted, memory)
    return Candidate(instance, shards, memory, reason is None, reason, settings, served)


def _unsupported(engine: Engine, instance: InstanceType) -> str | None:
    """Why the engine's image does not run on an instance at all, as a sentence; None if it does."""
    if not engine.hardware.runs_on(instance):
        return (
            f"It has {instance.accelerator}, but {engine.display_name}'s image is for {engine.hardware.accelerators}."
        )
    if instance.architecture != "x86_64":
        return f"It has an Arm host, but {engine.display_name}'s image is for x86."
    if instance.memory_gib is None or instance.accelerator_count is None:
        return "The figures of its GPUs are not published."
    return None


def _region_problem(request: SizingRequest) -> str | None:
    version = request.image_version
    if request.region is None or request.engine.images.account(request.region, version):
        return None
    return f"AWS offers no image of {request.engine.display_name} {version} in {request.region}."


def _memory_problem(
    request: SizingRequest, instance: InstanceType, memory: MemoryPlan, shards: int, served: int
) -> str | None:
    if memory.is_too_large:
        return f"{format_gib(memory.shortfall)} GiB short on {each_unit(request.engine, shards)}."
    found = storage_problem(
        instance, download=memory.download, host_peak=memory.host_peak, is_archive=request.is_archive
    )
    if found:
        return found
    if served < request.concurrency:
        tokens = request.tokens or memory.context
        option = request.engine.memory_model.option_names.requests
        limit = f" (as many as {option} allows)" if option and served == memory.most_requests else ""
        asked = f"but {request.concurrency} are requested"
        return f"It serves {served} concurrent requests of {tokens} tokens{limit}, {asked}."
    return None


def each_unit(engine: Engine, shards: int) -> str:
    """Those that share a model, in words: `its GPU`, `each of 4 GPUs`, `each of 24 cores`."""
    unit = engine.hardware.unit
    return f"its {unit}" if shards == 1 else f"each of {shards} {unit}s"


def format_gib(size: float) -> str:
    """A size in GiB with one decimal, never less than 0.1."""
    return f"{max(0.1, math.ceil(size / GIB * 10) / 10):.1f}"


def _caution(engine: Engine, found: Candidate) -> str | None:
    instance, memory = found.instance, found.memory
    if engine.hardware.is_untested(instance):
        return f"{engine.display_name}'s kernels were neither built nor tested for {instance.accelerator} (Blackwell)."
    if any(driver_warnings(instance)):
        return f"SageMaker's machine images may have no driver for {instance.accelerator}."
    if found.fits and memory is not None and memory.is_tight:
        return f"{instance.name} is too close to its limit: {engine.display_name} may run out of memory when it starts."
    return None
