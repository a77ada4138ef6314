"""From signals to findings, the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from constructs_lib.planning.diagnosis.catalogue import CAUSES, MAX_EVIDENCE, finding
from constructs_lib.planning.diagnosis.cause import CONFIRMED, PAST, Cause, Evidence, Finding, Weight
from constructs_lib.planning.diagnosis.measured import measured_findings
from constructs_lib.planning.diagnosis.planned import PlanOfDeployed, planned_findings, plans_of
from constructs_lib.planning.diagnosis.redact import clean, excerpt, secret_values
from constructs_lib.planning.diagnosis.requests import request_findings
from constructs_lib.planning.diagnosis.signals import Line, Signals, Source

_LAST_LINES = 5
_LOADING = re.compile(
    r"Download: \[\d+/\d+\]|Download file: |Starting check and download|Waiting for shard to be ready"
    r"|Loading (?:safetensors|pt) checkpoint shards|Starting to load model|Fetching \d+ files|\.safetensors: +\d+%"
)
_FAILED = ("Failed", "OutOfService", "UpdateRollbackFailed")


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What was found.

    Args:
        findings: Causes, the likeliest first; empty if nothing is wrong as far as can be seen.
        plans: What is deployed, planned again.
    """

    findings: tuple[Finding, ...]
    plans: tuple[PlanOfDeployed, ...]


def diagnose(signals: Signals) -> Diagnosis:
    """The causes that something speaks for, the likeliest first.

    A cause that several things speak for is one finding, with the weight of the best; if the plan is among them, its
    weight is higher. The advice is the most exact, such as that of the plan, which has figures.

    Args:
        signals: What was read.
    """
    plans = plans_of(signals)
    secrets = secret_values(one.environment for one in signals.deployed)
    streams = min((one.streams for one in plans if one.streams is not None), default=None)
    found = chain(
        _still_loading(signals, secrets),
        _named(signals, secrets),
        request_findings(signals),
        measured_findings(signals, streams),
        planned_findings(plans, serves=signals.serves),
        _quotas(signals),
    )
    merged = _merge(found)
    if not merged and (signals.status in _FAILED or signals.deployment_failed):
        merged = [_nothing_said(signals)]
    ranked = sorted(merged, key=lambda one: -one.weight)
    return Diagnosis(findings=tuple(_clean(one, secrets) for one in _without_symptoms(ranked)), plans=plans)


def _named(signals: Signals, secrets: tuple[str, ...]) -> Iterator[Finding]:
    """What lines name."""
    lines = [(line, clean(line.text, secrets)) for line in signals.lines]
    for cause in CAUSES.values():
        if cause.serving and not signals.serves:
            continue
        evidence = _evidence(cause, lines)
        if evidence:
            weight = cause.weight - (PAST if cause.starting and signals.serves else 0)
            yield finding(cause.id, *evidence, weight=max(weight, Weight.SYMPTOM))


def _still_loading(signals: Signals, secrets: tuple[str, ...]) -> Iterator[Finding]:
    """That the health check timed out while the weights were on their way: the end of the log says so."""
    cause = CAUSES["health-check"]
    was_late = any(line.source in cause.sources and cause.patterns[0].search(line.text) for line in signals.lines)
    log = [line for line in signals.lines if line.source is Source.LOG][-_LAST_LINES:]
    loading = [line for line in log if _LOADING.search(clean(line.text))]
    if was_late and loading and not signals.serves:
        last = loading[-1]
        evidence = Evidence(source=Source.LOG, text=excerpt(clean(last.text, secrets), _LOADING), at=last.at)
        yield finding(
            cause.id,
            evidence,
            weight=Weight.FAILED,
            title="The weights were still being downloaded or loaded when the health check timed out",
            fix="Raise startup_timeout (up to 1 hour), or copy the weights to S3, which is faster: Model.staged(…).",
        )


def _quotas(signals: Signals) -> Iterator[Finding]:
    for quota in signals.quotas:
        fix = (
            f"aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code {quota.code}"
            f" --desired-value {max(2, int(quota.value) + 1)}"
        )
        yield finding("quota", Evidence(source="Service Quotas", text=f"{quota.name}: {quota.value:g}"), fix=f"{fix}.")


def _evidence(cause: Cause, lines: Iterable[tuple[Line, str]]) -> tuple[Evidence, ...]:
    """The last lines that name the cause, each once, the newest first."""
    found: dict[tuple[str, str], Evidence] = {}
    for line, text in lines:
        pattern = next((one for one in cause.patterns if one.search(text)), None)
        if line.source not in cause.sources or pattern is None:
            continue
        source = f"{line.source} of {line.of}" if line.of else str(line.source)
        shown = excerpt(text, pattern)
        times = found.pop((source, shown)).times + 1 if (source, shown) in found else 1
        found[source, shown] = Evidence(source=source, text=shown, at=line.at, times=times)
    return tuple(reversed(found.values()))[:MAX_EVIDENCE]


def _merge(findings: Iterable[Finding]) -> list[Finding]:
    by_id: dict[str, Finding] = {}
    for one in findings:
        before = by_id.get(one.id)
        by_id[one.id] = one if before is None else _together(before, one)
    return list(by_id.values())


def _together(first: Finding, second: Finding) -> Finding:
    """Two findings of the same cause as one."""
    is_confirmed = _is_plans(first) != _is_plans(second)
    weight = max(first.weight, second.weight) + (CONFIRMED if is_confirmed else 0)
    advice = first if first.fix != CAUSES[first.id].fix else second
    evidence = (*first.evidence, *second.evidence)
    plans = [one for one in evidence if one.source == "plan"]
    others = [one for one in evidence if one.source != "plan"]
    kept = (*others[: MAX_EVIDENCE - bool(plans)], *plans[:1])
    return replace(first, weight=weight, fix=advice.fix, evidence=kept)


def _clean(found: Finding, secrets: tuple[str, ...]) -> Finding:
    """A finding whose evidence may be shown, wherever it is from."""
    return replace(found, evidence=tuple(replace(one, text=clean(one.text, secrets)) for one in found.evidence))


def _is_plans(finding: Finding) -> bool:
    return any(one.source == "plan" for one in finding.evidence)


def _without_symptoms(ranked: list[Finding]) -> list[Finding]:
    """Without what only follows from a cause that is found as well."""
    if ranked and ranked[0].weight >= Weight.SUSPECTED:
        return [one for one in ranked if one.weight > Weight.SYMPTOM]
    return ranked


def _nothing_said(signals: Signals) -> Finding:
    reason = next((line for line in signals.lines if line.source is Source.STATUS), None)
    text = excerpt(clean(reason.text)) if reason else f"the status is {signals.status}"
    evidence = Evidence(source="status", text=text, at=reason.at if reason else None)
    if signals.had_log is False:
        return finding(
            "container-cannot-start",
            Evidence(source="container log", text="the container has written none"),
            evidence,
            weight=Weight.SUSPECTED,
        )
    return finding("not-known", evidence)
