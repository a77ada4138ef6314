"""Warm: the front door's function against a direct call of the same upstream."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from bench.awake import awake
from bench.figure import Figure, Samples, median_excess, median_ratio, paired
from bench.functions import ANSWER, FIRST_TOKEN, Direct, front_door, proxy_event, upstream
from bench.sandbox import started
from bench.wire import Arrivals

OURS, DIRECT = "front door", "direct http.client"
_PATH = "/generate_stream"
_FLOOD_TOKENS = 20_000


def measure(asset: Path, *, quick: bool, step: Callable[[str], None]) -> list[Figure]:
    """Time to first token, relay ceiling and added latency per token on the pass-through route /generate_stream."""
    with upstream() as port:
        return [
            _first_token(asset, port, 30 if quick else 150, step),
            _ceiling(asset, port, 3 if quick else 9, step),
            _latency(asset, port, 2 if quick else 7, step),
        ]


def _first_token(asset: Path, port: int, rounds: int, step: Callable[[str], None]) -> Figure:
    def delay(begin: int, body: Arrivals) -> float:
        return (body.moment_of(FIRST_TOKEN) - begin) / 1e6

    samples = _compare(asset, port, "burst-20", delay, rounds, step)
    return Figure(
        key="warm.first_token",
        what="time to first token, later than direct",
        ours=f"{statistics.median(samples[OURS]):.2f} ms",
        reference=f"{statistics.median(samples[DIRECT]):.2f} ms",
        value=median_excess(samples[OURS], samples[DIRECT]),
        unit="ms",
        limit=2.5,
        samples=samples,
    )


def _ceiling(asset: Path, port: int, rounds: int, step: Callable[[str], None]) -> Figure:
    def tokens_per_second(_begin: int, body: Arrivals) -> float:
        if (tokens := body.body.count(b"data: ")) != _FLOOD_TOKENS:
            raise RuntimeError(f"{tokens} of {_FLOOD_TOKENS} tokens came")
        return _FLOOD_TOKENS / ((body.last - body.moment_of(FIRST_TOKEN)) / 1e9)

    samples = _compare(asset, port, f"burst-{_FLOOD_TOKENS}", tokens_per_second, rounds, step)
    return Figure(
        key="warm.ceiling",
        what="relay ceiling, of direct",
        ours=f"{statistics.median(samples[OURS]):,.0f} tokens/s",
        reference=f"{statistics.median(samples[DIRECT]):,.0f} tokens/s",
        value=median_ratio(samples[OURS], samples[DIRECT]),
        unit="x",
        limit=0.28,
        bound="at least",
        samples=samples,
    )


def _latency(asset: Path, port: int, rounds: int, step: Callable[[str], None]) -> Figure:
    def delay(_begin: int, body: Arrivals) -> float:
        return statistics.median(body.delays()) / 1e6

    with awake():
        samples = _compare(asset, port, "paced-250", delay, rounds, step)
    return Figure(
        key="warm.latency",
        what="added latency per token, median",
        ours=f"{statistics.median(samples[OURS]):.3f} ms",
        reference=f"{statistics.median(samples[DIRECT]):.3f} ms",
        value=median_excess(samples[OURS], samples[DIRECT]),
        unit="ms",
        limit=0.15,
        samples=samples,
    )


def _compare(
    asset: Path,
    port: int,
    endpoint_name: str,
    reading: Callable[[int, Arrivals], float],
    rounds: int,
    step: Callable[[str], None],
) -> Samples:
    """Call the endpoint through the function and directly, in turns.

    Args:
        asset: The function's code.
        port: Where the upstream is.
        endpoint_name: What the upstream is to answer.
        reading: The measurement, from the moment at which the call began and what came back.
        rounds: How many calls of each.
        step: Is told what is being measured.
    """
    client = Direct(port, endpoint_name)
    with contextlib.closing(client), started(front_door(asset, port, endpoint_name)) as sandbox:

        def direct() -> float:
            begin = time.monotonic_ns()
            return reading(begin, _whole(client.call()))

        def ours() -> float:
            answer = sandbox.invoke(proxy_event(_PATH))
            return reading(answer.invoked, _whole(answer.body))

        return paired({DIRECT: direct, OURS: ours}, rounds, step)


def _whole(body: Arrivals) -> Arrivals:
    if ANSWER not in body.body[-1000:]:
        raise RuntimeError(f"the stream ended with {body.body[-1000:]!r}")
    return body
