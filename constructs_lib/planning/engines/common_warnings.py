"""What is risky with every engine alike."""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.validation.problem import PlanWarning


def idle_gpu_warnings(ctx: EngineContext, used: int) -> Iterator[PlanWarning]:
    """GPUs that are paid for and idle.

    Args:
        ctx: The context.
        used: GPUs that the container uses.
    """
    gpus = ctx.instance.accelerator_count
    if gpus is not None and used < gpus:
        yield PlanWarning(
            "tgi-endpoint:idleGpus",
            f"{ctx.instance.name} has {gpus} GPUs, the model uses {used}: the others are paid for and idle.",
        )


def remote_code_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    """Code of a repository that may change between two starts, or is not there, by the option trust_remote_code."""
    if ctx.values.get("trust_remote_code") is not True:
        return
    if not ctx.model.has_code:
        yield PlanWarning(
            "tgi-endpoint:codeNotStaged",
            "trust_remote_code runs the code of the model's repository, which is not copied with the weights. If the"
            " model needs it, copy it: Model.staged(…, trust_remote_code=True).",
        )
    if ctx.model.source == "hub" and ctx.model.revision is None:
        yield PlanWarning(
            "tgi-endpoint:trustsUnpinnedCode",
            "trust_remote_code runs whatever code the model's repository contains when an instance starts. Pin it:"
            " Model.from_hub(…, revision=commit).",
        )
