"""What is legal but risky about serving a model with LMI.

Sources: deepjavalibrary/djl-serving `wlm/src/main/java/ai/djl/serving/wlm/` (ModelInfo, WorkLoadManager, WorkerThread),
`engines/python/src/main/java/ai/djl/python/engine/AsyncRequestManager.java` and
`engines/python/setup/djl_python/{async_utils.py,lmi_vllm/request_response_utils.py}` at d21927c4.
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.common_warnings import idle_gpu_warnings, remote_code_warnings
from constructs_lib.planning.engines.lmi.releases import NESTED_ERRORS, NEWEST_KNOWN, is_known, vllm_version
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.validation.problem import PlanWarning


def option_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    """What is risky about options, model and GPUs."""
    yield PlanWarning(
        "tgi-endpoint:lmiAnswers",
        "For callers that do not go through a front door: LMI writes a stream as one JSON object in a line, without"
        " data: and [DONE], and a body with inputs gets 30 tokens unless it has max_new_tokens.",
    )
    yield from _queue_warnings(ctx)
    yield from _gpu_warnings(ctx)
    if ctx.model.source == "s3":
        yield PlanWarning(
            "tgi-endpoint:servingProperties",
            "LMI takes settings from a serving.properties beside the weights before those of options, and runs a"
            " model.py there as its handler. Leave both out of the folder, or write there what you mean.",
        )
    yield from remote_code_warnings(ctx)
    first, fixed = NESTED_ERRORS
    if first <= ctx.version < fixed:
        yield PlanWarning(
            "tgi-endpoint:errorsWithoutReason",
            f"LMI {format_version(ctx.version)} answers a request that its vLLM refuses, such as one with too long a"
            " prompt, with a failure of its own instead of the reason. LMI 26 and newer name the reason.",
        )
    if not is_known(ctx.version):
        yield PlanWarning(
            "tgi-endpoint:unknownVllm",
            f"Which vLLM is in LMI {format_version(ctx.version)} is not published where this library looks. The plan"
            f" takes {format_version(vllm_version(ctx.version))}, that of LMI {NEWEST_KNOWN}.",
        )


def _queue_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    extra = ctx.values.get("extra_args")
    if isinstance(extra, dict) and "max_num_queued_reqs" in extra:
        return
    yield PlanWarning(
        "tgi-endpoint:unboundedQueue",
        "LMI passes every request on to vLLM at once, where any number of them waits: it refuses none under overload,"
        " and job_queue_size does not limit them. Limit requests in front of it, and let the endpoint scale.",
    )


def _gpu_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    gpus, shards = ctx.instance.accelerator_count, ctx.engine.memory_model.shards(ctx)
    if gpus is None or shards > gpus:
        return
    copies = 1 if ctx.values.get("enable_lora") is True else gpus // shards
    if copies > 1:
        yield PlanWarning(
            "tgi-endpoint:severalCopies",
            f"With tensor_parallel_degree={shards} LMI runs up to {copies} copies of the model on {ctx.instance.name}."
            " Each loads the weights for itself, into the same host's memory, and has a cache of its own.",
        )
    yield from idle_gpu_warnings(ctx, copies * shards)
