"""What the front door's log says of requests that failed: a line of JSON for each, with the kind of its error."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from constructs_lib.planning.diagnosis.catalogue import CAUSES, finding
from constructs_lib.planning.diagnosis.cause import Evidence, Finding
from constructs_lib.planning.diagnosis.signals import Line, Signals, Source

_CAUSE_BY_KIND = {kind: cause.id for cause in CAUSES.values() for kind in cause.kinds}
_SHOWN = ("error", "cause", "Model", "route")
"""Only names: these lines hold no text of requests, and nothing else of them is shown."""


def request_findings(signals: Signals) -> Iterator[Finding]:
    """A finding for each cause of errors in the front door's log."""
    failed: dict[str, list[tuple[Line, dict[str, Any]]]] = defaultdict(list)
    for line in signals.lines:
        record = _record(line)
        kind = record.get("error")
        if isinstance(kind, str) and kind in _CAUSE_BY_KIND:
            failed[_CAUSE_BY_KIND[kind]].append((line, record))
    for cause_id, found in failed.items():
        line, record = found[-1]
        words = ", ".join(f"{name}={record[name]}" for name in _SHOWN if record.get(name))
        yield finding(cause_id, Evidence(source=Source.FUNCTION, text=words, at=line.at, times=len(found)))


def _record(line: Line) -> dict[str, Any]:
    text = line.text.strip()
    if line.source is not Source.FUNCTION or not text.startswith("{"):
        return {}
    try:
        record = json.loads(text)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
