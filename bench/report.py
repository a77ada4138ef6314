"""How the figures are shown: progress while measuring, a table at the end, a JSON file for machines."""

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
    """Tells on standard error what is being measured: one changing line on a terminal, a line per part otherwise."""

    def __init__(self, part: str) -> None:
        self._part = part
        self._terminal = sys.stderr.isatty()
        if not self._terminal:
            self._write(f"• {part}\n")

    def step(self, text: str) -> None:
        """Say which measurement comes now."""
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
    return figure.what, figure.ours, figure.reference, _quantity(figure.value, figure.unit), limit, figure.verdict


def show(figures: Sequence[Figure], notes: Sequence[str]) -> None:
    """Print the table: with lines and colours on a terminal, plain in a pipe."""
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
    """Write everything that was measured, single measurements included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cpus": os.cpu_count()},
        "quick": quick,
        "notes": list(notes),
        "figures": [
            {
                "key": figure.key,
                "what": figure.what,
                "value": figure.value,
                "unit": figure.unit,
                "bound": figure.bound,
                "limit": figure.limit,
                "kept": figure.kept,
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
