"""A plan with invented figures, which do not change with the rules or the catalogue."""

from constructs_lib.cli.arguments import PlanArguments
from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.memory_plan import CacheLayout, MemoryPlan
from constructs_lib.planning.models.facts import known_model
from constructs_lib.planning.sizing.candidates import Candidate

GIB = 2**30


def request(
    *, tokens: int | None = 8192, concurrency: int | None = 4, hub_id: str = "tiiuae/falcon-7b"
) -> PlanArguments:
    facts = known_model(hub_id)
    assert facts is not None
    return PlanArguments(engine_named("tgi"), facts, (), tokens, concurrency, TgiOptions(), "3.3.6", None)


def memory(*, weights: float = 8, kv_bytes: int = 2**16, asked_tokens: int = 8192) -> MemoryPlan:
    """A GPU of 20 GiB, of which TGI uses 18: 1 for CUDA, 1 for the prefill."""
    return MemoryPlan(
        gpu_memory=20 * GIB,
        usable=18 * GIB,
        weights=int(weights * GIB),
        runtime=GIB,
        prefill=GIB,
        peak=GIB,
        prefill_tokens=4096,
        warm_up_tokens=4096,
        min_tokens=4096,
        cache=CacheLayout(kv_bytes),
        max_tokens=max(0, int((16 - weights) * GIB / kv_bytes)),
        context=8192,
        asked_tokens=asked_tokens,
        loading_peak=int(weights * GIB),
        host_peak=0,
        download=int(weights * GIB),
        uncertainty=GIB // 2,
        static=False,
    )


def fitting(instance: InstanceType, **more: object) -> Candidate:
    values = {"num_shard": instance.accelerator_count, "memory": memory(), "concurrency": 16}
    values |= {"price_usd_per_hour": instance.price_usd_per_hour, "fits": True, "reason": None}
    return Candidate(instance=instance, **(values | more))


def misfit(instance: InstanceType, reason: str, **more: object) -> Candidate:
    return fitting(instance, **({"fits": False, "reason": reason, "memory": None, "num_shard": 0} | more))
