from __future__ import annotations

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointPlan, EndpointRequest
from constructs_lib.planning.scaling.concurrency import FACTOR
from constructs_lib.planning.scaling.limits import (
    count_problems,
    default_target,
    limit_problems,
    longest_request,
    request_tokens_problems,
)
from constructs_lib.planning.validation.unknown import UNKNOWN


@pytest.fixture(scope="module")
def qwen() -> EndpointPlan:
    model = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct")
    return plan(EndpointRequest(engine=TGI, model=model, instance=InstanceType.G5_2XLARGE))


def limits(minimum: object, maximum: object, lowest: int = 1) -> list[str]:
    keywords = ("min_copies", "max_copies")
    return [str(each) for each in limit_problems(minimum, maximum, keywords=keywords, unit="copies", lowest=lowest)]


@pytest.mark.parametrize(("minimum", "maximum"), [(1, 1), (1, 4), (UNKNOWN, 2), (3, UNKNOWN)])
def test_limits_in_order_are_right_and_unknown_ones_are_not_checked(minimum: object, maximum: object) -> None:
    assert not limits(minimum, maximum)


def test_the_least_is_one_unless_nothing_is_allowed() -> None:
    assert limits(0, 0) == [
        "min_copies=0: must be from 1 to 4294967295 copies. Raise it to 1 or more.",
        "max_copies=0: must be from 1 to 4294967295 copies. Raise it to 1 or more.",
    ]
    assert limits(0, 0, lowest=0) == ["max_copies=0: must be from 1 to 4294967295 copies. Raise it to 1 or more."]
    assert not limits(0, 1, lowest=0)


def test_limits_out_of_order_are_one_problem() -> None:
    assert limits(3, 2) == ["min_copies=3: must be at most max_copies=2. Lower min_copies, or raise max_copies."]


def test_a_count_is_compared_with_limits_that_are_right_and_known() -> None:
    assert [each.value for each in count_problems(5, 1, 4)] == [5]
    for count, minimum, maximum in ((1, 1, 4), (4, 1, 4), (UNKNOWN, 1, 4), (9, UNKNOWN, 4), (9, 4, 1)):
        assert not list(count_problems(count, minimum, maximum))


def test_the_tokens_of_a_request_are_at_most_those_of_the_longest(qwen: EndpointPlan) -> None:
    longest = longest_request(qwen)
    assert qwen.memory is not None
    assert longest == qwen.memory.context
    assert not list(request_tokens_problems(longest, qwen))
    (found,) = request_tokens_problems(qwen.memory.context + 1, qwen)
    assert found.message == f"must be from 1 to {longest} tokens"


def test_the_longest_request_is_max_total_tokens_if_the_options_say_so(qwen: EndpointPlan) -> None:
    assert longest_request(replace(qwen, serving=replace(qwen.serving, max_total_tokens=4096))) == 4096
    assert longest_request(replace(qwen, memory=None)) is None


def test_the_tokens_of_a_request_mean_nothing_without_a_plan() -> None:
    (found,) = request_tokens_problems(100, None)
    assert str(found) == (
        "request_tokens=100: requires an endpoint of this app: of an imported one nothing is known to work a target out"
        " from. Leave it out, and give on_concurrency(target=…)."
    )
    assert not list(request_tokens_problems(None, None))


def test_the_default_target_is_for_the_longest_request(qwen: EndpointPlan) -> None:
    assert qwen.memory is not None
    held = qwen.memory.concurrent_requests(longest_request(qwen) or 0)
    assert default_target(qwen, None) == max(1, int(FACTOR * held))
    assert default_target(qwen, 100) == int(FACTOR * 128), "TGI takes no more than max_concurrent_requests"


def test_nothing_is_known_without_a_plan_of_the_memory(qwen: EndpointPlan) -> None:
    assert default_target(None, 100) is None
    assert default_target(replace(qwen, memory=None), 100) is None
