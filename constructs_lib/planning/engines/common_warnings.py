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


def unpinned_code_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    """Code of a repository that may change between two starts, by the option trust_remote_code."""
    if ctx.values.get("trust_remote_code") is True and ctx.model.source == "hub" and ctx.model.revision is None:
        yield PlanWarning(
            "tgi-endpoint:trustsUnpinnedCode",
            "trust_remote_code runs whatever code the model's repository contains when an instance starts. Pin it:"
            " Model.from_hub(…, revision=commit).",
        )
