"""What the defaults are chosen by: a day with each setting, in three cases.

Of the settings with which at most one request in two hundred is late in each case, the cheapest is chosen: by dollars,
as a ratio to the cheapest of them in each case, on average.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

from bench.scaling.arrivals import diurnal
from bench.scaling.autoscaling import Policy, ScalableTarget
from bench.scaling.case import CASES, Case, case, highest_rate
from bench.scaling.contenders import MOST, concurrency
from bench.scaling.measure import Summary
from bench.scaling.tables import Table, percent
from constructs_lib.planning.scaling.policies import SCALE_IN_REQUESTS

FACTORS = (0.6, 0.7, 0.8, 0.9, 1.0)
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9)
COOLDOWNS = (60, 300, 600, 900)
LATE = 0.005
_PEAK = 3.0


@dataclass(frozen=True, slots=True)
class Setting:
    """Figures that the simulator chooses between.

    Args:
        factor: `FACTOR` of `concurrency_target`.
        share: `SCALE_IN_SHARE`, to which `SCALE_IN_REQUESTS` come.
        cooldown: `SCALE_OUT_COOLDOWN`.
    """

    factor: float
    share: float
    cooldown: float

    def policies(self, one: Case) -> list[Policy]:
        """What `on_concurrency` renders with it."""
        target = max(1, int(self.factor * one.held))
        return concurrency(target, lambda of: min(of, self.share * of + SCALE_IN_REQUESTS), self.cooldown)


def day(one: Case, setting: Setting, seed: int, *, hours: float = 24, waits: bool = True) -> Summary:
    """The figures of a day.

    Args:
        one: The case.
        setting: The setting.
        seed: Seed of everything random.
        hours: How much of the day, from midnight on.
        waits: Whether scaling activities wait for each other (`autoscaling.ScalableTarget`).
    """
    load = diurnal(_PEAK * highest_rate(one, seed), hours=hours)
    target = ScalableTarget(1, MOST, setting.policies(one), waits=waits)
    return one.summary(one.simulate(load, target, begin=1, seed=seed))


def sweep(
    settings: Sequence[tuple[str, Setting]], seed: int, step: Callable[[str], None], *, waits: bool = True
) -> Table:
    """A table of settings: late requests and dollars in each case, and how much more than the cheapest they are.

    Args:
        settings: The settings with their names.
        seed: Seed of everything random.
        step: Called with a description of each run.
        waits: Whether scaling activities wait for each other.
    """
    cases = [case(*each) for each in CASES]
    found: list[tuple[str, list[Summary]]] = []
    for name, setting in settings:
        step(name)
        found.append((name, [day(one, setting, seed, waits=waits) for one in cases]))
    good = [days for _, days in found if is_good(days)] or [days for _, days in found]
    cheapest = [min(days[index].dollars for days in good) for index in range(len(cases))]
    rows = [
        (
            name,
            f"{mean(each.dollars / least for each, least in zip(days, cheapest, strict=True)):.2f} ×"
            if is_good(days)
            else "–",
            *(f"{percent(each.late)}, {each.dollars:.0f}" for each in days),
        )
        for name, days in found
    ]
    return Table("a day with each setting: late, dollars", ("", "of the cheapest", *(one.name for one in cases)), rows)


def is_good(days: Sequence[Summary]) -> bool:
    """Whether at most one request in two hundred is late in each case."""
    return all(each.late <= LATE for each in days)
