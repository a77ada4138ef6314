"""Warm: the front door's function against a direct call of the same upstream."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.awake import awake
from bench.figure import Figure, Samples, median_excess, median_ratio, paired
from bench.functions import CHAT, STREAMED, Direct, Route, front_door, proxy_event, upstream
from bench.sandbox import started
from bench.wire import Arrivals

OURS, DIRECT = "front door", "direct http.client"
_FLOOD_TOKENS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """What is asked of a route: milliseconds to the first token, share of the direct rate, milliseconds a token."""

    route: Route
    key: str
    words: str
    first_token: float
    ceiling: float
    latency: float


_PASSED = _Limits(route=STREAMED, key="warm", words="", first_token=2.5, ceiling=0.28, latency=0.15)
_TRANSLATED = _Limits(route=CHAT, key="warm.chat", words="chat: ", first_token=3.0, ceiling=0.15, latency=0.25)


def measure(asset: Path, *, quick: bool, step: Callable[[str], None]) -> list[Figure]:
    """Time to first token, relay ceiling and added latency per token, as TGI said it and translated to OpenAI's."""
    figures = []
    with upstream() as port:
        for limits in (_PASSED, _TRANSLATED):
            bench = _Bench(asset, port, limits, step)
            figures += [
                bench.first_token(30 if quick else 150),
                bench.ceiling(3 if quick else 9),
                bench.latency(2 if quick else 7),
            ]
    return figures


class _Bench:
    """Measures one route."""

    def __init__(self, asset: Path, port: int, limits: _Limits, step: Callable[[str], None]) -> None:
        self._asset = asset
        self._port = port
        self._limits = limits
        self._route = limits.route
        self._step = step

    def first_token(self, rounds: int) -> Figure:
        """How much later than in a direct call the first token is there."""

        def delay(begin: int, body: Arrivals) -> float:
            return (body.moment_of(self._route.token) - begin) / 1e6

        samples = self._compare("burst", 20, delay, rounds)
        return Figure(
            key=f"{self._limits.key}.first_token",
            what=f"{self._limits.words}time to first token, later than direct",
            ours=f"{statistics.median(samples[OURS]):.2f} ms",
            reference=f"{statistics.median(samples[DIRECT]):.2f} ms",
            value=median_excess(samples[OURS], samples[DIRECT]),
            unit="ms",
            limit=self._limits.first_token,
            samples=samples,
        )

    def ceiling(self, rounds: int) -> Figure:
        """How many tokens a second go through, where the model could do more."""

        def tokens_per_second(_begin: int, body: Arrivals) -> float:
            if (tokens := body.body.count(self._route.token)) != _FLOOD_TOKENS:
                raise RuntimeError(f"{tokens} of {_FLOOD_TOKENS} tokens came")
            return _FLOOD_TOKENS / ((body.last - body.moment_of(self._route.token)) / 1e9)

        samples = self._compare("burst", _FLOOD_TOKENS, tokens_per_second, rounds)
        return Figure(
            key=f"{self._limits.key}.ceiling",
            what=f"{self._limits.words}relay ceiling, of direct",
            ours=f"{statistics.median(samples[OURS]):,.0f} tokens/s",
            reference=f"{statistics.median(samples[DIRECT]):,.0f} tokens/s",
            value=median_ratio(samples[OURS], samples[DIRECT]),
            unit="x",
            limit=self._limits.ceiling,
            bound="at least",
            samples=samples,
        )

    def latency(self, rounds: int) -> Figure:
        """How much later each token of a slow stream is there."""

        def delay(_begin: int, body: Arrivals) -> float:
            return statistics.median(body.delays()) / 1e6

        with awake():
            samples = self._compare("paced", 250, delay, rounds)
        return Figure(
            key=f"{self._limits.key}.latency",
            what=f"{self._limits.words}added latency per token, median",
            ours=f"{statistics.median(samples[OURS]):.3f} ms",
            reference=f"{statistics.median(samples[DIRECT]):.3f} ms",
            value=median_excess(samples[OURS], samples[DIRECT]),
            unit="ms",
            limit=self._limits.latency,
            samples=samples,
        )

    def _compare(self, kind: str, tokens: int, reading: Callable[[int, Arrivals], float], rounds: int) -> Samples:
        """Call the upstream through the function and directly, in turns.

        Args:
            kind: How the upstream sends.
            tokens: How many tokens it sends.
            reading: The measurement, from the moment at which the call began and what came back.
            rounds: How many calls of each.
        """
        endpoint_name = f"{kind}-{self._route.speaks}-{tokens}"
        client = Direct(self._port, endpoint_name, self._route)
        function = front_door(self._asset, self._port, endpoint_name)
        with contextlib.closing(client), started(function) as sandbox:

            def direct() -> float:
                begin = time.monotonic_ns()
                return reading(begin, self._whole(client.call()))

            def ours() -> float:
                answer = sandbox.invoke(proxy_event(self._route))
                return reading(answer.invoked, self._whole(answer.body))

            return paired({DIRECT: direct, OURS: ours}, rounds, self._step)

    def _whole(self, body: Arrivals) -> Arrivals:
        if self._route.end not in body.body[-1000:]:
            raise RuntimeError(f"the stream ended with {body.body[-1000:]!r}")
        return body
