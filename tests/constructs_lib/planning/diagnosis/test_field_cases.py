"""The likeliest cause of each deployment that was reported with an error or a log is the right one."""

import re

import pytest

from constructs_lib.planning.diagnosis.catalogue import CAUSES
from constructs_lib.planning.diagnosis.diagnose import diagnose
from tests.constructs_lib.planning.diagnosis.field_signals import LOGS, field_cases, signals_of

CASES = field_cases()
_SAYS = re.compile(
    r'"[^"]{12,}"|ran out of memory|did not start|does not start|cannot start|shard stops|launcher stops|CUDA error'
    r"|TypeError|mismatch|[Uu]nsupported model type|CreateModel answers|'[A-Z][^']{20,}'"
)


def _marked(case: str):
    pending = LOGS[case].get("pending")
    return pytest.param(case, id=case, marks=[pytest.mark.xfail(reason=pending)] if pending else [])


@pytest.mark.parametrize("case", [_marked(case) for case in LOGS])
def test_the_right_cause_is_the_likeliest(case):
    found = diagnose(signals_of(CASES[case], LOGS[case])).findings
    assert found[0].id == LOGS[case]["cause"], [(one.id, one.weight, one.evidence) for one in found]


def test_the_causes_that_are_expected_are_of_the_catalogue():
    assert {said["cause"] for said in LOGS.values()} - CAUSES.keys() == set()


def test_every_report_of_an_endpoint_that_quotes_an_error_is_in_the_table():
    quoting = {name for name, case in CASES.items() if case["kind"] != "door" and _SAYS.search(case["situation"])}
    assert quoting - LOGS.keys() == set()
    assert len(LOGS) == 73
    assert sum("pending" in said for said in LOGS.values()) == 4
