"""Which instances can serve a model, cheapest first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from constructs_lib.planning.engines.tgi.batch_limits import fitting_plan, following_options
from constructs_lib.planning.engines.tgi.context import EngineContext
from constructs_lib.planning.engines.tgi.gpu_support import hardware_problems
from constructs_lib.planning.engines.tgi.option_rules import option_problems
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.engines.tgi.sharding import num_shard, possible_shards, shard_problems
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.hardware.instance_types import BLACKWELL, InstanceType
from constructs_lib.planning.hardware.storage import storage_fault
from constructs_lib.planning.images.catalogue import NEWEST, image_account
from constructs_lib.planning.images.version import parse
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import MemoryPlan, concurrent_requests, engine_context
from constructs_lib.planning.validation.problem import Problem


@dataclass(frozen=True, slots=True)
class Candidate:
    """One instance type for a model.

    Args:
        instance: The instance type.
        num_shard: GPUs of it that share the model; 0 where it cannot be shared among them.
        memory: What one of them holds; None where that cannot be said.
        fits: Whether it serves what is asked.
        reason: Why it does not, as a sentence; None if it does.
        settings: Options that follow, by their names in `TgiOptions`, in addition to those given.
        concurrency: Requests of the asked length (else of the longest context) that it serves at the same time.
        price_usd_per_hour: What an hour costs in us-east-1; None where no price is published.
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
    caution: str | None = None


def candidates(
    facts: ModelFacts,
    *,
    tokens: int | None = None,
    concurrency: int | None = None,
    options: TgiOptions | None = None,
    version: str = NEWEST,
    region: str | None = None,
) -> list[Candidate]:
    """Every instance of the catalogue: those that can serve the model first, in each half the cheapest first.

    Args:
        facts: The model.
        tokens: Longest prompt and answer together. Default: options.max_total_tokens, else 2048.
        concurrency: Requests of that length at the same time, at least. Default: 1.
        options: Options of TGI. Default: its own.
        version: Version of TGI.
        region: Region that must have TGI's image; which instances a Region has is not known here. Default: any.

    Raises:
        ValueError: The version is none.
    """
    asked = _Asked(facts, tokens, concurrency or 1, options or TgiOptions(), version, region)
    found = [asked.candidate(instance) for instance in InstanceType.all()]
    return sorted(found, key=_order)


def candidate(
    facts: ModelFacts,
    instance: InstanceType,
    *,
    tokens: int | None = None,
    concurrency: int | None = None,
    options: TgiOptions | None = None,
    version: str = NEWEST,
    region: str | None = None,
) -> Candidate:
    """One instance, which need not be in the catalogue, judged as `candidates` does."""
    return _Asked(facts, tokens, concurrency or 1, options or TgiOptions(), version, region).candidate(instance)


def _order(one: Candidate) -> tuple[bool, float, str]:
    price = math.inf if one.price_usd_per_hour is None else one.price_usd_per_hour
    return (not one.fits, price, one.instance.name)


def no_service(instance: InstanceType) -> str | None:
    """Why TGI's image does not run on an instance at all, as a sentence; None if it does."""
    if not instance.is_gpu:
        return f"It has {instance.accelerator}, TGI's image is for NVIDIA GPUs."
    if instance.architecture != "x86_64":
        return "It has an Arm host, TGI's image is for x86."
    if instance.memory_gib is None or instance.accelerator_count is None:
        return "Its GPUs are not published."
    return None


@dataclass(frozen=True)
class _Asked:
    facts: ModelFacts
    tokens: int | None
    concurrency: int
    options: TgiOptions
    version: str
    region: str | None

    def candidate(self, instance: InstanceType) -> Candidate:
        return replace(
            self._judged(instance), price_usd_per_hour=instance.price_usd_per_hour, caution=_caution(instance)
        )

    def _judged(self, instance: InstanceType) -> Candidate:
        reason = no_service(instance) or self._region_fault() or self._length_fault()
        if reason:
            return Candidate(instance, 0, None, False, reason)
        options, settings = self._with_settings(instance)
        version = parse(self.version)
        if version is None:
            raise ValueError(f"{self.version!r} is no full version")
        ctx = engine_context(self.facts, instance, options, version)
        shards = num_shard(ctx)
        found = next(rule_problems(ctx), None)
        if found:
            return Candidate(instance, 0, None, False, f"{found.keyword}: {found.message}.")
        fitted, memory = fitting_plan(ctx, self.facts, shards)
        served = concurrent_requests(memory, options.max_total_tokens or max(1, memory.context))
        reason = self._memory_fault(instance, memory, shards, served)
        if reason is None:
            settings |= following_options(ctx, fitted, memory)
        return Candidate(instance, shards, memory, reason is None, reason, settings, served)

    def _region_fault(self) -> str | None:
        if self.region is None or image_account(self.region, self.version):
            return None
        return f"AWS offers no image of TGI {self.version} in {self.region}."

    def _length_fault(self) -> str | None:
        longest = self.facts.max_positions
        stretched = self.options.rope_factor is not None or self.options.rope_scaling is not None
        # T5's positions are relative: 512 is what it was trained with, not what it can take.
        if self.tokens is None or self.tokens <= longest or stretched or self.facts.model_type == "t5":
            return None
        return f"The model's longest context is {longest} tokens, {self.tokens} are asked for."

    def _with_settings(self, instance: InstanceType) -> tuple[TgiOptions, dict[str, object]]:
        settings: dict[str, object] = {}
        if self.tokens is not None:
            settings |= {"max_input_tokens": max(1, self.tokens - 1), "max_total_tokens": self.tokens}
            if self.options.max_input_tokens is not None and self.options.max_input_tokens < self.tokens:
                del settings["max_input_tokens"]
        possible = possible_shards(self.facts, instance.accelerator_count or 0)
        left_to_us = self.options.num_shard is None and self.options.sharded is None
        if left_to_us and possible and possible[-1] != instance.accelerator_count:
            settings["num_shard"] = possible[-1]
        return replace(self.options, **settings), settings  # type: ignore[arg-type]

    def _memory_fault(self, instance: InstanceType, memory: MemoryPlan, shards: int, served: int) -> str | None:
        if not memory.fits:
            each = "its GPU" if shards == 1 else f"each of {shards} GPUs"
            return f"{gib(memory.shortfall)} GiB short on {each}."
        if fault := storage_fault(instance, memory, None):
            return fault
        if served < self.concurrency:
            asked = f"{self.concurrency} at the same time are asked for"
            return f"It serves {served} requests of {self.tokens or memory.context} tokens, {asked}."
        return None


def rule_problems(ctx: EngineContext) -> Iterator[Problem]:
    """What is wrong with options, shards and kinds of weights on this instance, apart from memory."""
    yield from option_problems(ctx)
    yield from shard_problems(ctx)
    yield from hardware_problems(ctx)


def gib(size: float) -> str:
    """A size in GiB with one decimal, never less than 0.1."""
    return f"{max(0.1, math.ceil(size / GIB * 10) / 10):.1f}"


def _caution(instance: InstanceType) -> str | None:
    capability = instance.compute_capability
    if capability is None or capability < BLACKWELL:
        return None
    return f"TGI's kernels were neither built nor tested for {instance.accelerator} (Blackwell)."
