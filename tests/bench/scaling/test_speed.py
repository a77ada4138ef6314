"""Against throughput that was measured on ml.g5.2xlarge (see bench/scaling/speed.py)."""

from __future__ import annotations

import random

import pytest

from bench.scaling.case import case
from bench.scaling.container import Container
from bench.scaling.requests import Lengths, Request

# Prompts of ShareGPT; every answer had at most 50 tokens.
_SAMPLES = Lengths(name="samples", prompt=220, answer=50, limit=50, longest_prompt=1024, request_tokens=512)


def tokens_per_second(clients: int) -> float:
    """What so many clients get that each send the next request when they have an answer, for 90 s."""
    one = case("meta-llama/Llama-2-7b-chat-hf", "ml.g5.2xlarge", _SAMPLES, 2048)
    container, rng = Container(one.speed, one.limits), random.Random(1)

    def send(now: float) -> None:
        prompt = _SAMPLES.draw(rng, now).prompt
        container.accept(Request(now, prompt, 50, prompt + 50), now)

    for _ in range(clients):
        send(0.0)
    tokens = 0
    while (now := container.wakes) < 90:
        for request in container.wake(now):
            tokens += request.answer
            send(now)
    return tokens / 90


@pytest.mark.parametrize(("clients", "measured"), [(5, 131.3), (10, 220.1), (20, 313.5)])
def test_throughput_is_within_a_fifth_of_what_was_measured(clients: int, measured: float) -> None:
    assert tokens_per_second(clients) == pytest.approx(measured, rel=0.2)
