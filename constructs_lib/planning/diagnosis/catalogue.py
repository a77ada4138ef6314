"""Every cause by its id."""

from __future__ import annotations

from constructs_lib.planning.diagnosis.account import ACCOUNT
from constructs_lib.planning.diagnosis.cause import Cause, Evidence, Finding
from constructs_lib.planning.diagnosis.serving import SERVING
from constructs_lib.planning.diagnosis.starting import STARTING

CAUSES: dict[str, Cause] = {cause.id: cause for cause in (*ACCOUNT, *STARTING, *SERVING)}
"""Every cause, in an order in which the likelier of equal weight are first."""

MAX_EVIDENCE = 3
"""Pieces of evidence of one finding."""


def finding(
    cause_id: str,
    *evidence: Evidence,
    weight: int | None = None,
    title: str = "",
    fix: str = "",
) -> Finding:
    """A finding of a cause.

    Args:
        cause_id: Its id.
        evidence: What speaks for it, the best first.
        weight: How much. Default: the cause's.
        title: What is more exact than the cause's. Default: the cause's.
        fix: Likewise.
    """
    cause = CAUSES[cause_id]
    return Finding(
        id=cause.id,
        title=title or cause.title,
        fix=fix or cause.fix,
        evidence=evidence[:MAX_EVIDENCE],
        weight=cause.weight if weight is None else weight,
        runbook=cause.runbook,
    )
