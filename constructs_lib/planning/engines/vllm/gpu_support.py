"""Which formats of weights and types run on which GPU.

Sources: vLLM `vllm/model_executor/layers/quantization/*.py` (get_min_capability) and `vllm/config/model.py`
(_verify_quantization) at 0.14.0 to 0.30.0, `vllm/platforms/cuda.py` (bfloat16); NVIDIA's
release notes of CUDA 13.0 (GPUs older than Turing are gone).
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.vllm.options import VllmDtype, VllmQuantization
from constructs_lib.planning.engines.vllm.releases import Kind, has
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import inner_width
from constructs_lib.planning.validation.problem import Problem

_VOLTA, _TURING, _AMPERE, _ADA = (7, 0), (7, 5), (8, 0), (8, 9)
_NEWER_GPU = "Use a newer GPU, such as InstanceType.G6_XLARGE."

_CAPABILITY = {
    VllmQuantization.AWQ: _TURING,
    VllmQuantization.AWQ_MARLIN: _TURING,
    VllmQuantization.BITSANDBYTES: _VOLTA,
    VllmQuantization.COMPRESSED_TENSORS: _VOLTA,
    VllmQuantization.EXPERTS_INT8: _AMPERE,
    VllmQuantization.FP8: _TURING,
    VllmQuantization.GPTQ_MARLIN: _TURING,
    VllmQuantization.MODELOPT_FP4: _TURING,
    VllmQuantization.MOE_WNA16: _VOLTA,
    VllmQuantization.MXFP4: _AMPERE,
    VllmQuantization.TORCHAO: _TURING,
}
"""Least compute capability; the others run on any GPU that the image runs on, or it is not known."""

_MODELOPT_ON_AMPERE_SINCE = (0, 30, 0)

ON_THE_FLY = frozenset(
    (
        VllmQuantization.BITSANDBYTES,
        VllmQuantization.EXPERTS_INT8,
        VllmQuantization.FP8,
        VllmQuantization.FP8_PER_BLOCK,
        VllmQuantization.FP8_PER_CHANNEL,
        VllmQuantization.FP8_PER_TENSOR,
        VllmQuantization.INT8_PER_CHANNEL_WEIGHT_ONLY,
        VllmQuantization.MXFP8,
        VllmQuantization.TORCHAO,
    )
)
"""Kinds that vLLM makes itself while it loads; the others need weights that were published in that format."""

_PUBLISHED_AS = {VllmQuantization.AWQ_MARLIN: "awq", VllmQuantization.GPTQ_MARLIN: "gptq"}
_ANY_OF = {VllmQuantization.MOE_WNA16: ("awq", "gptq")}
_GROUPED = ("awq", "gptq", "compressed-tensors")


def published_as(quantization: object) -> str | None:
    """The format in which weights must be published for that value of the option; None if the value does not say."""
    if not isinstance(quantization, str) or quantization in ON_THE_FLY or quantization in _ANY_OF:
        return None
    kind = VllmQuantization(quantization)
    return str(_PUBLISHED_AS.get(kind, kind))


def hardware_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Why the image, the type or weights in this format do not run on this GPU."""
    capability = ctx.instance.compute_capability
    if capability is not None:
        yield from _image_problems(ctx, capability)
        yield from _dtype_problems(ctx, capability)
        yield from _kernel_problems(ctx, capability)
    if ctx.facts is not None and "quantization" not in ctx.unknown:
        yield from _published_problems(ctx, ctx.facts)
        yield from _group_problems(ctx, ctx.facts)


def _image_problems(ctx: EngineContext, capability: tuple[int, int]) -> Iterator[Problem]:
    cuda = ctx.images.cuda(format_version(ctx.version))
    needed = _TURING if cuda >= (13, 0) else _VOLTA
    if capability < needed:
        message = (
            f"{_gpu(ctx.instance)} is too old for vLLM {format_version(ctx.version)} with CUDA {cuda[0]}.{cuda[1]}"
        )
        yield Problem("instance_type", ctx.instance.name, message, _NEWER_GPU)


def _dtype_problems(ctx: EngineContext, capability: tuple[int, int]) -> Iterator[Problem]:
    dtype, facts = ctx.text("dtype"), ctx.facts
    has_bfloat16 = capability >= _AMPERE
    if dtype == VllmDtype.BFLOAT16 and not has_bfloat16:
        fix = "Leave it out, or use a newer GPU."
        yield Problem("options.dtype", dtype, f"{_gpu(ctx.instance)} has no bfloat16", fix)
    if facts is None or not has(Kind.WITHOUT_FLOAT16, facts.model_type, ctx.version):
        return
    if dtype == VllmDtype.FLOAT16:
        message = f"vLLM does not run {facts.model_type} models in float16"
        yield Problem("options.dtype", dtype, message, "Leave it out, or use bfloat16.")
    elif not has_bfloat16 and not ctx.given("dtype"):
        message = f"vLLM runs {facts.model_type} models in bfloat16, which {ctx.instance.accelerator} does not support"
        yield Problem("instance_type", ctx.instance.name, message, f"{_NEWER_GPU[:-1]}, or set dtype to float32.")


def _kernel_problems(ctx: EngineContext, capability: tuple[int, int]) -> Iterator[Problem]:
    requested, published = ctx.text("quantization"), ctx.facts.published_quantization if ctx.facts else None
    for keyword, given, kind in (
        ("options.quantization", requested, requested),
        ("instance_type", ctx.instance.name, None if ctx.given("quantization") else published),
    ):
        needed = _needed(ctx, kind)
        if needed is not None and capability < needed:
            message = (
                f"{_gpu(ctx.instance)} cannot run the kernels of {kind} weights, which need compute capability"
                f" {needed[0]}.{needed[1]}"
            )
            yield Problem(keyword, given, message, _NEWER_GPU)


def _needed(ctx: EngineContext, kind: str | None) -> tuple[int, int] | None:
    if kind == VllmQuantization.MODELOPT:
        return _AMPERE if ctx.version >= _MODELOPT_ON_AMPERE_SINCE else _ADA
    known = list(VllmQuantization)
    return _CAPABILITY.get(VllmQuantization(kind)) if kind in known else None


def _published_problems(ctx: EngineContext, facts: ModelFacts) -> Iterator[Problem]:
    requested, published = ctx.text("quantization"), facts.published_quantization
    if requested is None:
        return
    kind = VllmQuantization(requested)
    formats = _ANY_OF.get(kind, (published_as(requested),))
    if published is not None and published not in formats and not (kind == "fp8" and published == "fp8"):
        yield Problem(
            "options.quantization",
            requested,
            f"the weights of {facts.hub_id} are published as {published}",
            "Leave it out: vLLM detects how they are compressed.",
        )
    elif published is None and kind not in ON_THE_FLY:
        yield Problem(
            "options.quantization",
            requested,
            f"needs weights that were published in that format, and those of {facts.hub_id} are not compressed",
            "Choose a repository with such weights, or describe your own (like=… or ModelFacts(quantization=…)); or use"
            " fp8, which compresses while loading.",
        )


def _group_problems(ctx: EngineContext, facts: ModelFacts) -> Iterator[Problem]:
    """Groups of compressed weights that cannot be split over the GPUs."""
    shards, size = ctx.number("tensor_parallel_size") or ctx.engine.memory_model.shards(ctx), facts.group_size
    if facts.quantization not in _GROUPED or size is None or size < 1 or facts.act_order or shards == 1:
        return
    for part, width in (("feed-forward", inner_width(facts)), ("attention", facts.heads * facts.head_dim)):
        if width % (size * shards):
            yield Problem(
                "options.tensor_parallel_size",
                ctx.shown("tensor_parallel_size"),
                f"{facts.hub_id} has {facts.quantization} weights in groups of {size}, of which its {part} layers of"
                f" {width} cannot be split evenly over {shards} GPUs",
                "Choose a smaller number, or weights in another format.",
            )
            return


def _gpu(instance: InstanceType) -> str:
    capability = instance.compute_capability or (0, 0)
    return f"{instance.name} ({instance.accelerator}, compute capability {capability[0]}.{capability[1]})"
