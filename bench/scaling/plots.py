"""The plots in docs/: load, instances and time to first token over time.

The files are the same for the same figures: no date, ids from a fixed salt, text as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.scaling.arrivals import HOUR, MINUTE
from bench.scaling.compare import Run
from bench.scaling.measure import quantile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = {
    "diurnal": ("on_concurrency", "invocations, load test × 0.5", "invocations, the guide's 70"),
    "bursty": ("on_concurrency", "invocations, load test × 0.5", "invocations, the guide's 70"),
    "from zero": ("scale_to_zero, idle 30 min", "the guide's policies"),
}
"""Which ways are drawn; all of them would hide each other."""

_COLOURS = ("#3b82f6", "#d97706", "#a855f7")
_INK = "#767676"
"""Has a contrast of about 4.5 to white and to GitHub's dark background."""

_STYLE = {
    "svg.hashsalt": "bench.scaling",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": _INK,
    "grid.alpha": 0.25,
}
_BIN = 10 * MINUTE
_RATE_STEP = 3 * MINUTE


def file_name(load: str) -> str:
    """The file of a load's plot."""
    return f"scaling-{load.replace(' ', '-')}.svg"


def draw(runs: Sequence[Run], folder: Path) -> list[Path]:
    """Write a file for each load in SHOWN.

    Args:
        runs: All runs.
        folder: Where to.
    """
    import matplotlib as mpl

    mpl.use("svg")
    written = []
    with mpl.rc_context(_STYLE):
        for load, names in SHOWN.items():
            chosen = [run for name in names for run in runs if (run.load.name, run.contender.name) == (load, name)]
            path = folder / file_name(load)
            _draw(chosen, path)
            written.append(path)
    return written


def _draw(runs: Sequence[Run], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.2), layout="constrained")
    rate, count, wait = figure.subplots(3, 1, sharex=True, height_ratios=(1, 1.6, 1.6))
    load = runs[0].load
    hours = [index * _RATE_STEP / HOUR for index in range(round(load.seconds / _RATE_STEP))]
    rate.fill_between(hours, [load.rate(hour * HOUR) for hour in hours], color=_INK, alpha=0.35, linewidth=0)
    rate.set_ylabel("requests/s")
    for run, colour in zip(runs, _COLOURS, strict=False):
        name = f"{run.contender.name}: ${run.summary.dollars * 24 * HOUR / load.seconds:.0f} a day"
        times, numbers = zip(*_changes(run), strict=True)
        count.step(times, numbers, where="post", color=colour, label=name, linewidth=1.4)
        bins = list(_waits(run))
        wait.plot([hour for hour, _ in bins], [value for _, value in bins], color=colour, linewidth=1.2)
    count.set_ylabel("instances paid")
    count.legend(frameon=False, loc="upper left", fontsize=8, labelcolor=_INK)
    count.set_ylim(0, max(max(each[2] for each in run.outcome.timeline) for run in runs) * 1.5)
    wait.set_ylabel("p95 until the first\ntoken, seconds")
    wait.set_yscale("log")
    wait.set_xlabel("hours")
    _finish((rate, count, wait), load.seconds / HOUR)
    figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})


def _finish(axes: Sequence[Axes], hours: float) -> None:
    for each in axes:
        each.grid(visible=True, axis="y")
        each.set_xlim(0, hours)
        each.set_xticks(range(0, round(hours) + 1, 2 if hours > 12 else 1))


def _changes(run: Run) -> Iterator[tuple[float, int]]:
    """Hours and instances where their number changes."""
    last = None
    for time, _, instances, _ in run.outcome.timeline:
        if instances != last:
            yield time / HOUR, instances
            last = instances
    yield run.load.seconds / HOUR, last or 0


def _waits(run: Run) -> Iterator[tuple[float, float]]:
    """Hours and the p95 of the requests that arrived in ten minutes; not a number without any."""
    bins: dict[int, list[float]] = {}
    for request in run.outcome.requests:
        if request.wait is not None:
            bins.setdefault(int(request.arrived / _BIN), []).append(request.wait)
    for index in range(round(run.load.seconds / _BIN)):
        values = sorted(bins.get(index, ()))
        yield (index + 0.5) * _BIN / HOUR, quantile(values, 0.95) if values else float("nan")
