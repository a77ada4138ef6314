"""What people reported in public, with the right answer: `cases/` has the reports, one file per class."""

from __future__ import annotations

import pytest

from tests.field.case_files import Case, read_cases


def _parameter(case: Case) -> object:
    marks = [pytest.mark.xfail(strict=True, reason=case.pending)] if case.pending else []
    return pytest.param(case, id=f"{case.field}-{case.id}", marks=marks)


@pytest.mark.parametrize("case", [_parameter(case) for case in read_cases()])
def test_a_report_gets_the_right_answer(case: Case) -> None:
    assert not case.deviations(), f"{case.row['situation']} ({case.row['source']})"
