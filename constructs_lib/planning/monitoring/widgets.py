"""Widgets of a CloudWatch dashboard, as the JSON of its body.

Source: Amazon CloudWatch API Reference, "Dashboard Body Structure and Syntax".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from constructs_lib.planning.monitoring.alarm import Metric

Json = dict[str, Any]

COLUMNS = 24
"""Columns of a dashboard's grid."""

MAX_ALARMS = 100
"""Alarms that one widget shows."""

MAX_LOG_GROUPS = 50
"""Log groups that one query reads. Source: Amazon CloudWatch Logs quotas."""

THIRD, HEIGHT = COLUMNS // 3, 6
"""Size of a graph, in columns and rows of the grid."""

_RED, _GRAY = "#d62728", "#7f7f7f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a graph: a metric, or an expression of others.

    Args:
        of: The metric; or metric math of the lines of the same graph, by their ids.
        label: Its name in the legend. Default: the line is hidden and only there for expressions.
        id: Its name in expressions. Default: none.
        right: Whether the axis on the right is its own. Default: the one on the left.
        place: Account (`accountId`) and Region (`region`) of the metric, if they are not the dashboard's.
    """

    of: Metric | str
    label: str | None = None
    id: str | None = None
    right: bool = False
    place: Mapping[str, str] = field(default_factory=dict)

    def render(self) -> list[Any]:
        """An entry of the list `metrics`."""
        options: Json = {**self.place}
        if self.label is None:
            options["visible"] = False
        else:
            options["label"] = self.label
        if self.id is not None:
            options["id"] = self.id
        if self.right:
            options["yAxis"] = "right"
        if isinstance(self.of, str):
            return [{"expression": self.of, **options}]
        dimensions = [part for dimension in self.of.dimensions.items() for part in dimension]
        return [self.of.namespace, self.of.name, *dimensions, {"stat": self.of.statistic, **options}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A horizontal line across a graph.

    Args:
        value: Where on the axis on the left.
        label: What it means.
        is_limit: Whether it is bad to be above. Default: False.
    """

    value: float
    label: str
    is_limit: bool = False

    def render(self) -> Json:
        """An entry of the list `horizontal`."""
        return {"value": self.value, "label": self.label, "color": _RED if self.is_limit else _GRAY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Metrics over time.

    Args:
        title: Its title.
        lines: At least one.
        marks: Horizontal lines. Default: none.
        left: What the axis on the left counts.
        right: What the axis on the right counts. Default: there is none.
        least: Where the axis on the left begins; None for what the lines need. Default: 0.
        most: Where it ends. Default: what the lines need.
    """

    title: str
    lines: Sequence[Line]
    marks: Sequence[Mark] = ()
    left: str
    right: str | None = None
    least: float | None = 0
    most: float | None = None

    width, height = THIRD, HEIGHT

    def render(self, region: str) -> Json:
        """The widget without its place.

        Args:
            region: The dashboard's Region.
        """
        limits = {"min": self.least, "max": self.most}
        axis = {"label": self.left, "showUnits": False} | {key: at for key, at in limits.items() if at is not None}
        axes = {"left": axis}
        if any(line.right for line in self.lines):
            axes["right"] = {"label": self.right or "", "min": 0, "showUnits": False}
        properties: Json = {
            "title": self.title,
            "view": "timeSeries",
            "region": region,
            "period": 60,
            "metrics": [line.render() for line in self.lines],
            "yAxis": axes,
            "legend": {"position": "bottom"},
        }
        if self.marks:
            properties["annotations"] = {"horizontal": [mark.render() for mark in self.marks]}
        return {"type": "metric", "properties": properties}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Text in Markdown.

    Args:
        markdown: The text.
        height: Its rows of the grid.
    """

    markdown: str
    height: int = 1

    width = COLUMNS

    def render(self, region: str) -> Json:
        """The widget without its place."""
        return {"type": "text", "properties": {"markdown": self.markdown, "background": "transparent"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTable:
    """The result of a query of CloudWatch Logs Insights.

    Args:
        title: Its title.
        log_groups: The log groups that it reads, 1 to 50.
        query: The query, one command a line.
    """

    title: str
    log_groups: Sequence[str]
    query: Sequence[str]

    width, height = THIRD, HEIGHT

    def render(self, region: str) -> Json:
        """The widget without its place.

        Args:
            region: The Region of the log groups.
        """
        sources = [f"SOURCE '{group}'" for group in self.log_groups]
        query = "\n| ".join([" | ".join(sources), *self.query])
        properties = {"title": self.title, "region": region, "view": "table", "query": query}
        return {"type": "log", "properties": properties}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmStates:
    """The states of alarms, those in ALARM first.

    Args:
        title: Its title.
        arns: The ARNs of the alarms, 1 to 100.
    """

    title: str
    arns: Sequence[str]

    width, height = COLUMNS, 3

    def render(self, region: str) -> Json:
        """The widget without its place."""
        properties = {"title": self.title, "alarms": list(self.arns), "sortBy": "stateUpdatedTimestamp"}
        return {"type": "alarm", "properties": properties}


def graph(title: str, lines: Iterable[Line], *, left: str, **more: Any) -> Graph | None:
    """A graph; None without a line.

    Args:
        title: Its title.
        lines: Its lines.
        left: What the axis on the left counts.
        more: Further members of `Graph`.
    """
    drawn = list(lines)
    return Graph(title=title, lines=drawn, left=left, **more) if drawn else None


Widget = Graph | Words | LogTable | AlarmStates


def dashboard_body(widgets: Iterable[Widget], region: str) -> Json:
    """The body of a dashboard of the last three hours, its widgets from left to right and from top to bottom.

    The periods of all graphs follow the time range that is looked at.

    Args:
        widgets: The widgets; one that does not fit beside the others begins a row.
        region: The dashboard's Region.
    """
    placed, x, y, row_height = [], 0, 0, 0
    for widget in widgets:
        if x + widget.width > COLUMNS:
            x, y, row_height = 0, y + row_height, 0
        place = {"x": x, "y": y, "width": widget.width, "height": widget.height}
        placed.append({**place, **widget.render(region)})
        x, row_height = x + widget.width, max(row_height, widget.height)
    return {"start": "-PT3H", "periodOverride": "auto", "widgets": placed}
