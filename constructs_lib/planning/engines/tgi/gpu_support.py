"""Which formats of weights run on which GPU.

Sources: TGI 3.3.6, `server/text_generation_server/models/__init__.py` (default types, auto-selected quantization),
`layers/attention/cuda.py` (what FlashAttention 1, on GPUs older than Ampere, lacks), and the same at older tags;
docs/source/conceptual/quantization.md. Bits: `layers/awq/quantize/cuda.py`, `layers/gptq/triton.py`,
`layers/marlin/gptq.py`, `layers/compressed_tensors/loader.py` at v3.3.6; the first two say the same since AWQ and GPTQ
came (`utils/awq/quantize/qmodule.py`, `utils/gptq/quant_linear.py` at v0.9.3 to v2.0.2).
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.context import falls_back, has_old_gpu, is_flash, runs_marlin, support_of
from constructs_lib.planning.engines.tgi.options import ON_THE_FLY, Quantization
from constructs_lib.planning.engines.tgi.sharding import num_shard
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.validation.problem import Problem

_UNREAD = ("mxfp4", "nvfp4")
_NEEDS_AMPERE = (Quantization.FP8, Quantization.MARLIN, Quantization.COMPRESSED_TENSORS)
_BITS = {"awq": (4,), "gptq": (2, 4, 8), "compressed-tensors": (4, 8)}
_NEWER_GPU = "Use a newer GPU, such as InstanceType.G6_XLARGE."

_ONLY_FLASH_2 = ((2, 1, 0), (2, 3, 0))
"""Versions that take FlashAttention 2 on any GPU (`layers/attention/cuda.py`)."""

_WINDOW_IS_OPTIONAL_SINCE = (1, 4, 0)
"""Until then classes with a sliding window need FlashAttention 2 even for models without one; from then on until 2.1
such models are left to transformers on one older GPU (`get_model`)."""

_CHECKS_WINDOW_SINCE = (2, 1, 0)
"""`get_model` compares max_input_tokens with the sliding window, whether the class has one or not."""

_SAME_FORMAT = {Quantization.MARLIN: Quantization.GPTQ}


def published_as(quantize: object) -> str | None:
    """The format in which weights must be published for that value of the option; None if they may be uncompressed."""
    if not isinstance(quantize, str) or quantize in ON_THE_FLY:
        return None
    kind = Quantization(quantize)
    return str(_SAME_FORMAT.get(kind, kind))


def hardware_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Why weights in this format do not run on this GPU."""
    if ctx.facts is None or "quantize" in ctx.unknown:
        return
    yield from _published_problems(ctx, ctx.facts)
    yield from _bits_problems(ctx, ctx.facts)
    if has_old_gpu(ctx):
        yield from _old_gpu_problems(ctx, ctx.facts)


def _published_problems(ctx: EngineContext, facts: ModelFacts) -> Iterator[Problem]:
    requested, published = ctx.text("quantize"), facts.published_quantization
    if published in _UNREAD:
        yield Problem(
            "model",
            facts.hub_id,
            f"its weights are published in {published}, which TGI does not read",
            "Use a repository with the same weights in bfloat16, if TGI runs the architecture, or another engine.",
        )
        return
    if falls_back(ctx, facts):
        return  # supports one format only, which the rules of the fallback check
    if requested is None or _SAME_FORMAT.get(Quantization(requested), requested) == published:
        return
    if published is not None:
        yield Problem(
            "options.quantize",
            requested,
            f"the weights of {facts.hub_id} are published as {published}",
            "Leave it out: TGI detects how they are compressed.",
        )
    elif requested not in ON_THE_FLY:
        yield Problem(
            "options.quantize",
            requested,
            f"needs weights that were published in that format, and those of {facts.hub_id} are not compressed",
            "Choose a repository with such weights, or describe your own (like=… or ModelFacts(quantization=…)); or use"
            " fp8 or eetq, which compress while loading.",
        )


def _bits_problems(ctx: EngineContext, facts: ModelFacts) -> Iterator[Problem]:
    """Bits that no kernel takes. Marlin's, for Ampere GPUs and newer, also take AWQ weights of 8 bits."""
    if facts.bits is None or facts.quantization not in _BITS:
        return
    is_wider = facts.quantization == Quantization.AWQ and runs_marlin(ctx, facts.quantization)
    kernels = (4, 8) if is_wider else _BITS[facts.quantization]
    if facts.bits not in kernels:
        words = ", ".join(map(str, kernels))
        yield Problem(
            "model",
            facts.hub_id,
            f"its {facts.quantization} weights have {facts.bits} bits, but TGI has kernels for {words} bits only",
            f"Choose a repository, or a revision, with weights of {words} bits.",
        )


def _old_gpu_problems(ctx: EngineContext, facts: ModelFacts) -> Iterator[Problem]:
    instance, published = ctx.instance, facts.published_quantization
    if why := _why_attention_fails(ctx, facts):
        yield Problem("instance_type", instance.name, f"{why}, but {instance.accelerator} is older", _NEWER_GPU)
    elif support_of(facts).bfloat16 and not ctx.given("dtype"):
        yield Problem(
            "instance_type",
            instance.name,
            f"TGI computes {facts.model_type} models in bfloat16, which {instance.accelerator} does not support",
            f"{_NEWER_GPU[:-1]}, or set options.dtype to float16.",
        )
    longest, window = ctx.number("max_input_tokens"), facts.sliding_window
    if window and longest and longest > window and ctx.version >= _CHECKS_WINDOW_SINCE and not _is_windowed(facts):
        yield Problem(
            "options.max_input_tokens",
            longest,
            f"must be at most {window}, the sliding window of {facts.hub_id}: TGI has none on GPUs that are older than"
            f" Ampere, such as the {instance.accelerator} of {instance.name}",
            f"Lower it, or {_NEWER_GPU[0].lower()}{_NEWER_GPU[1:]}",
        )
    if published in _NEEDS_AMPERE:
        yield Problem(
            "instance_type",
            instance.name,
            f"the weights of {facts.hub_id} are published as {published}, whose kernels need Ampere GPUs or newer,"
            f" but {instance.accelerator} is older",
            _NEWER_GPU,
        )


def _why_attention_fails(ctx: EngineContext, facts: ModelFacts) -> str | None:
    """Why the kernels of FlashAttention 2 are needed, which older GPUs do not run; None if they are not."""
    support, first, fixed = support_of(facts), *_ONLY_FLASH_2
    if first <= ctx.version < fixed and is_flash(ctx, facts):
        return f"TGI {format_version(ctx.version)} runs models with paged attention on Ampere GPUs or newer only"
    if support.softcap:
        return f"TGI runs {facts.model_type} models on Ampere GPUs or newer only"
    if not is_flash(ctx, facts) or not _is_windowed(facts):
        return None
    if ctx.version < _WINDOW_IS_OPTIONAL_SINCE:
        return f"TGI {format_version(ctx.version)} runs {facts.model_type} models on Ampere GPUs or newer only"
    left_to_transformers = ctx.version < first and num_shard(ctx) == 1
    if support.always_windowed or (facts.sliding_window and not left_to_transformers):
        return f"{facts.model_type} models look back at a sliding window, which needs Ampere GPUs or newer"
    return None


def _is_windowed(facts: ModelFacts) -> bool:
    return support_of(facts).windowed or support_of(facts).always_windowed
