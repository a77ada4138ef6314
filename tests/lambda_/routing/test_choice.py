"""Callers are divided by weight, and stay where they are as far as weights allow."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest
from front_door.routing.choice import choose, is_mirrored
from front_door.targets import Routing

from tests.lambda_.routing.entries import endpoint, mirror, read, split

CALLERS = [f"session-{number}" for number in range(10_000)]


@pytest.fixture(name="routing")
def _routing(tmp_path: Path) -> Routing:
    return routing_of(tmp_path, tgi=95, vllm=5)


def routing_of(folder: Path, **weights: float) -> Routing:
    routing = read(folder, llama=split(**weights)).models["llama"].routing
    assert routing is not None
    return routing


def chosen(routing: Routing, model: str = "llama") -> list[str | None]:
    return [choose(routing, model, caller).targets[0].target for caller in CALLERS]


@pytest.mark.parametrize(
    "weights",
    [{"a": 95, "b": 5}, {"a": 50, "b": 50}, {"a": 1, "b": 2, "c": 7}, {"a": 0.5, "b": 0.5}, {"a": 999, "b": 1}],
)
def test_callers_are_divided_in_proportion_to_the_weights(tmp_path: Path, weights: dict[str, float]) -> None:
    counts = Counter(chosen(routing_of(tmp_path, **weights)))
    for name, weight in weights.items():
        share = weight / sum(weights.values())
        deviation = math.sqrt(len(CALLERS) * share * (1 - share))
        assert abs(counts[name] - len(CALLERS) * share) < 4 * deviation


def test_a_raised_weight_moves_callers_to_that_target_only(tmp_path: Path) -> None:
    before = chosen(routing_of(tmp_path, tgi=60, vllm=5, other=35))
    after = chosen(routing_of(tmp_path, tgi=60, vllm=50, other=35))
    moved = Counter((old, new) for old, new in zip(before, after, strict=True) if old != new)
    assert set(moved) == {("tgi", "vllm"), ("other", "vllm")}
    assert 2000 < sum(moved.values()) < 3500


def test_a_lowered_weight_brings_the_same_callers_back(tmp_path: Path) -> None:
    before = chosen(routing_of(tmp_path, tgi=95, vllm=5))
    chosen(routing_of(tmp_path, tgi=50, vllm=50))
    assert chosen(routing_of(tmp_path, tgi=95, vllm=5)) == before


def test_weights_in_the_same_proportion_choose_the_same(tmp_path: Path) -> None:
    assert chosen(routing_of(tmp_path, a=95, b=5)) == chosen(routing_of(tmp_path, a=9.5, b=0.5))


def test_the_order_of_the_targets_does_not_matter(tmp_path: Path) -> None:
    assert chosen(routing_of(tmp_path, a=95, b=5)) == chosen(routing_of(tmp_path, b=5, a=95))


def test_a_weight_of_0_gets_no_request(tmp_path: Path) -> None:
    assert set(chosen(routing_of(tmp_path, a=0, b=1, c=0))) == {"b"}
    drained = chosen(routing_of(tmp_path, a=0, b=1, c=1))
    before = chosen(routing_of(tmp_path, a=5, b=1, c=1))
    assert "a" not in drained
    # Only those move whose target is gone.
    assert all(old in ("a", new) for old, new in zip(before, drained, strict=True))


def test_another_model_divides_the_same_callers_in_another_way(routing: Routing) -> None:
    one, other = chosen(routing), chosen(routing, "falcon")
    assert one != other
    assert Counter(one).keys() == Counter(other).keys()


@pytest.mark.parametrize("caller", ["", "é", "日本語", "\ud800", "\0", "x" * 1_000_000])
def test_any_text_is_a_caller(routing: Routing, caller: str) -> None:
    assert choose(routing, "llama", caller) is choose(routing, "llama", caller)


def test_the_percentage_of_the_requests_is_mirrored(tmp_path: Path) -> None:
    def mirrored(percent: float) -> list[bool]:
        routing = (
            read(tmp_path, llama=mirror(split(tgi=50, vllm=50), endpoint("copy"), percent)).models["llama"].routing
        )
        assert routing is not None
        return [is_mirrored(routing, "llama", request) for request in CALLERS]

    assert sum(mirrored(0)) == 0
    assert sum(mirrored(100)) == len(CALLERS)
    assert 400 < sum(mirrored(5)) < 600
    assert all(more or not less for less, more in zip(mirrored(5), mirrored(20), strict=True))


def test_what_is_mirrored_is_independent_of_the_branch(tmp_path: Path) -> None:
    routing = read(tmp_path, llama=mirror(split(tgi=50, vllm=50), endpoint("copy"), 50)).models["llama"].routing
    assert routing is not None
    both = Counter(
        (choose(routing, "llama", each).targets[0].target, is_mirrored(routing, "llama", each)) for each in CALLERS
    )
    assert all(2300 < count < 2700 for count in both.values())
    assert len(both) == 4


def test_nothing_is_mirrored_without_a_mirror(routing: Routing) -> None:
    assert not is_mirrored(routing, "llama", "request")
