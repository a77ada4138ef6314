"""TGI's rules between options, model and instance.

Source: TGI `launcher/src/main.rs` and `backends/v3/src/main.rs` (router) 3.3.6, `server/text_generation_server`
(`cli.py`, `models/__init__.py`, `models/globals.py`), and the launcher at older tags if a rule is about older versions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.context import attention_of, falls_back, has_old_gpu, is_flash, support_of
from constructs_lib.planning.engines.tgi.context_length import length_problems
from constructs_lib.planning.engines.tgi.options import BITSANDBYTES, Attention, Quantization
from constructs_lib.planning.engines.tgi.token_limits import limit_problems
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.validation.problem import Problem

# `get_model` refuses these ("… quantization is not supported for AutoModel"), and images have no other loader for them.
_NOT_LEFT_TO_TRANSFORMERS = (Quantization.AWQ, Quantization.EXL2, Quantization.GPTQ)
_ADAPTER_FORMS = (2, 3, 0)
"""First version that reads more than hub ids (`launcher/src/main.rs`, `parse_lora_adapters` of the server)."""

_FLASHINFER_HEADS = (64, 128, 256)


def option_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Which rules between options, model and instance are broken."""
    yield from limit_problems(ctx)
    yield from length_problems(ctx)
    yield from _quantize_problems(ctx)
    yield from _attention_problems(ctx)
    yield from _fallback_problems(ctx)
    yield from _adapter_problems(ctx)
    yield from _port_problems(ctx)


def _quantize_problems(ctx: EngineContext) -> Iterator[Problem]:
    quantize, dtype, capability = ctx.text("quantize"), ctx.text("dtype"), ctx.instance.compute_capability
    if quantize and dtype and not (quantize in BITSANDBYTES and ctx.version >= (1, 2, 0)):
        yield Problem(
            "options.dtype",
            dtype,
            f"cannot be combined with quantize={quantize!r}, which decides the type",
            "Leave out one of the two.",
        )
    if capability is None:
        return
    gpu = f"{ctx.instance.name} ({ctx.instance.accelerator}, compute capability {capability[0]}.{capability[1]})"
    if dtype == "bfloat16" and has_old_gpu(ctx):
        yield Problem("options.dtype", dtype, f"{gpu} has no bfloat16", "Use float16, or a newer GPU.")
    needed = _capability_of_kernels(ctx, quantize)
    if needed is not None and capability < needed:
        yield Problem(
            "options.quantize",
            quantize,
            f"{gpu} cannot run its kernels, which need compute capability {needed[0]}.{needed[1]}",
            "Use a newer GPU.",
        )


def _capability_of_kernels(ctx: EngineContext, quantize: str | None) -> tuple[int, int] | None:
    """What the kernels of a kind need; Marlin's take FP8 weights from 2.2 on (`layers/fp8.py` at v2.1.1 and v2.2.0)."""
    if quantize == Quantization.FP8 and ctx.version < (2, 2, 0):
        return (8, 9)
    return (8, 0) if quantize in (Quantization.FP8, Quantization.MARLIN) else None


def _attention_problems(ctx: EngineContext) -> Iterator[Problem]:
    attention = attention_of(ctx)
    chosen = "attention='paged'" if ctx.text("attention") else f"attention='paged', which {ctx.instance.name} needs"
    if ctx.values.get("prefix_caching") is True and attention == Attention.PAGED:
        yield Problem(
            "options.prefix_caching",
            True,
            f"does not work with {chosen}",
            "Leave prefix_caching out, or set it to False.",
        )
    if ctx.text("kv_cache_dtype"):
        yield from _cache_problems(ctx, chosen)
    if has_old_gpu(ctx) and attention not in (Attention.PAGED, None):
        yield Problem(
            "options.attention",
            attention,
            f"{ctx.instance.name} ({ctx.instance.accelerator}) is older than Ampere and runs paged attention only",
            "Leave it out.",
        )


def _cache_problems(ctx: EngineContext, chosen: str) -> Iterator[Problem]:
    attention = attention_of(ctx)
    forced = attention is None and _takes_flashdecoding(ctx)
    kernels = Attention.FLASHDECODING if forced else attention
    if kernels not in _attention_without_fp8(ctx):
        return
    words = f"attention='flashdecoding', which TGI chooses for {ctx.facts.hub_id}" if forced and ctx.facts else chosen
    yield Problem(
        "options.kv_cache_dtype",
        ctx.text("kv_cache_dtype"),
        f"does not work with {words.replace('paged', str(kernels))}",
        "Leave attention out, or use flashinfer." if ctx.text("attention") else "Leave it out.",
    )


def _takes_flashdecoding(ctx: EngineContext) -> bool:
    """Whether the launcher chooses flashdecoding (`launcher/src/main.rs`, resolve_attention, the same since 2.3)."""
    if ctx.facts is None or not is_flash(ctx, ctx.facts):
        return False
    return ctx.facts.head_dim not in _FLASHINFER_HEADS or support_of(ctx.facts).needs_flashdecoding


def _attention_without_fp8(ctx: EngineContext) -> tuple[Attention, ...]:
    """Kernels that read no FP8 cache (`layers/attention/kv_cache.py`; paged attention does from 3.1 on)."""
    return (Attention.FLASHDECODING,) if ctx.version >= (3, 1, 0) else (Attention.FLASHDECODING, Attention.PAGED)


def _fallback_problems(ctx: EngineContext) -> Iterator[Problem]:
    facts = ctx.facts
    if facts is None or not falls_back(ctx, facts):
        return
    why = f"TGI {format_version(ctx.version)} leaves {facts.model_type} models to transformers"
    quantize, speculate, published = ctx.text("quantize"), ctx.number("speculate"), facts.published_quantization
    if published in _NOT_LEFT_TO_TRANSFORMERS:
        yield Problem(
            "model",
            facts.hub_id,
            f"its weights were published as {published}, but {why} and then does not load them",
            "Use the repository with the uncompressed weights; bitsandbytes compresses them while loading.",
        )
    elif quantize not in (None, Quantization.BITSANDBYTES):
        yield Problem(
            "options.quantize",
            quantize,
            f"{why}, for which it takes bitsandbytes only",
            "Leave it out, or use bitsandbytes.",
        )
    if speculate:
        yield Problem("options.speculate", speculate, f"{why}, which do not support speculation", "Leave it out.")


def _adapter_problems(ctx: EngineContext) -> Iterator[Problem]:
    adapters = ctx.values.get("lora_adapters")
    if "lora_adapters" in ctx.unknown or not isinstance(adapters, Sequence):
        return
    offline = "weights come from S3 with HF_HUB_OFFLINE=1" if ctx.model.source == "s3" else None
    offline = offline or ("network isolation cuts the container off" if ctx.network_isolation else None)
    for adapter in filter(lambda one: isinstance(one, str), adapters):
        if found := _adapter_form_problem(ctx, adapter):
            yield found
        elif offline and "=" not in adapter:
            yield Problem(
                "options.lora_adapters",
                adapter,
                f"is downloaded from the hub, but {offline}",
                "Put it beside the weights and write name=/opt/ml/model/….",
            )
    if ctx.facts and not is_flash(ctx, ctx.facts):
        yield Problem(
            "options.lora_adapters",
            adapters,
            f"TGI does not support adapters for {ctx.facts.model_type} models",
            "Leave it out, or merge the adapter into the weights.",
        )


def _adapter_form_problem(ctx: EngineContext, adapter: str) -> Problem | None:
    """What is wrong with the form of an adapter.

    Source: TGI `utils/adapter.py` (load_module_map) and `launcher/src/main.rs`, 2.1.0 to 3.3.6: a folder without a name
    is looked for in the hub's cache, and what has a name is not downloaded.
    """
    keyword, (name, _, path) = "options.lora_adapters", adapter.partition("=")
    is_folder = not path and name.startswith(("/", ".", "~"))
    if ctx.version < _ADAPTER_FORMS and (path or is_folder or "@" in adapter):
        message = f"TGI {format_version(ctx.version)} takes hub ids only, without a name, path or revision"
        return Problem(keyword, adapter, message, "Use a newer image, or write the adapter's hub id.")
    if is_folder:
        message = "is a folder without a name; TGI takes it for a repository on the hub"
        folder = name if name.startswith("/") else "/opt/ml/model/…"
        return Problem(keyword, adapter, message, f"Write name={folder}; requests choose the adapter by that name.")
    if path and not path.startswith("/"):
        message = "has a name, so it must be a folder of the container: TGI does not download it"
        return Problem(keyword, adapter, message, f"Write {path!r} for a repository on the hub, without a name.")
    return None


def _port_problems(ctx: EngineContext) -> Iterator[Problem]:
    taken = {8080: "SageMaker's own"}
    for keyword in ("prometheus_port", "master_port"):
        port = ctx.number(keyword)
        if port in taken:
            yield Problem(f"options.{keyword}", port, f"is taken: it is {taken[port]}", "Choose another port.")
        elif port:
            taken[port] = f"options.{keyword}"
