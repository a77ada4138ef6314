"""Output: progress while measuring, a table at the end, and a JSON file."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.figure import Figure

COLUMNS = ("measured", "ours", "reference", "figure", "limit", "verdict")


class Progress:
    """Shows on standard error what is being measured: one changing line on a terminal, else one line per part.

    Args:
        part: The part of the benchmark.
    """

    def __init__(self, part: str) -> None:
        self._part = part
        self._terminal = sys.stderr.isatty()
        if not self._terminal:
            self._write(f"• {part}\n")

    def step(self, text: str) -> None:
        """Show the current measurement."""
        if self._terminal:
            self._write(f"\r\x1b[K• {self._part}: {text}")

    def done(self) -> None:
        """Clear the line."""
        if self._terminal:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def row(figure: Figure) -> tuple[str, ...]:
    """The cells of one figure."""
    limit = (
        "–"
        if figure.limit is None
        else f"{'≤' if figure.bound == 'at most' else '≥'} {_quantity(figure.limit, figure.unit)}"
    )
    return (
        figure.description,
        figure.ours,
        figure.reference,
        _quantity(figure.value, figure.unit),
        limit,
        figure.verdict,
    )


def show(figures: Sequence[Figure], notes: Sequence[str]) -> None:
    """Print the table, on a terminal with lines and colours."""
    rows = [row(figure) for figure in figures]
    if sys.stdout.isatty():
        _show_rich(rows, notes)
        return
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    for cells in (COLUMNS, *rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        sys.stdout.write(line.rstrip() + "\n")
    sys.stdout.writelines(f"{note}\n" for note in ("", *notes))


def write(path: Path, figures: Sequence[Figure], notes: Sequence[str], *, quick: bool) -> None:
    """Write all figures with their samples as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cpus": os.cpu_count()},
        "quick": quick,
        "notes": list(notes),
        "figures": [
            {
                "key": figure.key,
                "description": figure.description,
                "value": figure.value,
                "unit": figure.unit,
                "bound": figure.bound,
                "limit": figure.limit,
                "is_met": figure.is_met,
                "samples": dict(figure.samples),
            }
            for figure in figures
        ],
    }
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def _show_rich(rows: Sequence[tuple[str, ...]], notes: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    colours = {"ok": "green", "MISSED": "bold red"}
    table = Table(*COLUMNS)
    for cells in rows:
        *rest, verdict = cells
        table.add_row(*rest, f"[{colours.get(verdict, 'dim')}]{verdict}[/]")
    console = Console()
    console.print(table)
    for note in notes:
        console.print(note, style="dim", markup=False, highlight=False)


def _quantity(value: float, unit: str) -> str:
    if unit == "x":
        return f"{value:.3f} ×" if value < 0.2 else f"{value:.2f} ×"
    return f"{value:.3f} {unit}" if unit == "ms" and value < 1 else f"{value:.1f} {unit}"
