"""Rules between SGLang's options, model and instance.

Sources: SGLang `python/sglang/srt/configs/model_config.py` (`_verify_quantization`), `srt/server_args.py` and
`srt/arg_groups/argparse_actions.py` (LoRAPathAction), `srt/layers/quantization/*.py` (get_min_capability) at 0.5.8 to
0.5.20.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.model_rules import format_problems, length_problems
from constructs_lib.planning.engines.offline import download_problems
from constructs_lib.planning.engines.sglang.launcher_options import ENTRYPOINT
from constructs_lib.planning.engines.sglang.memory_settings import copies
from constructs_lib.planning.engines.sglang.options import SglangQuantization
from constructs_lib.planning.validation.problem import Problem

_AMPERE = (8, 0)
"""Compute capability of the first GPUs with bfloat16."""

_PUBLISHED_AS = {
    SglangQuantization.AWQ: "awq",
    SglangQuantization.AWQ_MARLIN: "awq",
    SglangQuantization.GPTQ: "gptq",
    SglangQuantization.GPTQ_MARLIN: "gptq",
    SglangQuantization.COMPRESSED_TENSORS: "compressed-tensors",
}
_CAPABILITY = {
    SglangQuantization.AWQ_MARLIN: (8, 0),
    SglangQuantization.GPTQ_MARLIN: (8, 0),
    SglangQuantization.FP8: (8, 0),
    SglangQuantization.W8A8_FP8: (8, 9),
}
"""Least compute capability of kernels that do not run on every GPU."""


def published_as(quantization: object) -> str | None:
    """The format in which weights must be published for that value of the option; None if it does not say."""
    return _PUBLISHED_AS.get(SglangQuantization(quantization)) if isinstance(quantization, str) else None


def option_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Which rules between options, model and instance are broken."""
    yield from _entrypoint_problems(ctx)
    yield from _copies_problems(ctx)
    yield from _gpu_problems(ctx)
    yield from format_problems(ctx, "quantization", published_as(ctx.text("quantization")), reader="SGLang")
    yield from length_problems(ctx, "context_length", overrides="json_model_override_args")
    yield from _adapter_problems(ctx)
    yield from _draft_problems(ctx)


def _entrypoint_problems(ctx: EngineContext) -> Iterator[Problem]:
    """What the image's entrypoint would not give the server as it is."""
    when_off = "Leave it out: a flag that is not given is off."
    yield from ENTRYPOINT.extra_problems(ctx.values.get("extra_args"), when_off=when_off)


def _copies_problems(ctx: EngineContext) -> Iterator[Problem]:
    count, shards, gpus = copies(ctx), ctx.number("tp_size"), ctx.instance.accelerator_count
    if count == 1 or "tp_size" in ctx.unknown or gpus is None:
        return
    if shards is None:
        message = (
            f"takes a part of the {gpus} GPUs of {ctx.instance.name} for each copy, so tp_size has to say how many"
        )
        yield Problem("options.dp_size", count, message, "Set options.tp_size.")
    elif count * shards > gpus:
        message = f"needs {count * shards} GPUs with tp_size={shards}, but {ctx.instance.name} has {gpus}"
        yield Problem("options.dp_size", count, message, f"Lower it to {max(1, gpus // shards)} or less.")


def _gpu_problems(ctx: EngineContext) -> Iterator[Problem]:
    capability = ctx.instance.compute_capability
    if capability is None:
        return
    gpu = f"{ctx.instance.name} ({ctx.instance.accelerator}, compute capability {capability[0]}.{capability[1]})"
    if (dtype := ctx.text("dtype")) == "bfloat16" and capability < _AMPERE:
        yield Problem("options.dtype", dtype, f"{gpu} has no bfloat16", "Use float16, or a newer GPU.")
    kind = ctx.text("quantization")
    needed = _CAPABILITY.get(SglangQuantization(kind)) if kind else None
    if needed is not None and capability < needed:
        message = f"{gpu} cannot run its kernels, which need compute capability {needed[0]}.{needed[1]}"
        yield Problem("options.quantization", kind, message, "Use a newer GPU.")


def _adapter_problems(ctx: EngineContext) -> Iterator[Problem]:
    adapters = ctx.values.get("lora_paths")
    if "lora_paths" in ctx.unknown or not isinstance(adapters, Sequence):
        return
    if len(adapters) > 1:
        message = "has several adapters, of which the entrypoint of this image makes one argument"
        fix = "Give one, or serve each adapter with an endpoint of its own."
        yield Problem("options.lora_paths", adapters, message, fix)
    yield from download_problems(ctx, "options.lora_paths", adapters[0], str(adapters[0]).partition("=")[2])


def _draft_problems(ctx: EngineContext) -> Iterator[Problem]:
    draft = ctx.text("speculative_draft_model_path")
    if draft is not None:
        yield from download_problems(ctx, "options.speculative_draft_model_path", draft, draft)
