"""How many GPUs share a model.

Sources: TGI `launcher/src/main.rs` (find_num_shards) and the model classes below
`server/text_generation_server/models/custom_modeling`, which split attention heads evenly. For compressed weights:
`get_weights_row` in `layers/marlin/gptq.py`, `layers/gptq/__init__.py`, `layers/compressed_tensors/wna16_int.py` and
`layers/fp8.py` (weight_block_size) at v3.3.6, `get_multi_weights_row` in
`utils/weights.py` at v1.1.0 to v2.0.2: the layers that are split by their inputs (the output of the attention, the last
of the feed-forward part) split the scales by groups of inputs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.common_warnings import idle_gpu_warnings
from constructs_lib.planning.engines.tgi.context import implementation_of, support_of
from constructs_lib.planning.engines.tgi.newer_versions import added_in, image_that_runs
from constructs_lib.planning.engines.tgi.options import Quantization
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.models.architecture import Backend, Implementation
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import inner_width
from constructs_lib.planning.validation.problem import PlanWarning, Problem

_KEYWORD = "options.num_shard"
_GROUPED = ("awq", "gptq", "compressed-tensors", "fp8")
_SPLITS_ONE_GROUP, _KEEPS_ONE_GROUP = (1, 2, 0), (1, 4, 0)
"""`get_multi_weights_row` of v1.2.0 and v1.3.3 lacks the test for groupsize -1 that v1.1.0 and v1.4.0 have."""


def num_shard(ctx: EngineContext) -> int:
    """The GPUs that share the model: as requested, else every GPU of the instance."""
    requested = ctx.number("num_shard")
    if requested is not None:
        return requested
    return 1 if ctx.values.get("sharded") is False else ctx.instance.accelerator_count or 1


def can_shard(facts: ModelFacts, shards: int) -> bool:
    """Whether the model's heads, and the groups of its compressed weights, can be split evenly over that many GPUs."""
    return _heads_fit(facts, shards) and not _odd_groups(facts, shards)


def possible_shards(facts: ModelFacts, at_most: int) -> tuple[int, ...]:
    """The numbers of GPUs, up to a number, over which the model can be split."""
    return tuple(shards for shards in range(1, at_most + 1) if can_shard(facts, shards))


def _heads_fit(facts: ModelFacts, shards: int) -> bool:
    kv_fits = support_of(facts).replicates_kv_heads or facts.kv_heads % shards == 0
    return facts.heads % shards == 0 and kv_fits


def _odd_groups(facts: ModelFacts, shards: int) -> list[tuple[str, int, int]]:
    """Parts of the model whose groups cannot be split evenly: name, width, number of groups.

    Of GPTQ weights in act order, and of those with one group for each column, every GPU keeps all scales.
    """
    size = facts.group_size
    if facts.quantization not in _GROUPED or size is None or size < 1 or facts.act_order:
        return []
    widths = (("feed-forward", inner_width(facts)), ("attention", facts.heads * facts.head_dim))
    groups = ((part, width, math.ceil(width / size)) for part, width in widths)
    return [(part, width, count) for part, width, count in groups if count % shards != 0]


def shard_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Why the model cannot be shared among that many GPUs."""
    shards, requested, gpus = num_shard(ctx), ctx.number("num_shard"), ctx.instance.accelerator_count
    if gpus is not None and shards > gpus:
        yield Problem(_KEYWORD, requested, f"{ctx.instance.name} has {_gpus(gpus)}", f"Lower it to {gpus} or less.")
        return
    if ctx.values.get("sharded") is True and shards < 2:
        yield Problem(
            "options.sharded",
            True,
            f"needs more than one GPU, but {ctx.instance.name} has {_gpus(gpus)} and num_shard is {shards}",
            "Leave it out, or use an instance with more GPUs.",
        )
    if ctx.values.get("sharded") is False and requested is not None and requested > 1:
        yield Problem("options.sharded", False, f"contradicts num_shard={requested}", "Leave it out.")
    if ctx.text("quantize") == Quantization.EXL2 and shards > 1:
        yield Problem(
            "options.quantize", "exl2", f"cannot be split over {shards} GPUs", "Set num_shard to 1, or use awq."
        )
    if ctx.facts is None or ctx.unknown.keys() & {"num_shard", "sharded"}:
        return
    if shards > 1 and runs_on_one_gpu(ctx, ctx.facts):
        yield _one_gpu(ctx, ctx.facts)
    elif not can_shard(ctx.facts, shards):
        yield _split_problem(ctx, ctx.facts, shards)
    if shards > 1 and _shares_one_group(ctx, ctx.facts):
        yield Problem(
            _KEYWORD,
            requested,
            f"TGI {format_version(ctx.version)} cannot split GPTQ weights with one group for each column"
            f" (group_size -1), as {ctx.facts.hub_id} has, over {shards} GPUs",
            "Use TgiImage.version('1.4.0') or newer, or set options.num_shard to 1.",
        )


def runs_on_one_gpu(ctx: EngineContext, facts: ModelFacts) -> bool:
    """Whether this version of TGI cannot share the model among GPUs, whatever its heads."""
    return implementation_of(ctx, facts).backend is Backend.CAUSAL_LM or support_of(facts).most_shards == 1


def _one_gpu(ctx: EngineContext, facts: ModelFacts) -> Problem:
    set_one = "Set options.num_shard to 1, or use an instance with one GPU."
    version = format_version(ctx.version)
    if implementation_of(ctx, facts).backend is Backend.OWN:
        message = f"TGI {version} runs {facts.model_type} models on one GPU only"
        return Problem(_KEYWORD, ctx.number("num_shard"), message, set_one)
    message = f"TGI {version} does not have {facts.model_type} and leaves it to transformers, on one GPU only"
    added, newer = added_in(ctx, facts, _is_shared), image_that_runs(ctx, facts, _is_shared)
    return Problem(
        _KEYWORD,
        ctx.number("num_shard"),
        f"{message}; it was added in {added}" if added else f'{message} ("sharded is not supported for AutoModel")',
        f"{newer} Or: {set_one}" if newer else set_one,
    )


def _is_shared(one: Implementation) -> bool:
    return one.runs and one.backend is not Backend.CAUSAL_LM


def _split_problem(ctx: EngineContext, facts: ModelFacts, shards: int) -> Problem:
    possible = possible_shards(facts, max(ctx.instance.accelerator_count or shards, shards))
    words = " or ".join(map(str, possible))
    return Problem(
        _KEYWORD,
        ctx.number("num_shard"),
        f"{facts.hub_id} has {_indivisible(facts, shards)}, which cannot be split evenly over {shards} GPUs of"
        f" {ctx.instance.name}; possible here: {words}",
        f"Set options.num_shard to {words}, or use an instance with that many GPUs.",
    )


def _indivisible(facts: ModelFacts, shards: int) -> str:
    if not _heads_fit(facts, shards):
        return f"{facts.heads} attention heads and {facts.kv_heads} key-value heads"
    part, width, count = _odd_groups(facts, shards)[0]
    return f"{facts.quantization} weights in groups of {facts.group_size}, {count} in its {part} layers of {width}"


def _shares_one_group(ctx: EngineContext, facts: ModelFacts) -> bool:
    """Whether that version splits the single row of scales; only its kernels for 4 bits do."""
    one_group = facts.quantization == "gptq" and facts.group_size == -1 and facts.bits in (4, None)
    return one_group and _SPLITS_ONE_GROUP <= ctx.version < _KEEPS_ONE_GROUP


def shard_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    """GPUs that are paid for and idle."""
    return idle_gpu_warnings(ctx, num_shard(ctx))


def _gpus(count: int | None) -> str:
    return "1 GPU" if count == 1 else f"{count} GPUs"
