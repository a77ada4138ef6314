"""The figures behind a dashboard's lines: metrics by period, statistics and metric math."""

from __future__ import annotations

import ast
import json
import math
import operator
import re
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Series = list[float | None]
"""A value for each period; None where there is none."""

Key = tuple[str, frozenset[tuple[str, str]]]

_STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Average": fmean,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Sum": sum,
}
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_STATS = re.compile(r"stats (?P<sums>.+) by (?P<keys>.+)")
_SUM = re.compile(r"sum\((\w+)\) as (\w+)")


@dataclass
class Figures:
    """Values of metrics with the seconds at which they were recorded, and the log lines of requests.

    Args:
        period: Seconds that a point of a line stands for.
        seconds: How long it was watched.
    """

    period: float
    seconds: float
    lines: list[dict[str, Any]] = field(default_factory=list)
    _values: dict[Key, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def record(self, name: str, dimensions: Iterable[tuple[str, str]], second: float, value: float) -> None:
        """Record a value."""
        self._values[name, frozenset(dimensions)].append((second, value))

    def record_line(self, text: str, started: float) -> None:
        """Record the metrics of a line of the function's log, in the embedded metric format; ignores all other lines.

        Args:
            text: The line.
            started: The time of second 0, as a Unix time.
        """
        try:
            line = json.loads(text)
        except ValueError:
            return
        embedded = line.get("_aws") if isinstance(line, dict) else None
        if not embedded:
            return
        second = embedded["Timestamp"] / 1000 - started
        if not 0 <= second < self.seconds:
            return  # of the deployment, such as the smoke test's
        self.lines.append(line)
        for directive in embedded["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                for metric in directive["Metrics"]:
                    dimensions = [(name, str(line[name])) for name in names]
                    self.record(metric["Name"], dimensions, second, float(line[metric["Name"]]))

    def series(self, metrics: Sequence[Sequence[Any]]) -> dict[str, Series]:
        """The visible lines of a graph by their labels; those without any value are left out.

        Args:
            metrics: The list `metrics` of the widget.
        """
        by_id: dict[str, Series] = {}
        found: dict[str, Series] = {}
        for entry in metrics:
            options = entry[-1]
            if "expression" in options:
                values = self._evaluate(options["expression"], by_id)
            else:
                dimensions = zip(entry[2:-1:2], entry[3:-1:2], strict=True)
                values = self._metric(entry[1], frozenset(dimensions), options["stat"])
            if "id" in options:
                by_id[options["id"]] = values
            if options.get("visible", True) and any(value is not None for value in values):
                found[options["label"]] = values
        return found

    def table(self, query: str) -> tuple[list[str], list[list[Any]]]:
        """The columns and rows of a query `filter … | stats sum(…) as … by … | sort … desc | limit …`."""
        commands = query.split("\n| ")
        stats = next(match for command in commands if (match := _STATS.fullmatch(command)))
        sums, keys = _SUM.findall(stats["sums"]), stats["keys"].split(", ")
        rows: dict[tuple[Any, ...], list[float]] = defaultdict(lambda: [0] * len(sums))
        for line in self.lines:
            row = rows[tuple(line.get(key, "") for key in keys)]
            for index, (name, _) in enumerate(sums):
                row[index] += line.get(name) or 0
        columns = [*keys, *(title for _, title in sums)]
        order = next(command.split()[1] for command in commands if command.startswith("sort"))
        limit = int(next(command.split()[1] for command in commands if command.startswith("limit")))
        ordered = sorted(([*key, *row] for key, row in rows.items()), key=lambda row: -row[columns.index(order)])
        return columns, ordered[:limit]

    def _metric(self, name: str, dimensions: frozenset[tuple[str, str]], statistic: str) -> Series:
        periods: list[list[float]] = [[] for _ in range(math.ceil(self.seconds / self.period))]
        for second, value in self._values.get((name, dimensions), ()):
            if 0 <= second < self.seconds:
                periods[int(second // self.period)].append(value)
        return [_statistic(values, statistic) if values else None for values in periods]

    def _evaluate(self, expression: str, by_id: dict[str, Series]) -> Series:
        return [
            self._at(ast.parse(expression, mode="eval").body, by_id, index)
            for index in range(math.ceil(self.seconds / self.period))
        ]

    def _at(self, node: ast.expr, by_id: dict[str, Series], index: int) -> float | None:
        """The value of metric math in one period; None if a metric of it has none."""
        match node:
            case ast.Constant(value=int() | float() as value):
                return float(value)
            case ast.Name(id=name):
                return by_id[name][index]
            case ast.Call(func=ast.Name(id="PERIOD")):
                return self.period
            case ast.Call(func=ast.Name(id="FILL"), args=[filled, ast.Name(id="REPEAT")]):
                values = (self._at(filled, by_id, earlier) for earlier in range(index, -1, -1))
                return next((value for value in values if value is not None), None)
            case ast.BinOp(left=left, op=op, right=right):
                one, other = self._at(left, by_id, index), self._at(right, by_id, index)
                if one is None or other is None or (isinstance(op, ast.Div) and other == 0):
                    return None
                return _OPERATORS[type(op)](one, other)
        raise ValueError(f"{ast.unparse(node)} is no metric math that is drawn here")


def _statistic(values: list[float], statistic: str) -> float:
    """A statistic of CloudWatch; a percentile by the nearest rank."""
    if statistic in _STATISTICS:
        return _STATISTICS[statistic](values)
    rank = math.ceil(float(statistic.removeprefix("p")) / 100 * len(values))
    return sorted(values)[max(rank, 1) - 1]
