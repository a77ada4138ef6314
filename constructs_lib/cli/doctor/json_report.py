"""An examination as JSON values."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from constructs_lib.cli.doctor.examination import Examination, likelihood
from constructs_lib.planning.diagnosis.cause import Finding
from constructs_lib.planning.diagnosis.planned import PlanOfDeployed
from constructs_lib.planning.diagnosis.signals import Series


def json_report(examination: Examination) -> dict[str, Any]:
    """What was found of each endpoint, the likeliest first, and what was read."""
    return {
        "endpoints": [
            {
                "endpoint": signals.endpoint,
                "stack": signals.stack,
                "region": signals.region,
                "status": signals.status or None,
                "findings": [_finding(one) for one in diagnosis.findings],
                "plans": [_plan(one) for one in diagnosis.plans],
                "metrics": {name: _metric(series) for name, series in sorted(signals.metrics.items())},
            }
            for signals, diagnosis in examination.found
        ],
        "since": _time(examination.period.since),
        "until": _time(examination.period.until),
        "checked": list(examination.checked),
        "could_not_read": list(examination.unread),
    }


def _finding(one: Finding) -> dict[str, Any]:
    evidence = [
        {"source": part.source, "text": part.text, "at": _time(part.at), "times": part.times} for part in one.evidence
    ]
    return {
        "id": one.id,
        "title": one.title,
        "likelihood": likelihood(one),
        "weight": int(one.weight),
        "evidence": evidence,
        "fix": one.fix,
        "runbook": f"docs/{one.runbook}",
    }


def _plan(one: PlanOfDeployed) -> dict[str, Any]:
    memory = one.plan.memory
    return {
        "name": one.name,
        "model": one.request.model.hub_id,
        "engine": one.request.engine.name,
        "version": one.request.image_choice.version,
        "instance": one.request.instance.name,
        "fits": memory.fits if memory else None,
        "shortfall": memory.shortfall if memory else None,
        "context": memory.context if memory else None,
    }


def _metric(series: Series) -> dict[str, Any]:
    most = series.most
    return {"statistic": series.statistic, "most": most[1] if most else None, "at": _time(most[0]) if most else None}


def _time(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
