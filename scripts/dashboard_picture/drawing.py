"""Draws the body of a CloudWatch dashboard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from scripts.dashboard_picture.figures import Figures

NO_DATA = ("Alarms", "GPUs", "Hosts")
"""The widgets without data: the emulated cloud has no GPUs, measures no hosts and keeps no states of these alarms."""

CAPTION = (
    "LlamaTgiStack in the emulated cloud, {minutes:g} minutes of made-up requests with injected faults; a toy model on"
    " one machine, so times and tokens are no measure of Llama. No data here: {without}."
)

_UNIT, _ROW, _COLUMNS, _MARGIN = 0.52, 0.40, 24, 0.6
_COLOURS = ("#3b82f6", "#d97706", "#a855f7", "#10b981", "#ef4444")
_INK = "#767676"
"""Has a contrast of about 4.5 to white and to GitHub's dark background."""
_STYLE = {
    "svg.hashsalt": "scripts.dashboard_picture",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 7,
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
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_GENERATED = re.compile(r"^.*-|[0-9A-F]{8}$")
"""What CloudFormation puts around the id of an alarm without a name."""


def draw(body: dict[str, Any], figures: Figures, path: Path) -> dict[str, int]:
    """Draw every widget.

    Args:
        body: The dashboard's body.
        figures: What its lines show.
        path: The file, an SVG.

    Returns:
        How many lines or rows each widget with a title has; 0 where there is no data.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.use("svg")
    rows = max(widget["y"] + widget["height"] for widget in body["widgets"])
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_COLUMNS * _UNIT, rows * _ROW + _MARGIN))
        drawn = {}
        for widget in body["widgets"]:
            count = _WIDGETS[widget["type"]](figure, _place(widget, rows), widget["properties"], figures)
            if "title" in widget["properties"]:
                drawn[widget["properties"]["title"]] = count
        caption = CAPTION.format(minutes=round(figures.seconds / 60, 1), without=", ".join(NO_DATA))
        figure.text(0.01, 0.15 / figure.get_figheight(), caption, fontsize=7, style="italic")
        figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})
    return drawn


def _place(widget: dict[str, Any], rows: int) -> tuple[float, float, float, float]:
    """Left, bottom, width and height as shares of the picture."""
    height = rows * _ROW + _MARGIN
    bottom = _MARGIN + (rows - widget["y"] - widget["height"]) * _ROW
    return widget["x"] / _COLUMNS, bottom / height, widget["width"] / _COLUMNS, widget["height"] * _ROW / height


def _axes(figure: Figure, place: tuple[float, float, float, float], title: str, *, inner: bool) -> Axes:
    left, bottom, width, height = place
    if inner:  # room for the labels of axes, the title and the legend
        place = (left + 0.13 * width, bottom + 0.30 * height, 0.76 * width, 0.54 * height)
    axes = figure.add_axes(place)
    axes.set_title(title, fontsize=8, loc="left", fontweight="bold")
    return axes


def _graph(
    figure: Figure, place: tuple[float, float, float, float], properties: dict[str, Any], figures: Figures
) -> int:
    left = _axes(figure, place, properties["title"], inner=True)
    found = figures.series(properties["metrics"])
    right_labels = {line[-1].get("label") for line in properties["metrics"] if line[-1].get("yAxis") == "right"}
    right = left.twinx() if right_labels & found.keys() else None
    middles = [(index + 0.5) * figures.period for index in range(round(figures.seconds / figures.period))]
    handles = []
    for (label, values), colour in zip(found.items(), _COLOURS * 3, strict=False):
        axes = right if right is not None and label in right_labels else left
        points = [float("nan") if value is None else value for value in values]
        handles += axes.plot(middles, points, color=colour, label=label, linewidth=1.1, marker=".", markersize=2.5)
    _mark(left, properties)
    _scale(left, properties["yAxis"]["left"], figures)
    if right is not None:
        _scale(right, properties["yAxis"]["right"], figures)
        right.spines["right"].set_visible(True)
    if not found:
        left.text(0.5, 0.5, "no data in the emulated cloud", ha="center", va="center", transform=left.transAxes)
    missing = [str(line[-1]["label"]) for line in properties["metrics"] if line[-1].get("visible", True)]
    missing = [label for label in missing if label not in found]
    if handles:
        left.legend(handles=handles, **_legend(len(handles)))
    if found and missing:
        left.text(1, 1.02, f"no data: {', '.join(missing)}", fontsize=5, ha="right", transform=left.transAxes)
    return len(found)


def _legend(lines: int) -> dict[str, Any]:
    return {
        "loc": "upper center",
        "bbox_to_anchor": (0.5, -0.2),
        "ncols": 2 if lines > 1 else 1,
        "frameon": False,
        "fontsize": 6,
        "labelcolor": _INK,
        "handlelength": 1.2,
        "columnspacing": 1.0,
    }


def _mark(axes: Axes, properties: dict[str, Any]) -> None:
    for mark in properties.get("annotations", {}).get("horizontal", ()):
        axes.axhline(mark["value"], color=mark["color"], linewidth=0.8, linestyle="--")
        axes.annotate(mark["label"], (1, mark["value"]), xycoords=("axes fraction", "data"), fontsize=6, ha="right")


def _scale(axes: Axes, limits: dict[str, Any], figures: Figures) -> None:
    axes.set_ylabel(limits["label"], fontsize=6)
    axes.set_xlim(0, figures.seconds)
    low, high = axes.get_ylim()
    low = limits.get("min", low)
    axes.set_ylim(low, limits.get("max", max(low + 1.1 * (high - low), low + 1)))
    step = 60 if figures.seconds > 90 else 15
    ticks = range(0, round(figures.seconds) + 1, step)
    axes.set_xticks(list(ticks), [f"{tick // 60}:{tick % 60:02d}" for tick in ticks])
    axes.grid(visible=True, axis="y")


def _text(figure: Figure, place: tuple[float, float, float, float], properties: dict[str, Any], _: Figures) -> int:
    axes = _axes(figure, place, "", inner=False)
    axes.set_axis_off()
    lines = properties["markdown"].split("\n\n")
    for index, line in enumerate(lines):
        heading = len(line) - len(line.lstrip("#"))
        size = {1: 13, 2: 10}.get(heading, 8)
        plain = _LINK.sub(r"\1", line.lstrip("# "))
        height = 1 - (index + 0.5) / len(lines)
        axes.text(0.01, height, plain, fontsize=size, va="center", fontweight="bold" if heading else "normal")
    return len(lines)


def _alarms(figure: Figure, place: tuple[float, float, float, float], properties: dict[str, Any], _: Figures) -> int:
    axes = _axes(figure, (place[0], place[1], place[2], place[3] * 0.7), "", inner=False)
    axes.set_axis_off()
    count = len(properties["alarms"])
    axes.text(0.01, 0.85, f"{properties['title']}  ({count}; no states in the emulated cloud)", fontweight="bold")
    for index, arn in enumerate(properties["alarms"]):
        name = _GENERATED.sub("", arn.rpartition(":")[2])
        axes.text(0.01 + index // 5 * 0.195, 0.68 - index % 5 * 0.16, f"□ {name}", fontsize=5.5, va="center")
    return 0


def _table(
    figure: Figure, place: tuple[float, float, float, float], properties: dict[str, Any], figures: Figures
) -> int:
    axes = _axes(figure, place, properties["title"], inner=True)
    axes.set_axis_off()
    columns, rows = figures.table(properties["query"])
    shown = [[f"{value:,.0f}" if isinstance(value, int | float) else str(value) for value in row] for row in rows[:8]]
    widths = [max(len(row[column]) for row in [columns, *shown]) + 2 for column in range(len(columns))]
    for index, row in enumerate([columns, *shown]):
        for column, value in enumerate(row):
            weight = "bold" if index == 0 else "normal"
            x = -0.12 + 1.2 * sum(widths[:column]) / sum(widths)
            axes.text(x, 0.9 - 0.12 * index, value, fontsize=5, fontweight=weight, transform=axes.transAxes)
    return len(rows)


_WIDGETS = {"metric": _graph, "text": _text, "alarm": _alarms, "log": _table}
