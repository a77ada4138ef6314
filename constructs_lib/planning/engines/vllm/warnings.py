"""What is legal but risky about serving a model with vLLM.

Sources: aws/deep-learning-containers at e0ecedea, `scripts/docker/huggingface/vllm/hf_optimizations.sh` (LMCache);
supervisord with the settings of model-hosting-container-standards 0.1.16; vLLM 0.30.0 `vllm/config/scheduler.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.common_warnings import idle_gpu_warnings, remote_code_warnings
from constructs_lib.planning.engines.sagemaker_arguments import Reading
from constructs_lib.planning.engines.vllm.images import entrypoint_of
from constructs_lib.planning.engines.vllm.options import VllmLogLevel
from constructs_lib.planning.engines.vllm.queue import has_queue_limit, queue_limit
from constructs_lib.planning.engines.vllm.version_rules import version_warnings
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.validation.problem import PlanWarning


def option_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    """What is risky about options, model, image and GPUs."""
    yield from version_warnings(ctx)
    memory_model = ctx.engine.memory_model
    yield from idle_gpu_warnings(ctx, memory_model.shards(ctx) * memory_model.copies(ctx))
    yield from _queue_warnings(ctx)
    yield from _adapter_warnings(ctx)
    yield from _privacy_warnings(ctx)
    yield from _image_warnings(ctx)
    yield from remote_code_warnings(ctx)


def _queue_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    if has_queue_limit(ctx):
        if queue_limit(ctx) is None and not ctx.given("max_num_queued_reqs"):
            yield PlanWarning(
                "tgi-endpoint:unboundedQueue",
                "max_num_seqs is known only at deployment, so the plan sets no limit of the queue that follows from it:"
                " under overload requests wait until they time out. Set max_num_queued_reqs.",
            )
        return
    yield PlanWarning(
        "tgi-endpoint:unboundedQueue",
        f"vLLM {format_version(ctx.version)} refuses no request because too many wait: under overload requests wait"
        " until they time out, instead of getting an error at once. From 0.29.0 on there is a limit"
        " (max_num_queued_reqs). Let the endpoint scale before requests queue.",
    )


def _adapter_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    if ctx.given("lora_modules"):
        yield PlanWarning(
            "tgi-endpoint:unreachableAdapters",
            "At /invocations vLLM takes the name of an adapter from a header that SageMaker sets for inference"
            " components of adapters only, and answers from the model itself whatever a request says. No front door"
            " offers adapters of lora_modules. Use adapters of VllmEndpoint.",
        )


def _privacy_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    if ctx.values.get("enable_log_outputs") is True:
        what = "the text of answers"
    elif ctx.values.get("enable_log_requests") is True and ctx.text("log_level") == VllmLogLevel.DEBUG:
        what = "the text of prompts"
    else:
        return
    yield PlanWarning(
        "tgi-endpoint:textsLogged",
        f"With these options vLLM writes {what} to CloudWatch Logs, where everybody who may read the log group can"
        " read it.",
    )


def _image_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    version = format_version(ctx.version)
    if entrypoint_of(ctx).reading is Reading.VALUES:
        yield PlanWarning(
            "tgi-endpoint:oldEntrypoint",
            f"The entrypoint of images of vLLM {version} passes every variable on as it is: a flag that is set to true"
            " in `environment` stops the server, and no model is found in S3 by itself. The plan writes what it reads;"
            " a newer image is safer.",
        )
    if ctx.values.get("process_auto_recovery") is True:
        yield PlanWarning(
            "tgi-endpoint:restartsForEver",
            "With process_auto_recovery the supervisor starts vLLM again for ever, also after a wrong option: a"
            " deployment then fails only when startup_timeout is over, and a model that crashes again and again keeps"
            " its instance.",
        )
    if ctx.values.get("lmcache") is True:
        yield PlanWarning(
            "tgi-endpoint:lmcacheTakesHostMemory",
            f"LMCache takes half of the memory of {ctx.instance.name}'s host, and more memory of the GPU for models"
            " with sliding windows. HF_LMCACHE_CPU_FRACTION in `environment` is that share.",
        )
