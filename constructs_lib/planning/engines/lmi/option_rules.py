"""Rules between LMI's options, model and instance.

Sources: deepjavalibrary/djl-serving `engines/python/setup/djl_python/properties_manager/vllm_rb_properties.py` up to
d21927c4; vLLM `vllm/config/model.py` (`_verify_quantization`, `get_and_verify_max_len`) at 0.8.4 to 0.26.0.
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.extra_arguments import KEYWORD
from constructs_lib.planning.engines.lmi.environment import SEQUENCES
from constructs_lib.planning.engines.lmi.launcher_options import ON_BY_DEFAULT
from constructs_lib.planning.engines.lmi.options import LmiQuantization
from constructs_lib.planning.engines.lmi.releases import OLDEST, WRITES_FALSE, vllm_version
from constructs_lib.planning.engines.model_rules import format_problems, length_problems
from constructs_lib.planning.engines.offline import draft_problems
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.validation.problem import Problem

_TURING, _AMPERE = (7, 5), (8, 0)
"""Compute capability of the first GPUs with the kernels of Marlin in vLLM 0.14 and later, and of those with bfloat16,
which are the first with Marlin before (get_min_capability)."""

_MARLIN_ON_TURING_SINCE = (0, 14, 0)

_PUBLISHED_AS = {
    LmiQuantization.AWQ: "awq",
    LmiQuantization.AWQ_MARLIN: "awq",
    LmiQuantization.GPTQ: "gptq",
    LmiQuantization.GPTQ_MARLIN: "gptq",
    LmiQuantization.COMPRESSED_TENSORS: "compressed-tensors",
}
_BY_MARLIN = frozenset((LmiQuantization.AWQ_MARLIN, LmiQuantization.GPTQ_MARLIN, LmiQuantization.FP8))


def published_as(quantize: object) -> str | None:
    """The format in which weights must be published for that value of the option; None if it does not say."""
    return _PUBLISHED_AS.get(LmiQuantization(quantize)) if isinstance(quantize, str) else None


def option_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Which rules between options, model and instance are broken."""
    yield from _version_problems(ctx)
    yield from _false_problems(ctx)
    yield from _gpu_problems(ctx)
    yield from format_problems(ctx, "quantize", published_as(ctx.text("quantize")), reader="vLLM")
    yield from length_problems(ctx, "max_model_len", overrides="hf_overrides")
    yield from _batch_problems(ctx)
    yield from _timeout_problems(ctx)
    yield from draft_problems(ctx, "speculative_config")


def _version_problems(ctx: EngineContext) -> Iterator[Problem]:
    if ctx.version < OLDEST:
        yield Problem(
            "image",
            format_version(ctx.version),
            f"LMI before {format_version(OLDEST)} has no asynchronous mode, so that its answers, streams and limits are"
            " others than those that are known here",
            f"Use {ctx.images.construct}.version({format_version(OLDEST)!r}) or newer.",
        )


def _false_problems(ctx: EngineContext) -> Iterator[Problem]:
    if ctx.version >= WRITES_FALSE:
        return
    extra = ctx.values.get("extra_args")
    given = {f"options.{name}": ctx.values.get(name) for name in ON_BY_DEFAULT}
    given |= {f"{KEYWORD}[{name!r}]": text for name, text in extra.items()} if isinstance(extra, dict) else {}
    for keyword, value in given.items():
        if value is False or str(value).lower() == "false":
            message = f"LMI {format_version(ctx.version)} drops it, and vLLM's default stays in force"
            yield Problem(keyword, value, message, f"Use LMI {format_version(WRITES_FALSE)} or newer, or leave it out.")


def _gpu_problems(ctx: EngineContext) -> Iterator[Problem]:
    capability = ctx.instance.compute_capability
    if capability is None:
        return
    gpu = f"{ctx.instance.name} ({ctx.instance.accelerator}, compute capability {capability[0]}.{capability[1]})"
    if (dtype := ctx.text("dtype")) == "bf16" and capability < _AMPERE:
        yield Problem("options.dtype", dtype, f"{gpu} has no bfloat16", "Use fp16, or a newer GPU.")
    needed = _TURING if vllm_version(ctx.version) >= _MARLIN_ON_TURING_SINCE else _AMPERE
    if (kind := ctx.text("quantize")) in _BY_MARLIN and capability < needed:
        message = f"{gpu} cannot run its kernels, which need compute capability {needed[0]}.{needed[1]}"
        yield Problem("options.quantize", kind, message, "Use a newer GPU.")


def _batch_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Each request has a token of a step, which vLLM refuses to start without (`vllm/config/scheduler.py`)."""
    batched, running = ctx.number("max_rolling_batch_prefill_tokens"), ctx.number("max_rolling_batch_size")
    if batched is None or "max_rolling_batch_size" in ctx.unknown or batched >= (running or SEQUENCES):
        return
    yield Problem(
        "options.max_rolling_batch_prefill_tokens",
        batched,
        f"must be at least max_rolling_batch_size={running or SEQUENCES}, for each of which a step has a token",
        "Raise it, or set a smaller max_rolling_batch_size.",
    )


def _timeout_problems(ctx: EngineContext) -> Iterator[Problem]:
    loading, startup = ctx.number("model_loading_timeout"), ctx.startup_seconds
    if loading is not None and isinstance(startup, int) and loading > startup:
        yield Problem(
            "options.model_loading_timeout",
            loading,
            f"must be at most {startup}, the seconds of startup_timeout, after which SageMaker gives the instance up",
            "Lower it, raise startup_timeout, or leave it out.",
        )
