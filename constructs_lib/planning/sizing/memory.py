"""What one GPU holds: weights, activations of a prefill, and the key-value cache that is left over.

The same for every engine; what differs comes from `Engine.memory_model`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields

from constructs_lib.planning.engine import Engine, EngineContext
from constructs_lib.planning.hardware.gpu_memory import GIB, visible_bytes
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import Version, parse_version
from constructs_lib.planning.memory_plan import GpuShare, MemoryPlan, WeightFormat
from constructs_lib.planning.models.architectures import architecture
from constructs_lib.planning.models.facts import BYTES_PER_PARAMETER, ModelChoice, ModelFacts
from constructs_lib.planning.validation.unknown import Unknown

MIN_TOKENS = 2048
"""Prompt and answer that have to fit if no length is requested, or the model's longest context: less is no service."""

HALF_BYTES = 2
"""Bytes of float16 and bfloat16, in which engines compute whatever type the weights were published in."""

_UNKNOWN_VOCABULARY = 262_144

_HOST_BASE, _HOST_PER_SHARD = 1 * GIB, int(2.5 * GIB)
"""The server itself; Python with torch and CUDA's host side, once for each GPU."""


def memory_plan(
    engine: Engine, facts: ModelFacts, instance: InstanceType, options: object, version: str, shards: int
) -> MemoryPlan:
    """The memory plan of a model on each of the GPUs that share it.

    Args:
        engine: The engine.
        facts: The model.
        instance: The instance, whose GPUs' memory must be known.
        options: The engine's options, right by themselves and known at synth.
        version: Version of the engine, such as `3.3.6`.
        shards: GPUs that share the model, over which the engine can split it.

    Raises:
        ValueError: The memory of that instance's GPUs is not published, or the version is not a full one.
    """
    return plan_memory(context_for(engine, facts, instance, options, full_version(version)), facts, shards)


def full_version(text: str) -> Version:
    """The version as numbers.

    Raises:
        ValueError: It is not a full version.
    """
    parsed = parse_version(text)
    if parsed is None:
        raise ValueError(f"{text!r} is not a full version")
    return parsed


def context_for(
    engine: Engine, facts: ModelFacts, instance: InstanceType, options: object, version: Version
) -> EngineContext:
    """What the engine's rules look at, for options that are right by themselves."""
    given = given_options(options)
    return EngineContext(
        engine=engine,
        values=given,
        unknown={keyword: value for keyword, value in given.items() if isinstance(value, Unknown)},
        version=version,
        model=ModelChoice(source="hub", hub_id=facts.hub_id, facts=facts),
        facts=facts,
        instance=instance,
    )


def given_options(options: object) -> Mapping[str, object]:
    """The options of an engine's dataclass that are given."""
    every = {one.name: getattr(options, one.name) for one in fields(options)}  # type: ignore[arg-type]
    return {keyword: value for keyword, value in every.items() if value is not None}


def plan_memory(ctx: EngineContext, facts: ModelFacts, shards: int) -> MemoryPlan:
    """The memory plan of a context (see `memory_plan`)."""
    model = ctx.engine.memory_model
    weights = weight_bytes(facts, shards, model.weight_format(ctx, facts))
    gpu = GpuShare(shards=shards, visible=visible_bytes(ctx.instance), weights=weights)
    engine = model.memory(ctx, facts, gpu)
    free = engine.usable - weights - engine.runtime - engine.activations
    max_tokens = max(engine.cache.max_tokens(free), engine.min_tokens)
    return MemoryPlan(
        gpu_memory=engine.gpu_memory,
        usable=engine.usable,
        weights=weights,
        runtime=engine.runtime,
        prefill=engine.activations,
        peak=engine.peak,
        prefill_tokens=engine.prefill_tokens,
        warm_up_tokens=engine.warm_up_tokens,
        min_tokens=engine.min_tokens,
        cache=engine.cache,
        max_tokens=max_tokens,
        context=min(max_tokens, engine.max_request_tokens),
        asked_tokens=engine.asked_tokens,
        loading_peak=engine.runtime
        + _loading_peak(facts, shards, weights, compresses=model.compresses_while_loading(ctx)),
        host_peak=_host_peak(facts, shards),
        download=facts.checkpoint_bytes,
        uncertainty=engine.uncertainty,
        static=engine.static,
        margin=engine.margin,
        most_requests=engine.most_requests,
    )


def fit_memory(ctx: EngineContext, facts: ModelFacts, shards: int) -> tuple[EngineContext, MemoryPlan]:
    """The memory plan, with the engine's smaller settings if its defaults do not fit and the caller leaves them open.

    Args:
        ctx: The context.
        facts: The model.
        shards: GPUs that share it.

    Returns:
        The context with the first settings that fit, and its memory plan; if none fit, with those that lack least.
    """
    found = [(ctx, plan_memory(ctx, facts, shards))]
    margin = found[0][1].margin
    if found[0][1].slack >= margin:
        return found[0]
    for settings in ctx.engine.memory_model.smaller_settings(ctx, found[0][1]):
        smaller = ctx.with_values(settings)
        found.append((smaller, plan_memory(smaller, facts, shards)))
        if found[-1][1].slack >= margin:
            return found[-1]
    return max(found, key=lambda one: one[1].slack)


def weight_bytes(facts: ModelFacts, shards: int, weights: WeightFormat) -> int:
    """One GPU's share of the weights.

    Layers are split evenly; the embeddings stay in half precision, and so does the output layer unless the engine
    compresses it. If the vocabulary cannot be split evenly, each GPU has the whole output layer.
    """
    table = _table(facts)
    layers = max(0, facts.parameters - table * (1 if facts.tied_embeddings else 2))
    compressed = layers * weights.bits_per_parameter / 8
    if facts.quantization and facts.weight_bytes:
        compressed = max(0, facts.weight_bytes - table * HALF_BYTES * (1 if facts.tied_embeddings else 2))
    whole_output = facts.vocabulary is not None and facts.vocabulary % shards != 0
    output = table if whole_output else table / shards
    if facts.tied_embeddings and not weights.copies_tied_embeddings:
        output = 0
    return math.ceil(compressed / shards + table / shards * HALF_BYTES + output * weights.output_bits / 8)


def kv_heads_per_gpu(facts: ModelFacts, shards: int) -> int:
    """Key-value heads of one GPU: split evenly, at least one, which several GPUs then hold copies of."""
    return max(1, facts.kv_heads // shards)


def inner_width(facts: ModelFacts) -> int:
    """Width of the feed-forward layers, of one expert."""
    return facts.intermediate or 4 * facts.hidden


def vocabulary(facts: ModelFacts) -> int:
    """Entries of the vocabulary; more than most models have if it is not known."""
    return facts.vocabulary or _UNKNOWN_VOCABULARY


def _loading_peak(facts: ModelFacts, shards: int, weights: int, *, compresses: bool) -> int:
    """Most memory that weights take while they are loaded.

    A layer is loaded in parts, which are joined and then dropped; an engine that compresses while loading has both in
    half precision. So the full weights pass through the GPU but never fill it. The output layer comes last.
    """
    output = _table(facts) * HALF_BYTES // shards
    return max(weights, weights - output + (2 if compresses else 1) * math.ceil(_layer(facts) / shards) * HALF_BYTES)


def _layer(facts: ModelFacts) -> int:
    """Parameters of the largest tensor of a layer: gate and up projection, of every expert."""
    gate = 2 if architecture(facts.model_type).gated else 1
    return gate * inner_width(facts) * facts.experts * facts.hidden


def _table(facts: ModelFacts) -> int:
    return facts.vocabulary * facts.hidden if facts.vocabulary else 0


def _host_peak(facts: ModelFacts, shards: int) -> int:
    """Memory of the host that loading takes.

    Files are mapped, so their pages can be dropped; what stays is one process for each GPU with the tensor that it
    converts, once as published and once as loaded.
    """
    published = BYTES_PER_PARAMETER[facts.checkpoint_dtype] / HALF_BYTES
    largest = math.ceil(max(_layer(facts), _table(facts)) / shards) * HALF_BYTES
    return math.ceil(_HOST_BASE + shards * (_HOST_PER_SHARD + largest * (1 + published)))
