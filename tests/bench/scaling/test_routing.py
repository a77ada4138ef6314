from __future__ import annotations

import random

from bench.scaling.case import CASES, case
from bench.scaling.container import Container
from bench.scaling.fleet import Copy
from bench.scaling.prefixes import measure
from bench.scaling.requests import Request
from bench.scaling.routing import least_outstanding, prefix_aware

ONE = case(*CASES[0])


def copies(*in_flight: int) -> list[Copy]:
    found = [Copy(number, Container(ONE.speed, ONE.limits), 0.0) for number in range(len(in_flight))]
    for copy, count in zip(found, in_flight, strict=True):
        for _ in range(count):
            copy.container.accept(request(-1), 0.0)
    return found


def request(prefix: int) -> Request:
    return Request(0.0, 10, 10, 20, prefix, 5)


def test_least_outstanding_takes_the_copy_with_the_fewest_requests() -> None:
    found = copies(3, 1, 2)
    assert least_outstanding(random.Random(1))(found, request(7)).number == 1


def test_a_prefix_stays_with_its_copy_until_the_threshold_and_comes_back() -> None:
    route = prefix_aware(2, random.Random(1))
    found = copies(0, 0, 0)
    home = route(found, request(7))
    home.container.accept(request(7), 0.0)
    assert route(found, request(7)) is home
    home.container.accept(request(7), 0.0)
    second = route(found, request(7))
    assert second is not home
    assert route(found[:1], request(7)) is found[0]


def test_prefixes_are_spread_and_few_move_when_a_copy_comes() -> None:
    route = prefix_aware(100, random.Random(1))
    three, four = copies(0, 0, 0), copies(0, 0, 0, 0)
    before = [route(three, request(prefix)).number for prefix in range(300)]
    after = [route(four, request(prefix)).number for prefix in range(300)]
    assert all(70 < before.count(number) < 130 for number in range(3))
    assert {new for old, new in zip(before, after, strict=True) if old != new} == {3}


def test_prefix_aware_routing_pays_when_the_texts_fit_all_caches_together_but_not_each() -> None:
    aware = lambda rng: prefix_aware(ONE.target, rng)  # noqa: E731
    several = [measure(ONE, 20, 4, route, 1).p50 for route in (least_outstanding, aware)]
    assert several[1] < several[0] * 0.6
    one = [measure(ONE, 1, 4, route, 1).p50 for route in (least_outstanding, aware)]
    assert one[1] >= one[0]
