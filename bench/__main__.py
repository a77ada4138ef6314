"""`python -m bench`: measure, print a table, write build/bench.json; exit status 1 if a limit is missed."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from bench import cold, report, size, synth, warm
from bench.figure import Figure, missed
from bench.template import front_door_function

PARTS = ("synth", "cold", "warm", "size")
REPORT = synth.ROOT / "build" / "bench.json"
NOTES = {
    "synth": "synth: the process of app.py, against an app with one empty stack and no rule packs; .pyc files exist.\n"
    "  Everything that scales: against an app with one empty stack and both rule packs.",
    "cold": "cold: process start to the end of the first response; only the runtime's packages have .pyc files.",
    "warm": "warm: against http.client on a persistent connection to the same upstream, without parsing.\n"
    "  Latency: one token every 2 ms, with processors kept awake by processes of idle priority.",
    "size": "size: 1 KB is 1,000 bytes.",
}

_Result = TypeVar("_Result")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the selected parts.

    Args:
        arguments: The command line without the program's name. Default: that of the process.

    Returns:
        0 if every limit is met, 1 if one is missed or a measurement failed.
    """
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="measure only this part (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: about a minute instead of about four")
    options = parser.parse_args(arguments)
    parts = [part for part in PARTS if not options.only or part in options.only]
    load = os.getloadavg()[0]
    busy = load > (os.cpu_count() or 1) / 2
    try:
        figures = _measure(parts, quick=options.quick)
    except (RuntimeError, TimeoutError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    notes = [f"Medians of pairs measured in alternation{', few rounds (--quick)' if options.quick else ''}."]
    notes += [NOTES[part] for part in parts]
    if busy:
        notes.append(f"The machine was busy at the start (load {load:.1f}): do not trust a missed limit.")
    report.show(figures, notes)
    report.write(REPORT, figures, notes, quick=options.quick)
    for figure in missed(figures):
        sys.stderr.write(f"bench: missed: {' | '.join(report.row(figure))}\n")
    return 1 if missed(figures) else 0


def _measure(parts: Sequence[str], *, quick: bool) -> list[Figure]:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if set(parts) - {"synth"}:
            _show_progress(
                "assembly",
                lambda _step: synth.run(synth.ROOT / "app.py", out, {**synth.project_context(), "nag": "off"}),
            )
            function = front_door_function(out)
        if "synth" in parts:
            figures += _show_progress("synth", lambda step: synth.measure(2 if quick else 7, step))
        if "cold" in parts:
            figures += _show_progress("cold start", lambda step: cold.measure(function, 5 if quick else 21, step))
        if "warm" in parts:
            figures += _show_progress("warm relay", lambda step: warm.measure(function, quick=quick, step=step))
        if "size" in parts:
            figures += size.measure(function.archive)
    return figures


def _show_progress(part: str, work: Callable[[Callable[[str], None]], _Result]) -> _Result:
    progress = report.Progress(part)
    try:
        return work(progress.step)
    finally:
        progress.done()


if __name__ == "__main__":
    sys.exit(main())
