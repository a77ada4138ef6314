"""Tables on the terminal, plain in a pipe, and as Markdown for the docs."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from bench.scaling.measure import Summary


@dataclass(slots=True)
class Table:
    """A table.

    Args:
        title: What it shows.
        columns: Heads of the columns; all but the first have numbers.
        rows: The cells.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def markdown(self) -> str:
        """The table as Markdown."""
        rule = "|".join(["---", *("--:" for _ in self.columns[1:])])
        lines = [f"| {' | '.join(self.columns)} |", f"|{rule}|"]
        return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in self.rows)])

    def show(self) -> None:
        """Print it."""
        if sys.stdout.isatty():
            self._show_rich()
            return
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        sys.stdout.write(f"{self.title}\n")
        for cells in (self.columns, *self.rows):
            first, *rest = (
                cell.ljust(width) if not index else cell.rjust(width)
                for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
            )
            sys.stdout.write("  ".join([first, *rest]).rstrip() + "\n")
        sys.stdout.write("\n")

    def _show_rich(self) -> None:
        from rich.console import Console
        from rich.table import Table as RichTable

        table = RichTable(title=self.title, title_justify="left")
        for index, column in enumerate(self.columns):
            table.add_column(column, justify="right" if index else "left")
        for row in self.rows:
            table.add_row(*row)
        Console().print(table)


FIGURES = ("first token p50", "p95", "late", "failed", "dollars a day", "instances", "changes")
"""Columns of `figures`."""


def figures(summary: Summary, hours: float) -> tuple[str, ...]:
    """The cells of a run.

    Args:
        summary: Its figures.
        hours: Length of its load.
    """
    failed = ", ".join(f"{count} × {kind}" for kind, count in sorted(summary.failures.items())) or "0"
    return (
        seconds(summary.p50),
        seconds(summary.p95),
        percent(summary.late),
        failed,
        f"{summary.dollars * 24 / hours:.0f}",
        f"{summary.instances:.1f}",
        str(summary.changes),
    )


def seconds(value: float) -> str:
    """A time, such as `0.25 s` or `110 s`."""
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def percent(value: float) -> str:
    """A share, such as `0.4 %`."""
    return f"{value * 100:.1f} %"


class Progress:
    """Shows on standard error what is being simulated: one changing line on a terminal, else nothing."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()

    def step(self, text: str) -> None:
        """Show what runs now."""
        self._write(f"\r\x1b[K• {text}")

    def done(self) -> None:
        """Clear the line."""
        self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if self._terminal:
            sys.stderr.write(text)
            sys.stderr.flush()
