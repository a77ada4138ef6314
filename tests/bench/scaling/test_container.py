from __future__ import annotations

import random

import pytest

from bench.scaling.container import NEVER, Container, ContainerLimits
from bench.scaling.requests import Request
from bench.scaling.speed import Speed

# A step of one token takes 1 s + 0.5 s; a prompt of 10 tokens 1 s + 10 × 0.5 s; the cache costs nothing.
SPEED = Speed(weights_seconds=0.5, token_seconds=0.5, cached_token_seconds=0.0, step_seconds=1.0)


def limits(cache: int = 100, accepted: int = 8, deadline: float = 1000.0) -> ContainerLimits:
    return ContainerLimits(cache_tokens=cache, prefill_tokens=50, max_concurrent_requests=accepted, deadline=deadline)


def request(arrived: float = 0.0, *, prompt: int = 10, answer: int = 3, limit: int = 10, prefix: int = -1) -> Request:
    tokens = 8 if prefix >= 0 else 0
    return Request(
        arrived=arrived, prompt=prompt, answer=answer, reserved=prompt + limit, prefix=prefix, prefix_tokens=tokens
    )


def run(container: Container) -> list[Request]:
    ended = []
    while container.wakes != NEVER:
        ended += container.wake(container.wakes)
    return ended


def test_a_lone_request_takes_its_prompt_and_a_step_for_each_further_token() -> None:
    container, alone = Container(SPEED, limits()), request()
    assert container.accept(alone, 0.0)
    assert run(container) == [alone]
    assert alone.first_token == 1.0 + 10 * 0.5
    assert alone.finished == 6.0 + 2 * 1.5


def test_a_second_request_joins_at_the_next_step_and_both_share_the_steps_after_it() -> None:
    container, first, second = Container(SPEED, limits()), request(answer=10), request(6.1)
    container.accept(first, 0.0)
    container.wake(6.0)
    container.accept(second, 6.1)
    assert container.wakes == 7.5
    run(container)
    # The prompt's step also generates the first request's third token; two requests take 1 s + 2 × 0.5 s a step.
    assert second.first_token == 7.5 + 1.0 + 11 * 0.5
    assert second.finished == 14.0 + 2 * 2.0
    assert first.finished == 18.0 + 5 * 1.5


def test_a_request_waits_until_the_cache_has_room_for_its_longest_answer() -> None:
    container = Container(SPEED, limits(cache=30))
    first, second = request(), request()
    container.accept(first, 0.0)
    container.accept(second, 0.0)
    run(container)
    assert first.finished == 9.0
    assert second.first_token == 9.0 + 6.0


def test_a_full_container_refuses_a_request() -> None:
    container = Container(SPEED, limits(accepted=2))
    assert [container.accept(request(), 0.0) for _ in range(3)] == [True, True, False]
    assert container.in_flight == 2


def test_a_request_that_waits_longer_than_the_deadline_is_given_up() -> None:
    container, late = Container(SPEED, limits(cache=30, deadline=5.0)), request()
    container.accept(request(), 0.0)
    container.accept(late, 0.0)
    assert len(run(container)) == 2
    assert late.failure == "504"
    assert late.first_token is None


def test_the_deadline_counts_from_when_the_container_took_the_request() -> None:
    container, held = Container(SPEED, limits(deadline=5.0)), request(0.0)
    container.accept(held, 600.0)
    run(container)
    assert held.first_token == 606.0


def test_a_cached_prefix_saves_its_tokens_until_its_room_is_needed() -> None:
    container = Container(SPEED, limits(cache=27))
    first, again, other = request(0.0, prefix=1), request(100.0, prefix=1), request(200.0, prefix=2)
    for each in (first, again, other):
        container.accept(each, each.arrived)
        run(container)
    assert [each.wait for each in (first, again)] == [6.0, 2.0]
    assert container.holds_prefix(2)
    assert not container.holds_prefix(1)


def test_no_request_is_lost_whatever_arrives() -> None:
    rng = random.Random(3)
    container = Container(SPEED, limits(cache=60, accepted=5, deadline=60.0))
    sent, ended = [], []
    time = 0.0
    for _ in range(500):
        time += rng.expovariate(0.2)
        while container.wakes <= time:
            ended += container.wake(container.wakes)
        prefix = rng.choice((-1, 0, 1, 2))
        one = request(time, prompt=rng.randint(9, 30), answer=rng.randint(1, 10), prefix=prefix)
        if container.accept(one, time):
            sent.append(one)
    ended += run(container)
    assert sorted(map(id, sent)) == sorted(map(id, ended))
    assert all((one.finished is None) == (one.failure == "504") for one in sent)
    assert any(one.failure for one in sent)
    assert container.in_flight == 0


@pytest.mark.parametrize(("tokens", "cached", "seconds"), [(1, 0, 1.5), (4, 0, 3.0), (1, 100, 101.5)])
def test_a_step_takes_the_slower_of_weights_and_arithmetic_and_the_cache_on_top(
    tokens: int, cached: int, seconds: float
) -> None:
    speed = Speed(weights_seconds=0.5, token_seconds=0.5, cached_token_seconds=1.0, step_seconds=1.0)
    assert speed.step(tokens, cached) == seconds
