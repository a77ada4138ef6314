"""Shorter requests and other changes with which a model fits.

vLLM does not start if the cache cannot hold one request of max_model_len, whose default is the model's longest context.
So the plan gives it a length that fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from constructs_lib.planning.engine import EngineContext, Reduction, Settings
from constructs_lib.planning.engines.shorter_requests import LEAST_LENGTH, choices
from constructs_lib.planning.engines.tensor_parallel import possible_shards
from constructs_lib.planning.engines.vllm.memory_settings import VllmContainer, tensor_parallel
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelFacts

_LEAST_SEQUENCES = 8
_SEQUENCES = (128, 64, 32, 16)
_KV_FP8_CAPABILITY = (8, 9)


def smaller_settings(ctx: EngineContext, memory: MemoryPlan, container: VllmContainer) -> Iterator[Settings]:
    """Shorter requests than the model's longest, then fewer of them at one time.

    Args:
        ctx: The context.
        memory: Its memory plan.
        container: The container.
    """
    names = container.names
    counts = () if ctx.given(names.sequences) else _SEQUENCES
    fewer: list[Settings] = [{names.sequences: count} for count in counts]
    return choices(memory, fewer, None if ctx.given(names.length) else names.length)


def following_settings(
    ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan, container: VllmContainer
) -> Settings:
    """What made it fit, and the length of requests in any case: vLLM's own would not start once memory is short."""
    names = container.names
    settings = {name: value for name, value in fitted.values.items() if name not in ctx.values}
    if not ctx.given(names.length):
        settings.setdefault(names.length, memory.asked_tokens)
    return settings


def remedies(
    ctx: EngineContext, facts: ModelFacts, container: VllmContainer
) -> Iterator[Iterable[Settings] | Reduction]:
    """What takes least away first: more GPUs, fewer requests at a time, a compressed cache, shorter requests, FP8."""
    names = container.names
    gpus, now = ctx.instance.accelerator_count or 1, tensor_parallel(ctx, container)
    yield [{names.tensor_parallel: count} for count in possible_shards(facts, gpus) if count > now]
    sequences = ctx.number(names.sequences)
    if sequences is not None:
        yield Reduction(least=_LEAST_SEQUENCES, below=sequences, settings=lambda count: {names.sequences: count})
    capability = ctx.instance.compute_capability
    if not ctx.given(names.cache_dtype) and capability is not None and capability >= _KV_FP8_CAPABILITY:
        yield [{names.cache_dtype: "fp8"}]
    length = ctx.number(names.length)
    if length is not None:
        yield Reduction(least=LEAST_LENGTH, below=length, settings=lambda tokens: {names.length: tokens})
    if not ctx.given(names.quantization) and facts.published_quantization is None:
        yield [{names.quantization: "fp8"}]
