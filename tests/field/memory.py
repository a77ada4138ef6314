"""Cases of the kind `memory`: what vLLM and SGLang logged about the memory of a GPU of any kind."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from constructs_lib.planning.engines.vllm.memory_model import VllmMemoryModel
from constructs_lib.planning.engines.vllm.memory_settings import VllmContainer
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelFacts, facts_from_row, known_model
from constructs_lib.planning.sizing.memory import context_for, fit_memory, full_version, plan_memory
from tests.constructs_lib.planning.engines.sized_engine import SGLANG, VLLM, SglangSizes, SizedEngine, VllmSizes

TOLERANCE = 0.1
"""Of the tokens, or of the memory of the cache, unless a case has another with its reason."""

_SHARE = 0.97
"""Of a GPU's memory that CUDA shows, if the catalogue does not have the GPU (`hardware.gpu_memory`)."""


def deviations(case: dict[str, Any]) -> list[str]:
    """How the plan differs from the report. The warning that it may not start is right for either outcome."""
    memory, expect = plan_of(case), case["expect"]
    found = []
    if expect["starts"] and memory.is_too_large:
        found.append(f"{memory.shortfall / GIB:.1f} GiB are missing")
    if not expect["starts"] and not memory.is_too_large and not memory.is_tight:
        found.append("it fits")
    error = error_of(case, memory)
    if error is not None and abs(error) > expect.get("tolerance", TOLERANCE):
        found.append(f"the cache differs by {error:+.0%}")
    return found


def plan_of(case: dict[str, Any]) -> MemoryPlan:
    """The memory plan of what was started, whatever of it fits."""
    facts, gpu = facts_of(case), case["gpu"]
    instance = InstanceType.of(
        "ml.other.xlarge",
        accelerator=gpu["name"],
        accelerator_count=gpu["count"],
        memory_gib=gpu["visible_gib"] / _SHARE,
        compute_capability=tuple(gpu["compute_capability"]),
    )
    engine = _engine(case)
    sizes = {"vllm": VllmSizes, "sglang": SglangSizes}[case["engine"]](**case.get("options", {}))
    ctx = context_for(engine, facts, instance, sizes, full_version(case["version"]))
    shards = engine.memory_model.shards(ctx)
    # vLLM does not start if one request does not fit; SGLang does, so its plan may shorten them.
    return fit_memory(ctx, facts, shards)[1] if case["engine"] == "sglang" else plan_memory(ctx, facts, shards)


def _engine(case: dict[str, Any]) -> SizedEngine:
    if case["engine"] == "sglang":
        return SGLANG
    if "v1" not in case:
        return VLLM
    return SizedEngine("vLLM", VllmMemoryModel(VllmContainer(v1=case["v1"])), VllmSizes)


def facts_of(case: dict[str, Any]) -> ModelFacts:
    """The catalogue's facts of the model, or of the one that it is like, with what the case says otherwise."""
    known = known_model(case.get("like", case["model"]))
    if known is None:
        return facts_from_row(case["facts"])
    changed = facts_from_row({**asdict(known), **case.get("facts", {})})
    return replace(changed, hub_id=case["model"])


def error_of(case: dict[str, Any], memory: MemoryPlan) -> float | None:
    """How far the estimate is from what was printed, as a share of it; None if nothing was printed."""
    expect = case["expect"]
    if "max_tokens" in expect:
        return float(memory.max_tokens / expect["max_tokens"] - 1)
    if "available_gib" in expect:
        return float(memory.free_for_tokens / GIB / expect["available_gib"] - 1)
    return None
