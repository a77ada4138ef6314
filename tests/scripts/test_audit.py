"""What `make audit` makes of findings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from scripts.audit.checkov import CheckovError, read_report, run_checkov
from scripts.audit.findings import HARDENED, Accepted, Finding, faults, read_accepted
from scripts.audit.rule_packs import not_acknowledged

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION = "AWS::Lambda::Function"
IN_LLAMA = Finding("LlamaTgiStack", "CKV_AWS_117", FUNCTION, "FrontDoorFunction")
IN_HARDENED = Finding(HARDENED, "CKV_AWS_117", FUNCTION, "FrontDoorFunction")


def accepted(*, hardened: bool = False, resource_type: str = FUNCTION) -> Accepted:
    return Accepted("CKV_AWS_117", resource_type, "A reason.", hardened)


def test_what_is_accepted_is_no_fault() -> None:
    assert list(faults([IN_LLAMA], [accepted()])) == []


def test_a_finding_that_is_not_accepted_is_one() -> None:
    told = "not accepted: LlamaTgiStack/FrontDoorFunction (AWS::Lambda::Function): CKV_AWS_117"
    assert list(faults([IN_LLAMA], [])) == [told]


def test_what_is_accepted_for_other_resources_is_one_and_so_is_the_reason_without_a_finding() -> None:
    assert list(faults([IN_LLAMA], [accepted(resource_type="AWS::IAM::Role")])) == [
        "not accepted: LlamaTgiStack/FrontDoorFunction (AWS::Lambda::Function): CKV_AWS_117",
        "accepted, but not found any more: CKV_AWS_117 of AWS::IAM::Role",
    ]


def test_the_hardened_stack_is_held_to_more() -> None:
    told = f"not accepted: {HARDENED}/FrontDoorFunction (AWS::Lambda::Function): CKV_AWS_117"
    assert list(faults([IN_LLAMA, IN_HARDENED], [accepted()])) == [told]
    assert list(faults([IN_LLAMA, IN_HARDENED], [accepted(hardened=True)])) == []


def test_every_accepted_finding_has_a_reason_and_is_there_once() -> None:
    rows = read_accepted()
    assert len({(row.check, row.resource_type) for row in rows}) == len(rows) > 5
    for row in rows:
        assert len(row.reason) > 30, row
        assert row.reason.endswith("."), row


def test_a_rule_pack_holds_every_stack_and_the_hardened_one_is_held_to_all() -> None:
    found = {
        "AwsSolutions": [IN_LLAMA],
        "HIPAA.Security": [Finding("QwenTgiStack", "HIPAA.Security-LambdaDLQ", FUNCTION, "A"), IN_HARDENED],
    }
    assert not_acknowledged(found) == [IN_LLAMA, IN_HARDENED]


REPORT: dict[str, Any] = {
    "summary": {"parsing_errors": 0, "passed": 1},
    "results": {
        "failed_checks": [
            {
                "check_id": "CKV_AWS_117",
                "resource": f"{FUNCTION}.FrontDoorFunction",
                "file_path": "/LlamaTgiStack.template.json",
            }
        ]
    },
}


def program(tmp_path: Path, text: str, status: int) -> Path:
    """A stand-in for checkov that prints a text, and the directory that it was given to stderr."""
    written = tmp_path / "report"
    written.write_text(text)
    path = tmp_path / "checkov"
    path.write_text(
        f'#!/bin/sh\nls "$2" >"{tmp_path}/given"\necho "no such file" >&2\ncat "{written}"\nexit {status}\n'
    )
    path.chmod(0o755)
    return path


def test_checkov_gets_every_template_and_its_findings_are_read(tmp_path: Path) -> None:
    command = program(tmp_path, json.dumps(REPORT), 1)
    assert run_checkov(command, {"LlamaTgiStack": {}, "QwenTgiStack": {}}) == [IN_LLAMA] == list(read_report(REPORT))
    given = (tmp_path / "given").read_text().split()
    assert given == ["LlamaTgiStack.template.json", "QwenTgiStack.template.json"]


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("", 2, "checkov ended with 2: no such file"),
        ("", 0, "checkov ended with 0: no such file"),
        (
            json.dumps(REPORT | {"summary": {"parsing_errors": 1, "passed": 1}}),
            1,
            r"checkov could not read every template: .*'parsing_errors': 1",
        ),
        (
            json.dumps(REPORT | {"summary": {"parsing_errors": 0, "passed": 0}}),
            1,
            r"checkov could not read every template: .*'passed': 0",
        ),
    ],
)
def test_a_checkov_that_checked_nothing_is_an_error(tmp_path: Path, text: str, status: int, message: str) -> None:
    with pytest.raises(CheckovError, match=message):
        run_checkov(program(tmp_path, text, status), {"LlamaTgiStack": {}})
