"""Which formats of weights run on which GPU.

Source: TGI 3.3.6, `server/text_generation_server/models/__init__.py` (default types, auto-selected quantization),
`layers/attention/cuda.py` (what paged attention lacks), docs/source/conceptual/quantization.md. Bits:
`layers/awq/quantize/cuda.py`, `layers/gptq/triton.py` and `layers/marlin/gptq.py` at v3.3.6; the first two say the same
since AWQ and GPTQ came (`utils/awq/quantize/qmodule.py`, `utils/gptq/quant_linear.py` at v0.9.3 to v2.0.2).
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.context import falls_back, has_old_gpu, support_of
from constructs_lib.planning.engines.tgi.options import ON_THE_FLY, Quantization
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.validation.problem import Problem

_NEEDS_AMPERE = (Quantization.FP8, Quantization.MARLIN, Quantization.COMPRESSED_TENSORS)
_BITS = {"awq": (4,), "gptq": (2, 4, 8)}
_MARLIN_SINCE = (2, 2, 0)
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
    has_marlin = ctx.version >= _MARLIN_SINCE and not has_old_gpu(ctx)
    kernels = (4, 8) if facts.quantization == "awq" and has_marlin else _BITS[facts.quantization]
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
    if support_of(facts).softcap:
        yield Problem(
            "instance_type",
            instance.name,
            f"TGI runs {facts.model_type} models on Ampere GPUs or newer only, but {instance.accelerator} is older",
            "Use a newer GPU, such as InstanceType.G6_XLARGE.",
        )
    elif support_of(facts).bfloat16 and not ctx.given("dtype"):
        yield Problem(
            "instance_type",
            instance.name,
            f"TGI computes {facts.model_type} models in bfloat16, which {instance.accelerator} does not support",
            "Use a newer GPU, such as InstanceType.G6_XLARGE, or set options.dtype to float16.",
        )
    if published in _NEEDS_AMPERE:
        yield Problem(
            "instance_type",
            instance.name,
            f"the weights of {facts.hub_id} are published as {published}, whose kernels need Ampere GPUs or newer,"
            f" but {instance.accelerator} is older",
            "Use a newer GPU, such as InstanceType.G6_XLARGE.",
        )
