"""The defaults of planning/scaling are what the simulator chose; a clearly worse figure fails here."""

from __future__ import annotations

from dataclasses import replace

from bench.scaling.case import CASES, case
from bench.scaling.sweep import LATE, Setting, day, is_good
from constructs_lib.planning.scaling.concurrency import FACTOR
from constructs_lib.planning.scaling.policies import SCALE_IN_SHARE, SCALE_OUT_COOLDOWN

CHAT, DOCUMENTS, PREFILL = (case(*each) for each in CASES)
CHOSEN = Setting(FACTOR, SCALE_IN_SHARE, SCALE_OUT_COOLDOWN)
MORNING = 13
"""Hours: enough to see instances added, and removed where they are removed too early."""


def test_hardly_a_request_is_late_with_the_defaults() -> None:
    assert is_good(
        [
            day(CHAT, CHOSEN, 1, hours=MORNING),
            day(DOCUMENTS, CHOSEN, 1),
            day(PREFILL, CHOSEN, 1, hours=MORNING),
        ]
    )


def test_a_higher_target_lets_more_requests_wait() -> None:
    assert day(DOCUMENTS, replace(CHOSEN, factor=FACTOR + 0.25), 1).late > LATE


def test_removing_more_readily_lets_more_requests_wait() -> None:
    assert day(PREFILL, replace(CHOSEN, share=SCALE_IN_SHARE + 0.3), 1, hours=MORNING).late > LATE


def test_a_lower_target_costs_a_tenth_more() -> None:
    lower, chosen = (
        day(CHAT, setting, 1, hours=MORNING).dollars for setting in (replace(CHOSEN, factor=FACTOR - 0.2), CHOSEN)
    )
    assert lower > 1.1 * chosen


def test_the_cooldown_outlasts_the_start_of_an_instance() -> None:
    assert all(one.start_seconds <= SCALE_OUT_COOLDOWN for one in (CHAT, DOCUMENTS, PREFILL))
