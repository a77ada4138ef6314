"""What a cause is, and what is found of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from constructs_lib.planning.diagnosis.signals import Source


class Weight(IntEnum):
    """How much what was found says about the cause. Findings are ranked by it.

    Attributes:
        NAMED: AWS or the engine names the cause itself.
        FAILED: It says what has failed, which mostly has this cause.
        PLANNED: The plan of what is deployed says so, and nothing was seen.
        SUSPECTED: It explains what is seen, and other causes would as well.
        SYMPTOM: It is what the causes lead to.
    """

    NAMED = 90
    FAILED = 70
    PLANNED = 60
    SUSPECTED = 40
    SYMPTOM = 10


CONFIRMED = 5
"""What is added if the plan and something that was read say the same."""

PAST = 50
"""What is taken from causes that keep endpoints from starting, if the endpoint serves: they are possible at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why an endpoint may not start, or be slow.

    Args:
        id: Stable name, such as `out-of-memory`.
        title: The cause, as a sentence without its full stop.
        fix: What to change in the construct, or which command to run, as sentences.
        patterns: Regular expressions of what says so.
        weight: How much that says.
        sources: Where it may be said. Default: in the container's log, and in reasons of SageMaker and CloudFormation.
        starting: Whether it keeps endpoints from starting, so that it is less likely in one that serves.
        serving: Whether it concerns only endpoints that serve.
        runbook: Heading of a page in docs/, as a link. Default: when an endpoint does not start.
        kinds: Kinds of errors in the front door's log that say so.
    """

    id: str
    title: str
    fix: str
    patterns: tuple[re.Pattern[str], ...] = ()
    weight: int = Weight.NAMED
    sources: frozenset[Source] = frozenset((Source.LOG, Source.STATUS, Source.STACK))
    starting: bool = False
    serving: bool = False
    runbook: str = "operations.md#when-an-endpoint-does-not-start"
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What says that it is the cause.

    Args:
        source: Where it was seen, such as `container log` or `metric GPUMemoryUtilization`.
        text: What was seen there.
        at: When; None if nothing says.
        times: How often.
    """

    source: str
    text: str
    at: datetime | None = None
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A cause that something speaks for.

    Args:
        id: Id of the cause.
        title: The cause, as a sentence without its full stop.
        fix: What to do, as sentences.
        evidence: What speaks for it, the best first.
        weight: How much; see `Weight`.
        runbook: Heading of a page in docs/, as a link.
    """

    id: str
    title: str
    fix: str
    evidence: tuple[Evidence, ...] = field(default=())
    weight: int
    runbook: str


def patterns(*texts: str) -> tuple[re.Pattern[str], ...]:
    """Compile patterns, without regard to case."""
    return tuple(re.compile(text, re.IGNORECASE) for text in texts)
