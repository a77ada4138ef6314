from __future__ import annotations

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import EndpointRequest, plan
from constructs_lib.planning.scaling.concurrency import FACTOR, concurrency_target, low_concurrency


@pytest.fixture(scope="module")
def memory() -> MemoryPlan:
    model = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct")
    planned = plan(EndpointRequest(engine=TGI, model=model, instance=InstanceType.G5_2XLARGE)).memory
    assert planned is not None
    return planned


def test_the_target_is_a_share_of_what_the_cache_holds(memory: MemoryPlan) -> None:
    held = memory.concurrent_requests(2048)
    assert held > 10
    assert concurrency_target(memory, 2048, 128) == int(FACTOR * held)
    assert concurrency_target(memory, 2048, None) == int(FACTOR * held)


def test_the_container_accepts_no_more_than_max_concurrent_requests(memory: MemoryPlan) -> None:
    assert concurrency_target(memory, 2048, 10) == 8


def test_the_target_is_at_least_one_and_there_is_none_for_requests_that_do_not_fit(memory: MemoryPlan) -> None:
    assert concurrency_target(memory, memory.context, 1) == 1
    assert concurrency_target(memory, memory.context + 1, 128) is None


@pytest.mark.parametrize(("target", "low"), [(1, 1), (2, 2), (3, 2.5), (4, 3), (8, 5), (32, 17), (0.5, 0.5)])
def test_one_is_removed_below_half_of_the_target_plus_one_and_never_at_the_target(target: float, low: float) -> None:
    assert low_concurrency(target) == low
