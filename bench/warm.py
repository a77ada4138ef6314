"""Warm: the front door's function against a direct call of the same upstream."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.awake import awake
from bench.figure import Figure, Samples, median_excess, median_ratio, paired
from bench.functions import (
    CHAT,
    MESSAGES,
    RESPONSES,
    STREAMED,
    TRANSLATED,
    Direct,
    Route,
    front_door,
    of_engine,
    proxy_event,
    upstream,
)
from bench.sandbox import started
from bench.template import DeployedFunction
from bench.wire import Arrivals

OURS, DIRECT = "front door", "direct http.client"
_FLOOD_TOKENS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """A route and its limits.

    Args:
        route: The route.
        key: Prefix of its figures' keys.
        prefix: Prefix of its figures' descriptions.
        first_token: Most added milliseconds to the first token.
        throughput: Least tokens per second, as a ratio to the direct call.
        latency: Most added milliseconds per token.
    """

    route: Route
    key: str
    prefix: str
    first_token: float
    throughput: float
    latency: float


_PASSED = _Limits(route=STREAMED, key="warm", prefix="", first_token=2.5, throughput=0.9, latency=0.15)
_TRANSLATED = _Limits(route=CHAT, key="warm.chat", prefix="chat: ", first_token=3.0, throughput=0.8, latency=0.25)
_AS_RESPONSE = replace(_TRANSLATED, route=RESPONSES, key="warm.responses", prefix="responses: ")
_AS_MESSAGE = replace(_TRANSLATED, route=MESSAGES, key="warm.messages", prefix="messages: ")
_OF_VLLM = _Limits(
    route=TRANSLATED, key="warm.vllm", prefix="TGI from vLLM: ", first_token=1.0, throughput=0.6, latency=0.25
)


def measure(function: DeployedFunction, *, quick: bool, step: Callable[[str], None]) -> list[Figure]:
    """Time to first token, throughput and latency per token, of TGI's stream in each protocol and vLLM's as TGI's.

    Args:
        function: The front door's function.
        quick: Whether to make fewer measurements.
        step: Called with a description of each measurement.
    """
    figures = []
    with upstream() as port, tempfile.TemporaryDirectory() as folder:
        for limits in (_PASSED, _TRANSLATED, _AS_RESPONSE, _AS_MESSAGE, _OF_VLLM):
            deployed = of_engine(function, limits.route.engine, Path(folder))
            bench = _Bench(deployed, port, limits, step)
            figures += [
                bench.first_token(30 if quick else 150),
                bench.throughput(3 if quick else 9),
                bench.latency(2 if quick else 7),
            ]
    return figures


class _Bench:
    """Measures one route."""

    def __init__(self, function: DeployedFunction, port: int, limits: _Limits, step: Callable[[str], None]) -> None:
        self._function = function
        self._port = port
        self._limits = limits
        self._route = limits.route
        self._step = step

    def first_token(self, rounds: int) -> Figure:
        """The time to the first token, in addition to a direct call's."""

        def delay(begin: int, body: Arrivals, token: bytes) -> float:
            return (body.time_of(token) - begin) / 1e6

        samples = self._compare("burst", 20, delay, rounds)
        return Figure(
            key=f"{self._limits.key}.first_token",
            description=f"{self._limits.prefix}added time to first token",
            ours=f"{statistics.median(samples[OURS]):.2f} ms",
            reference=f"{statistics.median(samples[DIRECT]):.2f} ms",
            value=median_excess(samples[OURS], samples[DIRECT]),
            unit="ms",
            limit=self._limits.first_token,
            samples=samples,
        )

    def throughput(self, rounds: int) -> Figure:
        """Tokens per second when the model is not the bottleneck."""

        def tokens_per_second(_begin: int, body: Arrivals, token: bytes) -> float:
            if (tokens := body.body.count(token)) != _FLOOD_TOKENS:
                raise RuntimeError(f"{tokens} of {_FLOOD_TOKENS} tokens arrived")
            return _FLOOD_TOKENS / ((body.last - body.time_of(token)) / 1e9)

        samples = self._compare("burst", _FLOOD_TOKENS, tokens_per_second, rounds)
        return Figure(
            key=f"{self._limits.key}.throughput",
            description=f"{self._limits.prefix}relay throughput, against direct",
            ours=f"{statistics.median(samples[OURS]):,.0f} tokens/s",
            reference=f"{statistics.median(samples[DIRECT]):,.0f} tokens/s",
            value=median_ratio(samples[OURS], samples[DIRECT]),
            unit="x",
            limit=self._limits.throughput,
            bound="at least",
            samples=samples,
        )

    def latency(self, rounds: int) -> Figure:
        """The delay of each token of a slow stream, in addition to a direct call's."""

        def delay(_begin: int, body: Arrivals, _token: bytes) -> float:
            return statistics.median(body.delays()) / 1e6

        with awake():
            samples = self._compare("paced", 250, delay, rounds)
        return Figure(
            key=f"{self._limits.key}.latency",
            description=f"{self._limits.prefix}added latency per token",
            ours=f"{statistics.median(samples[OURS]):.3f} ms",
            reference=f"{statistics.median(samples[DIRECT]):.3f} ms",
            value=median_excess(samples[OURS], samples[DIRECT]),
            unit="ms",
            limit=self._limits.latency,
            samples=samples,
        )

    def _compare(
        self, kind: str, tokens: int, reading: Callable[[int, Arrivals, bytes], float], rounds: int
    ) -> Samples:
        """Call the upstream through the function and directly, in alternation.

        Args:
            kind: How the upstream sends: `burst` or `paced`.
            tokens: Number of tokens that it sends.
            reading: Computes the measurement from the start of the call (nanoseconds), the response body, and what it
                has once per token.
            rounds: Number of calls of each.
        """
        endpoint_name = f"{kind}-{self._route.stream_format}-{tokens}"
        client = Direct(self._port, endpoint_name, self._route)
        function = front_door(self._function, self._port, endpoint_name)
        with contextlib.closing(client), started(function) as sandbox:

            def direct() -> float:
                begin = time.monotonic_ns()
                return reading(begin, _check_end(client.call(), self._route.upstream.end), self._route.upstream.token)

            def ours() -> float:
                response = sandbox.invoke(proxy_event(self._route))
                return reading(response.invoked, _check_end(response.body, self._route.end), self._route.token)

            return paired({DIRECT: direct, OURS: ours}, rounds, self._step)


def _check_end(body: Arrivals, end: bytes) -> Arrivals:
    if end not in body.body[-1000:]:
        raise RuntimeError(f"the stream ended with {body.body[-1000:]!r}")
    return body
