"""vLLM's rules between options, model, image and instance.

Sources: vLLM `vllm/config/*.py`, `vllm/engine/arg_utils.py` and `vllm/entrypoints/launchers/cli_args.py` at 0.30.0, and
the same at 0.13.0 to 0.29.0; aws/deep-learning-containers at e0ecedea, `scripts/docker/{vllm,huggingface/vllm}`;
model-hosting-container-standards 0.1.15 and 0.1.16 `supervisor` (what becomes of arguments: a percent sign ends it, and
the older one loses quotes).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.lora import RANKS
from constructs_lib.planning.engines.offline import download_problems, draft_problems
from constructs_lib.planning.engines.vllm.images import (
    QUOTES_SINCE,
    SUPERVISED_SINCE,
    entrypoint_of,
    is_hugging_faces,
)
from constructs_lib.planning.engines.vllm.launcher_options import OF_THE_IMAGE, OPTIONS
from constructs_lib.planning.engines.vllm.memory_settings import default_sequences
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.unknown import Unknown

_MISQUOTED = ((0, 24, 0), (0, 26, 0))
"""Images of Hugging Face's that were built before their entrypoint followed the supervisor's quoting (pull request
6464 of aws/deep-learning-containers)."""


def option_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Which rules between options, model, image and instance are broken."""
    yield from _entrypoint_problems(ctx)
    yield from _switch_problems(ctx)
    yield from _supervisor_problems(ctx)
    yield from _length_problems(ctx)
    yield from _batch_problems(ctx)
    yield from _copy_problems(ctx)
    yield from _tool_problems(ctx)
    yield from _adapter_problems(ctx)
    yield from _offline_problems(ctx)
    yield from _lmcache_problems(ctx)


def _entrypoint_problems(ctx: EngineContext) -> Iterator[Problem]:
    """What the image's entrypoint would not give the server as it is."""
    entrypoint = entrypoint_of(ctx)
    for option in OPTIONS:
        value = ctx.values.get(option.keyword)
        if value is None or option.keyword in OF_THE_IMAGE:
            continue
        if found := entrypoint.problem(f"options.{option.keyword}", option.keyword, value):
            yield found
    when_off = "Write 'no_{name}': 'true' if it is a flag that is on by default, else leave it out."
    yield from entrypoint.extra_problems(ctx.values.get("extra_args"), when_off=when_off)


def _switch_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Options whose variables are there or not, so that the template cannot leave them to a parameter."""
    for keyword in ("usage_stats", "allow_runtime_lora_updating", "lmcache"):
        if isinstance(value := ctx.values.get(keyword), Unknown):
            message = "must be known at synth, as it decides which variables the container has"
            yield Problem(f"options.{keyword}", value, message, "Write True or False.")


def _supervisor_problems(ctx: EngineContext) -> Iterator[Problem]:
    """What the supervisor makes of arguments, if it is asked to start vLLM."""
    if ctx.values.get("process_auto_recovery") is not True:
        return
    if ctx.version < SUPERVISED_SINCE:
        message = f"images of vLLM {format_version(ctx.version)} have no supervisor; the first that has is 0.20.1"
        yield Problem("options.process_auto_recovery", True, message, "Leave it out, or choose a newer image.")
        return
    for option in OPTIONS:
        value = ctx.values.get(option.keyword)
        if value is None or isinstance(value, bool | Unknown) or option.keyword in OF_THE_IMAGE:
            continue
        text = option.rule.to_env(value) if not isinstance(value, str) else value
        if why := _why_supervisor_fails(ctx, text):
            fix = "Leave process_auto_recovery out, so that no supervisor is between."
            yield Problem(f"options.{option.keyword}", value, why, fix)


def _why_supervisor_fails(ctx: EngineContext, text: str) -> str | None:
    if "%" in text:
        return "has a percent sign, with which the supervisor of process_auto_recovery does not start"
    if ctx.version < QUOTES_SINCE and any(one in text for one in " \t\n\"'\\"):
        return (
            f"has blanks or quotes, which the supervisor of process_auto_recovery loses in images of vLLM"
            f" {format_version(ctx.version)}"
        )
    return None


def _length_problems(ctx: EngineContext) -> Iterator[Problem]:
    length, facts = ctx.number("max_model_len"), ctx.facts
    if length is None or facts is None or ctx.given("hf_overrides") or length <= facts.max_positions:
        return
    yield Problem(
        "options.max_model_len",
        length,
        f"is more than the {facts.max_positions} tokens of {facts.hub_id}, for which vLLM does not start",
        f"Lower it to {facts.max_positions}, or stretch the model's positions with hf_overrides.",
    )


def _batch_problems(ctx: EngineContext) -> Iterator[Problem]:
    batched, sequences = ctx.number("max_num_batched_tokens"), ctx.number("max_num_seqs")
    if batched is None or "max_num_seqs" in ctx.unknown:
        return
    running = sequences or default_sequences(ctx)
    if sequences is not None and batched < sequences:
        message = f"must be at least max_num_seqs={running}, for each of which a step has a token"
        yield Problem("options.max_num_batched_tokens", batched, message, "Raise it, or lower max_num_seqs.")
    if ctx.values.get("enable_chunked_prefill") is not False:
        return
    length = ctx.number("max_model_len")
    if not ctx.given("max_model_len") and ctx.facts is not None and batched < ctx.facts.max_positions:
        message = f"may be less than the longest request, up to {ctx.facts.max_positions} tokens by the model, and"
        message += " enable_chunked_prefill=False leaves prompts whole"
        fix = f"Set max_model_len to {batched} or less, raise it, or let prompts be split."
        yield Problem("options.max_num_batched_tokens", batched, message, fix)
    elif length is not None and batched < length:
        message = f"must be at least max_model_len={length}, as enable_chunked_prefill=False leaves prompts whole"
        yield Problem("options.max_num_batched_tokens", batched, message, "Raise it, or let prompts be split.")


def _copy_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Copies of the model on one instance."""
    copies, gpus = ctx.number("data_parallel_size"), ctx.instance.accelerator_count
    if copies is None or copies == 1:
        return
    if not ctx.given("tensor_parallel_size"):
        message = "needs tensor_parallel_size: by default every GPU of the instance shares one copy"
        yield Problem("options.data_parallel_size", copies, message, "Give the GPUs of each copy.")
        return
    needed = copies * ctx.engine.memory_model.shards(ctx)
    if gpus is not None and needed > gpus:
        message = f"needs {needed} GPUs, but {ctx.instance.name} has {gpus}"
        yield Problem("options.data_parallel_size", copies, message, "Lower it, or tensor_parallel_size.")


def _tool_problems(ctx: EngineContext) -> Iterator[Problem]:
    if ctx.values.get("enable_auto_tool_choice") is True and not ctx.given("tool_call_parser"):
        message = "needs tool_call_parser, without which vLLM does not start"
        yield Problem("options.enable_auto_tool_choice", True, message, "Say how the model writes tool calls.")
    if ctx.values.get("enable_log_outputs") is True and ctx.values.get("enable_log_requests") is not True:
        message = "needs enable_log_requests=True, without which vLLM does not start"
        yield Problem("options.enable_log_outputs", True, message, "Leave it out: answers do not belong in a log.")


def _adapter_problems(ctx: EngineContext) -> Iterator[Problem]:
    rank, loras, cpu = ctx.number("max_lora_rank"), ctx.number("max_loras") or 1, ctx.number("max_cpu_loras")
    if rank is not None and rank not in RANKS:
        message = f"must be one of {', '.join(map(str, RANKS))}"
        fix = f"Write {min((one for one in RANKS if one >= rank), default=RANKS[-1])}."
        yield Problem("options.max_lora_rank", rank, message, fix)
    if cpu is not None and cpu < loras:
        message = f"must be at least max_loras={loras}"
        yield Problem("options.max_cpu_loras", cpu, message, "Raise it, or leave it out.")
    for keyword in ("lora_modules", "allow_runtime_lora_updating"):
        if ctx.values.get("enable_lora") is False and ctx.given(keyword):
            yield Problem("options.enable_lora", False, f"contradicts {keyword}", "Leave it out.")


def _offline_problems(ctx: EngineContext) -> Iterator[Problem]:
    """What would come from the hub where the container does not reach it."""
    for adapter in _texts(ctx.values.get("lora_modules")):
        yield from download_problems(ctx, "options.lora_modules", adapter, adapter.partition("=")[2])
    yield from draft_problems(ctx, "speculative_config")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield from (one for one in value if isinstance(one, str))


def _lmcache_problems(ctx: EngineContext) -> Iterator[Problem]:
    if ctx.values.get("lmcache") is not True:
        return
    first, fixed = _MISQUOTED
    if not is_hugging_faces(ctx):
        message = "is what Hugging Face's image sets up; this one does not read it"
        yield Problem("options.lmcache", True, message, "Use VllmImage.hugging_face, or kv_transfer_config.")
    elif ctx.given("kv_transfer_config"):
        message = "is a connector, and kv_transfer_config is another; vLLM takes one"
        yield Problem("options.lmcache", True, message, "Leave out one of the two.")
    elif ctx.values.get("process_auto_recovery") is True and first <= ctx.version < fixed:
        message = f"does not start under the supervisor of Hugging Face's image {format_version(ctx.version)}"
        yield Problem("options.lmcache", True, message, "Leave process_auto_recovery out, or choose a newer image.")
