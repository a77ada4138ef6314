"""What TGI's rules derive from options, model and instance.

Sources: TGI 3.3.6 `launcher/src/main.rs` and `server/text_generation_server/models/globals.py`.
"""

from __future__ import annotations

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.options import Attention, Quantization
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.models.architecture import Backend, Implementation, TgiSupport
from constructs_lib.planning.models.architectures import architecture, implementation
from constructs_lib.planning.models.facts import ModelFacts

_FLASH_CAPABILITY = (8, 0)
"""Ampere: older GPUs have neither bfloat16 nor the kernels of flashinfer and Marlin."""

_DEFAULT_PREFILL = 4096

_MARLIN_SINCE: dict[str, Version] = {Quantization.AWQ: (2, 2, 0), Quantization.GPTQ: (2, 1, 1)}
"""First version with Marlin's kernels for a format (`layers/marlin` and `utils/weights.py` at the tags)."""


def support_of(facts: ModelFacts) -> TgiSupport:
    """How TGI runs models of that architecture."""
    return architecture(facts.model_type).tgi


def implementation_of(ctx: EngineContext, facts: ModelFacts) -> Implementation:
    """What the requested version of TGI runs the model with."""
    return implementation(facts, ctx.version, remote_code=facts.auto_map and trusts_remote_code(ctx))


def trusts_remote_code(ctx: EngineContext) -> bool:
    """Whether TGI runs code of the model's repository, as far as can be known."""
    return ctx.values.get("trust_remote_code") is True or "trust_remote_code" in ctx.unknown


def is_flash(ctx: EngineContext, facts: ModelFacts) -> bool:
    """Whether it runs with paged attention, instead of static padded batches."""
    return implementation_of(ctx, facts).flash


def falls_back(ctx: EngineContext, facts: ModelFacts) -> bool:
    """Whether TGI has no implementation of its own and runs the model with transformers."""
    return implementation_of(ctx, facts).backend in (Backend.TRANSFORMERS_FLASH, Backend.CAUSAL_LM)


def has_old_gpu(ctx: EngineContext) -> bool:
    """Whether the GPU is known to be older than Ampere."""
    capability = ctx.instance.compute_capability
    return capability is not None and capability < _FLASH_CAPABILITY


def attention_of(ctx: EngineContext) -> str | None:
    """The attention kernels that are requested, by the caller or by us."""
    return ctx.text("attention") or (Attention.PAGED.value if has_old_gpu(ctx) and ctx.version >= (2, 3, 0) else None)


def chunks_prefill(ctx: EngineContext) -> bool | None:
    """Whether TGI splits long prompts over batches; None if the model is not known."""
    off = (
        ctx.version < (2, 4, 0)
        or (ctx.version < (3, 0, 0) and ctx.values.get("prefill_chunking") is not True)
        or ctx.values.get("prefill_chunking") is False
        or bool(ctx.number("speculate"))
        or attention_of(ctx) == Attention.PAGED
    )
    if off:
        return False
    if ctx.facts is None:
        return None
    runs_with = implementation_of(ctx, ctx.facts)
    return runs_with.flash and runs_with.chunks_prefill


def default_prefill(ctx: EngineContext) -> int:
    """TGI's own max_batch_prefill_tokens if it works none out from the GPU's speed."""
    return support_of(ctx.facts).default_prefill if ctx.facts else _DEFAULT_PREFILL


def runs_marlin(ctx: EngineContext, kind: str | None) -> bool:
    """Whether Marlin's kernels, which need Ampere GPUs, run weights of that kind.

    Without them, AWQ has a kernel of its own and GPTQ exllama's or Triton's.
    """
    since = _MARLIN_SINCE.get(kind) if kind else None
    return since is not None and ctx.version >= since and not has_old_gpu(ctx)


def quantization_of(ctx: EngineContext, facts: ModelFacts) -> str | None:
    """How the weights are compressed in the GPU: as the options say, else as they were published."""
    return ctx.text("quantize") or facts.published_quantization
