from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bench.scaling.arrivals import Load, bursty, diurnal, sessions, steady
from bench.scaling.autoscaling import ScalableTarget, TargetTracking
from bench.scaling.case import CASES, case, highest_rate
from bench.scaling.contenders import concurrency, load_contenders, zero_contenders
from bench.scaling.simulation import Outcome

CHAT = case(*CASES[0])
HOUR = 3600.0


def once(load: Load, *, seed: int = 1, begin: int = 1) -> Outcome:
    return CHAT.simulate(load, ScalableTarget(1, 8, concurrency(CHAT.target)), begin=begin, seed=seed)


@pytest.mark.parametrize(
    "load",
    [steady(1.0, 1), diurnal(1.5, hours=2), bursty(random.Random(1), 0.2, 2.0, hours=2)],
    ids=lambda one: one.name,
)
def test_every_request_is_answered_once_or_fails_once(load: Load) -> None:
    outcome = once(load)
    assert len(outcome.requests) > 500
    for request in outcome.requests:
        assert (request.finished is None) == (request.failure is not None)
        if request.finished is not None:
            assert request.first_token is not None
            assert request.arrived < request.first_token <= request.finished


def test_the_seed_decides_everything() -> None:
    one, same, other = (once(steady(1.0, 1), seed=seed) for seed in (1, 1, 2))
    assert one == replace(same, requests=one.requests)
    assert [request.wait for request in one.requests] == [request.wait for request in same.requests]
    assert len(other.requests) != len(one.requests)


def test_each_way_to_scale_gets_the_same_requests() -> None:
    load = steady(1.0, 0.5)
    runs = [CHAT.simulate(load, way.target(), begin=way.begin, seed=1) for way in load_contenders(CHAT, 0.7, 1.0)]
    lengths = [[(one.arrived, one.prompt, one.answer) for one in run.requests] for run in runs]
    assert all(each == lengths[0] for each in lengths)


def test_the_first_instance_is_added_after_three_datapoints_the_action_and_its_start() -> None:
    """The rate is so high that the first datapoint after 10 s is above the target."""
    outcome = once(steady(5.0, 0.5))
    time, *_ = next(each for each in outcome.timeline if each[1] > 1)
    assert time == pytest.approx(30 + 35 + CHAT.start_seconds, abs=10)
    paid, *_ = next(each for each in outcome.timeline if each[2] > 1)
    assert paid == pytest.approx(30 + 35, abs=10)


def test_an_instance_costs_from_its_launch_to_its_release() -> None:
    load = Load("nothing", 4 * HOUR, 0.0, lambda _time: 0.0)
    assert CHAT.simulate(load, None, begin=3, seed=1).instance_seconds == pytest.approx(3 * 4 * HOUR)
    tracking = ScalableTarget(1, 8, [TargetTracking("concurrency", 5)])
    # 90 datapoints of 0, and 35 s until the change.
    assert CHAT.simulate(load, tracking, begin=3, seed=1).instance_seconds == pytest.approx(4 * HOUR + 2 * 935)


def test_a_model_wakes_after_the_alarm_the_action_and_the_start_and_sleeps_again() -> None:
    load = Load("one", 2 * HOUR, 1.0, lambda time: 1.0 if 100 < time < 110 else 0.0)
    way = next(each for each in zero_contenders(CHAT, hold=900) if "30" in each.name)
    outcome = CHAT.simulate(load, way.target(), begin=0, seed=1, hold=way.hold, components=True)
    ready = next(time for time, copies, *_ in outcome.timeline if copies)
    # The failures are in the datapoint of the second minute.
    assert ready == pytest.approx(120 + 35 + CHAT.start_seconds, abs=10)
    assert outcome.requests
    assert all(request.failure is None and request.wait is not None for request in outcome.requests)
    gone = next(time for time, copies, *_ in outcome.timeline if time > ready and not copies)
    last = max(request.finished or 0 for request in outcome.requests)
    assert 1800 <= gone - last <= 1800 + 60 + 60 + 35
    released = next(time for time, _, instances, _ in outcome.timeline if time > ready and not instances)
    assert released - gone == pytest.approx(720, abs=20)


def test_without_waiting_a_request_that_finds_no_copy_fails() -> None:
    load = Load("one", HOUR, 1.0, lambda time: 1.0 if time < 10 else 0.0)
    way = next(iter(zero_contenders(CHAT, hold=0)))
    outcome = CHAT.simulate(load, way.target(), begin=0, seed=1, components=True)
    assert {request.failure for request in outcome.requests} == {"no capacity"}


def test_the_load_test_finds_the_rate_at_which_latency_increases() -> None:
    rate = highest_rate(CHAT, 1)
    late = [CHAT.summary(CHAT.simulate(steady(rate * share, 1), None, begin=1, seed=1)).late for share in (0.8, 1.2)]
    assert late[0] < 0.05 < late[1]


def test_nobody_comes_at_night() -> None:
    load = sessions(random.Random(1), 1.0)
    times = list(load.times(random.Random(1)))
    assert times
    assert all(8 * HOUR < time < 18.5 * HOUR for time in times)
