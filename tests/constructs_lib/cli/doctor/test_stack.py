"""Whose failure an event of a stack with several endpoints is."""

import json
from datetime import UTC, datetime

from constructs_lib.cli.doctor.stack import Resource, StackRead
from constructs_lib.planning.diagnosis.signals import Line, Source
from tests.constructs_lib.cli.doctor.account import STACK, Account, template

OF_CHAT, OF_CODE, OF_ROLE = (Line(Source.STACK, "It failed", of=of) for of in ("Chat", "Code", "Role"))


def stack(*lines: Line) -> StackRead:
    endpoints = [
        Resource(logical=name, physical=f"{name}-1", type="AWS::SageMaker::Endpoint") for name in ("Chat", "Code")
    ]
    now = datetime(2026, 11, 30, tzinfo=UTC)
    return StackRead(
        name="Both",
        status="ROLLBACK_COMPLETE",
        resources=tuple(endpoints),
        lines=lines,
        began=now,
        ended=now,
        wanted=(),
    )


def test_an_endpoint_has_its_own_events_and_the_first_those_of_none():
    read = stack(OF_CHAT, OF_CODE, OF_ROLE)
    assert read.endpoints == ["Chat-1", "Code-1"]
    assert read.lines_of("Chat-1", is_first=True) == (OF_CHAT, OF_ROLE)
    assert read.lines_of("Code-1", is_first=False) == (OF_CODE,)


def test_a_stack_without_an_endpoint_has_its_events():
    assert stack(OF_ROLE).lines_of(None, is_first=True) == (OF_ROLE,)


def test_the_endpoint_that_failed_is_the_one_that_is_said_to(run, aws):
    body = template()
    resources = body["Resources"]
    resources["Second"] = json.loads(json.dumps(resources["Endpoint"]))
    account = Account(body)
    quota = "The account-level service limit 'ml.g5.2xlarge for endpoint usage' is 0 Instances"
    account.fail_deployment(("Second", "AWS::SageMaker::Endpoint", quota), status="UPDATE_ROLLBACK_COMPLETE")
    found = json.loads(run("doctor", STACK, "--json").out)["endpoints"]
    assert [[one["id"] for one in each["findings"]] for each in found] == [[], ["quota"]]
