"""Callers are divided by weight, and stay where they are as far as weights allow."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from front_door.config import Model
from front_door.routing.choice import choose, is_mirrored

from tests.lambda_.routing.entries import endpoint, mirror, read, split

CALLERS = [f"session-{number}" for number in range(10_000)]


@pytest.fixture(name="model")
def _model(tmp_path: Path) -> Model:
    return model_of(tmp_path, tgi=95, vllm=5)


def model_of(folder: Path, **weights: float) -> Model:
    return read(folder, llama=split(**weights)).models["llama"]


def chosen(model: Model) -> list[str | None]:
    return [choose(model, caller)[0].target for caller in CALLERS]


@pytest.mark.parametrize(
    "weights",
    [{"a": 95, "b": 5}, {"a": 50, "b": 50}, {"a": 1, "b": 2, "c": 7}, {"a": 0.5, "b": 0.5}, {"a": 999, "b": 1}],
)
def test_callers_are_divided_in_proportion_to_the_weights(tmp_path: Path, weights: dict[str, float]) -> None:
    counts = Counter(chosen(model_of(tmp_path, **weights)))
    for name, weight in weights.items():
        share = weight / sum(weights.values())
        deviation = math.sqrt(len(CALLERS) * share * (1 - share))
        assert abs(counts[name] - len(CALLERS) * share) < 4 * deviation


def test_a_raised_weight_moves_callers_to_that_target_only(tmp_path: Path) -> None:
    before = chosen(model_of(tmp_path, tgi=60, vllm=5, other=35))
    after = chosen(model_of(tmp_path, tgi=60, vllm=50, other=35))
    moved = Counter((old, new) for old, new in zip(before, after, strict=True) if old != new)
    assert set(moved) == {("tgi", "vllm"), ("other", "vllm")}
    assert 2000 < sum(moved.values()) < 3500


def test_a_lowered_weight_brings_the_same_callers_back(tmp_path: Path) -> None:
    before = chosen(model_of(tmp_path, tgi=95, vllm=5))
    chosen(model_of(tmp_path, tgi=50, vllm=50))
    assert chosen(model_of(tmp_path, tgi=95, vllm=5)) == before


def test_weights_in_the_same_proportion_choose_the_same(tmp_path: Path) -> None:
    assert chosen(model_of(tmp_path, a=95, b=5)) == chosen(model_of(tmp_path, a=9.5, b=0.5))


def test_the_order_of_the_targets_does_not_matter(tmp_path: Path) -> None:
    assert chosen(model_of(tmp_path, a=95, b=5)) == chosen(model_of(tmp_path, b=5, a=95))


def test_a_weight_of_0_gets_no_request(tmp_path: Path) -> None:
    assert set(chosen(model_of(tmp_path, a=0, b=1, c=0))) == {"b"}
    drained = chosen(model_of(tmp_path, a=0, b=1, c=1))
    before = chosen(model_of(tmp_path, a=5, b=1, c=1))
    assert "a" not in drained
    # Only those move whose target is gone.
    assert all(old in ("a", new) for old, new in zip(before, drained, strict=True))


def test_another_model_divides_the_same_callers_in_another_way(model: Model) -> None:
    one, other = chosen(model), chosen(replace(model, name="falcon"))
    assert one != other
    assert Counter(one).keys() == Counter(other).keys()


@pytest.mark.parametrize("caller", ["", "é", "日本語", "\ud800", "\0", "x" * 1_000_000])
def test_any_text_is_a_caller(model: Model, caller: str) -> None:
    assert choose(model, caller) is choose(model, caller)


def mirrored(folder: Path, percent: float) -> tuple[Model, list[bool]]:
    entry = mirror(split(tgi=50, vllm=50), endpoint("copy"), percent)
    model = read(folder, llama=entry).models["llama"]
    return model, [is_mirrored(model, request) for request in CALLERS]


def test_the_percentage_of_the_requests_is_mirrored(tmp_path: Path) -> None:
    assert sum(mirrored(tmp_path, 0)[1]) == 0
    assert sum(mirrored(tmp_path, 100)[1]) == len(CALLERS)
    few, more = mirrored(tmp_path, 5)[1], mirrored(tmp_path, 20)[1]
    assert 400 < sum(few) < 600
    assert all(with_more or not with_few for with_few, with_more in zip(few, more, strict=True))


def test_what_is_mirrored_is_independent_of_the_branch(tmp_path: Path) -> None:
    model, copied = mirrored(tmp_path, 50)
    both = Counter(zip(chosen(model), copied, strict=True))
    assert all(2300 < count < 2700 for count in both.values())
    assert len(both) == 4


def test_nothing_is_mirrored_without_a_mirror(model: Model) -> None:
    assert not is_mirrored(model, "request")
