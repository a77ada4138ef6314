"""What is legal but risky about serving a model with SGLang.

Sources: SGLang `python/sglang/srt/entrypoints/http_server.py` (/ping, /invocations) and `srt/utils/watchdog.py` at
0.5.8 and 0.5.20; aws/deep-learning-containers `scripts/docker/sglang/sagemaker_entrypoint.sh` at e0ecedea.
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.common_warnings import idle_gpu_warnings, remote_code_warnings
from constructs_lib.planning.engines.sglang.images import HUGGING_FACE
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.validation.problem import PlanWarning

_WATCHDOG = 300


def option_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    """What is risky about options, model and GPUs."""
    version = format_version(ctx.version)
    yield PlanWarning(
        "tgi-endpoint:chatRoutesOnly",
        f"SGLang {version} answers chat requests only at /invocations. A front door offers /v1/chat/completions for"
        " this model; completions of a prompt, and TGI's routes that take one, are refused.",
    )
    yield PlanWarning("tgi-endpoint:healthNotChecked", _health(version))
    memory_model = ctx.engine.memory_model
    yield from idle_gpu_warnings(ctx, memory_model.shards(ctx) * memory_model.copies(ctx))
    yield from _option_warnings(ctx)
    if ctx.images == HUGGING_FACE:
        yield PlanWarning(
            "tgi-endpoint:unpublishedEntrypoint",
            f"The entrypoint of Hugging Face's image of SGLang {version} is not public. The plan takes it to read the"
            " variables of AWS's image; look at the arguments in the container's log after the first deployment.",
        )


def _health(version: str) -> str:
    return (
        f"The health check of SGLang {version} (/ping) answers as long as the HTTP server runs, also if no request can"
        " be served: SageMaker does not replace such an instance. Its watchdog ends a step that hangs, and the"
        " container starts again. Let alarms on errors and latency tell you: monitor of the endpoint or the front door."
    )


def _option_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    values = ctx.values
    yield from remote_code_warnings(ctx)
    if values.get("enable_metrics") is False:
        yield PlanWarning(
            "tgi-endpoint:noEngineMetrics",
            "Without enable_metrics SGLang has no metrics of tokens, queue and cache for SageMaker's detailed"
            " observability.",
        )
    extra = ctx.values.get("extra_args")
    if isinstance(extra, dict) and "log_requests" in extra:
        yield PlanWarning(
            "tgi-endpoint:textsLogged",
            "With log_requests SGLang writes prompts and answers to CloudWatch Logs, where everybody who may read the"
            " log group can read them. log_requests_level 0 and 1 leave them out.",
        )
    watchdog = ctx.fraction("watchdog_timeout", _WATCHDOG)
    if ctx.given("watchdog_timeout") and "watchdog_timeout" not in ctx.unknown and watchdog < _WATCHDOG:
        yield PlanWarning(
            "tgi-endpoint:shortWatchdog",
            f"SGLang stops itself after a step that takes longer than watchdog_timeout={watchdog:g} seconds, and every"
            f" request in progress is lost. A long prompt, or the first of its kind, may take that long; SGLang's own"
            f" limit is {_WATCHDOG}.",
        )
