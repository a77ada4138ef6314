"""An examination as text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from textwrap import fill
from typing import TYPE_CHECKING

from rich.text import Text

from constructs_lib.cli.doctor.examination import Examination, likelihood
from constructs_lib.planning.diagnosis.cause import Evidence, Finding
from constructs_lib.planning.diagnosis.diagnose import Diagnosis
from constructs_lib.planning.diagnosis.signals import Signals

if TYPE_CHECKING:
    from constructs_lib.cli.output import Output

_DOCS = "docs/"
_MOST_WIDTH = 120
_AT_MOST = (
    ("ModelLatency", "latency of the container", 1e-6, " s"),
    ("ConcurrentRequestsPerModel", "requests at one time", 1, ""),
    ("GPUUtilization", "GPUs", 1, " %"),
    ("GPUMemoryUtilization", "GPU memory", 1, " %"),
    ("MemoryUtilization", "memory", 1, " %"),
    ("DiskUtilization", "disk", 1, " %"),
)


def print_report(examination: Examination, out: Output) -> None:
    """Print what was found, the likeliest first, and what was read.

    Args:
        examination: The examination.
        out: Where to print.
    """
    for number, (signals, diagnosis) in enumerate(examination.found):
        if number:
            out.print()
        out.print(Text(_subject(signals), style="bold"))
        for plan in diagnosis.plans:
            _wrapped(out, f"By its plan: {plan.words()}", 0)
        if measured := ", ".join(_measured(signals)):
            _wrapped(out, f"Measured: {measured}.", 0)
        _print_findings(diagnosis, out)
    out.print()
    since, until = (_time(time) for time in (examination.period.since, examination.period.until))
    _wrapped(out, f"Logs and metrics from {since} to {until}. Read: {', '.join(examination.checked)}.", 0)
    for note in examination.unread:
        out.print(Text.assemble(("note:", "yellow"), f" {note}"))


def _print_findings(diagnosis: Diagnosis, out: Output) -> None:
    if not diagnosis.findings:
        out.print(Text.assemble(("Nothing was found", "green"), " that keeps it from starting or makes it slow."))
    for number, finding in enumerate(diagnosis.findings, start=1):
        out.print()
        title = Text.assemble((f"{number}. {finding.title}", "bold"), f" ({likelihood(finding)})")
        out.print(title)
        for one in finding.evidence:
            _wrapped(out, _evidence(one), 3)
        _wrapped(out, f"→ {_fix(finding)}", 3)


def _subject(signals: Signals) -> str:
    parts = [
        f"stack {signals.stack}" if signals.stack else "",
        f"endpoint {signals.endpoint}" if signals.endpoint else "no endpoint",
        signals.status or "gone",
        signals.region,
    ]
    return " · ".join(part for part in parts if part)


def _measured(signals: Signals) -> Iterator[str]:
    """The metrics that say how it does."""
    for name, words in (("Invocations", "requests"), ("Invocation4XXErrors", "4xx"), ("Invocation5XXErrors", "5xx")):
        if name in signals.metrics:
            yield f"{signals.total(name):.0f} {words}"
    for name, words, scale, unit in _AT_MOST:
        if most := signals.metrics[name].most if name in signals.metrics else None:
            yield f"{words} at most {most[1] * scale:.3g}{unit}"


def _evidence(one: Evidence) -> str:
    at = f"{_time(one.at)} " if one.at else ""
    times = f" ({one.times} times)" if one.times > 1 else ""
    return f"{at}{one.source}: {one.text}{times}"


def _fix(finding: Finding) -> str:
    return f"{finding.fix} {_DOCS}{finding.runbook}"


def _time(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S%z").replace("+0000", "Z")


def _wrapped(out: Output, text: str, indent: int) -> None:
    """On a terminal wrapped, in a pipe on one line."""
    begin = " " * indent
    width = min(out.width, _MOST_WIDTH)
    if not out.is_terminal:
        out.write(f"{begin}{text}\n")
        return
    out.print(
        fill(
            text,
            max(width, indent + 30),
            initial_indent=begin,
            subsequent_indent=f"{begin}  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    )
