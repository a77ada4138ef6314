"""When requests arrive: Poisson, with a rate that varies."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MINUTE, HOUR = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Load:
    """A load over time.

    Args:
        name: As the tables show it.
        seconds: How long it lasts.
        peak: Highest rate, in requests a second.
        rate: Requests a second at a time.
    """

    name: str
    seconds: float
    peak: float
    rate: Callable[[float], float]

    def times(self, rng: random.Random) -> Iterator[float]:
        """Times of arrival, by thinning a Poisson process of the highest rate."""
        time = 0.0
        while self.peak > 0:
            time += rng.expovariate(self.peak)
            if time >= self.seconds:
                return
            if rng.random() * self.peak < self.rate(time):
                yield time


def steady(rate: float, hours: float = 4) -> Load:
    """The same rate all the time."""
    return Load("steady", hours * HOUR, rate, lambda _time: rate)


def diurnal(peak: float, trough: float = 0.1, hours: float = 24) -> Load:
    """A day from night to night: a sine between `trough` × peak and the peak."""

    def rate(time: float) -> float:
        day = (1 - math.cos(2 * math.pi * time / (24 * HOUR))) / 2
        return peak * (trough + (1 - trough) * day)

    return Load("diurnal", hours * HOUR, peak, rate)


def bursty(rng: random.Random, base: float, peak: float, hours: float = 12) -> Load:
    """A low rate, and every 30 to 90 minutes a burst of 5 to 20 minutes that rises within a minute."""
    bursts: list[tuple[float, float]] = []
    start = rng.uniform(30, 90) * MINUTE
    while start < hours * HOUR:
        length = rng.uniform(5, 20) * MINUTE
        bursts.append((start, start + length))
        start += length + rng.uniform(30, 90) * MINUTE

    def rate(time: float) -> float:
        for begin, end in bursts:
            if begin <= time < end:
                return base + (peak - base) * min(1.0, (time - begin) / MINUTE)
        return base

    return Load("bursty", hours * HOUR, peak, rate)


def sessions(rng: random.Random, peak: float, hours: float = 24) -> Load:
    """Nobody at night; from 8 to 18 o'clock people come for 5 to 30 minutes, then nobody for 5 to 120 minutes."""
    spans: list[tuple[float, float, float]] = []
    start = 8 * HOUR + rng.uniform(0, 30) * MINUTE
    while start < 18 * HOUR:
        length = rng.uniform(5, 30) * MINUTE
        spans.append((start, start + length, peak * rng.uniform(0.2, 1)))
        start += length + rng.uniform(5, 120) * MINUTE

    def rate(time: float) -> float:
        return next((level for begin, end, level in spans if begin <= time < end), 0.0)

    return Load("from zero", hours * HOUR, peak, rate)
