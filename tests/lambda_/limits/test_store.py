"""What happens while DynamoDB cannot be asked: which errors are repeated, how long a request waits, who is let in."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator
from front_door.limits import admission, store

from tests.lambda_.limits.conftest import Doors, team
from tests.lambda_.limits.table import TABLE, Fault, Table, loses, refuses, says, sleeps
from tests.lambda_.protocols.openai.events import ANSWER
from tests.lambda_.protocols.tgi.test_routes import generation
from tests.lambda_.sagemaker_double import SageMakerDouble, error, parts

CHAT = {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 100}
INPUTS = {"inputs": "Hi there", "parameters": {"max_new_tokens": 100}}
LIMITS = {"tokens_per_day": 1000, "concurrent_streams": 2}
UNAVAILABLE = "Whether you have tokens left cannot be checked right now. Try again in a moment."
PASSING = {
    "too much for the partition": refuses("ProvisionedThroughputExceededException"),
    "throttled": refuses("ThrottlingException"),
    "too much for the account": refuses("RequestLimitExceeded"),
    "another's transaction": refuses("TransactionConflictException"),
    "broken": refuses("InternalServerError", 500),
    "a proxy": says(b"<html>", 503),
    "a proxy that says it is fine": says(b"<html>", 200),
    "no item": says(b"{}", 200),
    "a lost answer": loses,
}


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FIRST_PAUSE_SECONDS", 0.001)


def test_no_time_is_longer_than_what_a_response_leaves() -> None:
    """A function ends its requests to the model one second before its deadline."""
    times = {"ATTEMPT_SECONDS": store, "RESERVE_SECONDS": admission, "SETTLE_SECONDS": admission}
    source = {
        name: float(re.findall(rf"^{name} = (.+)$", Path(module.__file__).read_text(), re.MULTILINE)[0])
        for name, module in times.items()
    }
    assert source["ATTEMPT_SECONDS"] < source["SETTLE_SECONDS"] < 1 < source["RESERVE_SECONDS"] < 2


@pytest.mark.parametrize("fault", PASSING.values(), ids=list(PASSING))
def test_a_call_is_repeated_after_an_error_that_passes_and_counts_once(
    fault: Fault, door_for: Doors, sagemaker: SageMakerDouble, table: Table
) -> None:
    door = door_for(team(**LIMITS))
    table.faults = [fault, fault, None, fault, fault, None]
    sagemaker.replies += [parts(*ANSWER), parts(*ANSWER)]
    assert door.read("/v1/chat/completions", CHAT).status == 200
    line = door.line()
    assert ("StoreFailures" in line, line["used_tokens"]) == (False, 11)
    item = table.item("team-a")
    assert (table.updates, item["day_tokens"], item["in_flight"]) == (6, 11, {})


FAILING = {
    "forbidden": (refuses("AccessDeniedException"), "AccessDeniedException"),
    "no table": (refuses("ResourceNotFoundException"), "ResourceNotFoundException"),
    "wrong": (refuses("ValidationException"), "ValidationException"),
    "no key": (refuses("KMSAccessDeniedException"), "KMSAccessDeniedException"),
    "no code": (says(b"no JSON", 418), "HTTP 418"),
    "a code of another form": (refuses("<b>"), "HTTP 400"),
}


@pytest.mark.parametrize(("fault", "cause"), FAILING.values(), ids=list(FAILING))
def test_any_other_error_is_not(fault: Fault, cause: str, door_for: Doors, table: Table) -> None:
    door = door_for(team(**LIMITS))
    table.faults = [fault]
    assert door.read("/v1/chat/completions", CHAT).status == 503
    line = door.line()
    assert (line["store_failure"], line["StoreFailures"], line["cause"]) == (cause, 1, cause)
    assert table.updates == 1


def test_closed_refuses_in_the_protocol_of_the_client(
    door_for: Doors, sagemaker: SageMakerDouble, table: Table
) -> None:
    door = door_for(team(on_store_failure="closed", **LIMITS))
    table.faults = [refuses("AccessDeniedException")] * 2
    response = door.read("/v1/chat/completions", {**CHAT, "stream": True})
    assert (response.status, response.headers["Retry-After"], response.json()["error"]) == (
        503,
        "5",
        {"message": UNAVAILABLE, "type": "server_error", "param": None, "code": "limits_unavailable"},
    )
    response = door.read("/models/llama/generate_stream", INPUTS)
    assert (response.status, response.json()) == (503, {"error": UNAVAILABLE, "error_type": "limits_unavailable"})
    assert sagemaker.received == []
    lines = door.log()
    assert [(line["level"], "reserved_tokens" in line) for line in lines] == [("WARN", False)] * 2


def test_open_lets_the_request_go_on_and_says_so(
    door_for: Doors, sagemaker: SageMakerDouble, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONT_DOOR", "Stack/FrontDoor")
    door = door_for(team(on_store_failure="open", **LIMITS))
    table.faults = [refuses("AccessDeniedException")]
    sagemaker.replies += [parts(*ANSWER)]
    assert door.read("/v1/chat/completions", CHAT).status == 200
    line = door.line()
    assert (line["level"], line["StoreFailures"], line["store_failure"]) == ("WARN", 1, "AccessDeniedException")
    metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    assert {"Name": "StoreFailures", "Unit": "Count"} in metrics
    assert (table.item("team-a"), table.updates) == ({}, 1)


def test_an_answer_that_is_lost_before_a_refusal_is_corrected_too(
    door_for: Doors, sagemaker: SageMakerDouble, table: Table
) -> None:
    door = door_for(team(on_store_failure="open", **LIMITS))
    table.faults = [loses, refuses("AccessDeniedException"), None]
    sagemaker.replies += [parts(*ANSWER)]
    assert door.read("/v1/chat/completions", CHAT).status == 200
    item = table.item("team-a")
    assert (item["day_tokens"], item["in_flight"]) == (11, {})


def test_what_the_table_has_taken_without_saying_so_is_corrected_all_the_same(
    door_for: Doors, sagemaker: SageMakerDouble, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ATTEMPT_SECONDS", 0.3)
    monkeypatch.setattr(admission, "RESERVE_SECONDS", 0.3)
    door = door_for(team(on_store_failure="open", **LIMITS))
    table.faults = [sleeps(0.5), None]
    sagemaker.replies += [parts(*ANSWER)]
    assert door.read("/v1/chat/completions", CHAT).status == 200
    assert door.line()["store_failure"] == "deadline"
    item = table.item("team-a")
    assert (item["day_tokens"], item["in_flight"]) == (11, {})
    door = door_for(team(on_store_failure="closed", **LIMITS))
    table.faults = [sleeps(0.5), None]
    assert door.read("/v1/chat/completions", CHAT).status == 503
    item = table.item("team-a")
    assert (item["day_tokens"], item["in_flight"]) == (11, {})


def test_a_slow_answer_is_not_waited_for_and_the_call_is_repeated(
    door_for: Doors, sagemaker: SageMakerDouble, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ATTEMPT_SECONDS", 0.4)
    door = door_for(team(**LIMITS))
    table.faults = [sleeps(5), None, None]
    sagemaker.replies += [parts(*ANSWER)]
    started = time.monotonic()
    assert door.read("/v1/chat/completions", CHAT).status == 200
    assert time.monotonic() - started < 4
    item = table.item("team-a")
    assert (item["day_tokens"], item["in_flight"]) == (11, {})


def test_a_table_that_never_answers_holds_a_request_for_a_moment(
    door_for: Doors, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ATTEMPT_SECONDS", 0.2)
    monkeypatch.setattr(admission, "RESERVE_SECONDS", 0.5)
    monkeypatch.setattr(admission, "SETTLE_SECONDS", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        door = door_for(team(on_store_failure="open", **LIMITS), dynamodb_url=url)
        sagemaker.replies += [parts(*ANSWER)]
        started = time.monotonic()
        response = door.begin("/v1/chat/completions", CHAT)
        assert response.status == 200
        reserved = time.monotonic() - started
        response.body.close()  # type: ignore[attr-defined]
        assert admission.RESERVE_SECONDS <= reserved + 0.1 < admission.RESERVE_SECONDS + 5
        assert time.monotonic() - started - reserved < admission.SETTLE_SECONDS + 5
    first, second = door.log()
    assert (first["store_failure"], second["cause"]) == ("deadline", "deadline")


def test_nobody_listens(door_for: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "RESERVE_SECONDS", 0.2)
    monkeypatch.setattr(admission, "SETTLE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    door = door_for(team(**LIMITS), dynamodb_url=url)
    assert door.read("/v1/chat/completions", CHAT).status == 503
    assert door.log()[0]["store_failure"] == "no connection: ConnectionRefusedError"


def test_a_correction_that_is_lost_is_a_line_of_its_own_and_all_stays_spent(
    door_for: Doors, sagemaker: SageMakerDouble, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONT_DOOR", "Stack/FrontDoor")
    door = door_for(team(**LIMITS))
    table.faults = [None, refuses("AccessDeniedException")]
    sagemaker.replies += [parts(*ANSWER)]
    assert door.read("/v1/chat/completions", CHAT).status == 200
    line, lost = door.log()
    metric = lost.pop("_aws")["CloudWatchMetrics"]
    assert lost == {
        "level": "WARN",
        "message": "The tokens of a request were not corrected.",
        "request_id": "gateway-id",
        "consumer": "team-a",
        "cause": "AccessDeniedException",
        "StoreFailures": 1,
        "FrontDoor": "Stack/FrontDoor",
    }
    assert metric == [
        {
            "Namespace": "TgiEndpoint/FrontDoor",
            "Dimensions": [["FrontDoor"]],
            "Metrics": [{"Name": "StoreFailures", "Unit": "Count"}],
        }
    ]
    assert (line["used_tokens"], table.item("team-a")["day_tokens"]) == (11, 106)


def test_the_call_is_what_botocore_would_send(door_for: Doors) -> None:
    """Its model of UpdateItem accepts the members, and its signature is for the service."""
    dynamodb = SageMakerDouble()
    dynamodb.replies += [error(400, "AccessDeniedException")]
    door = door_for(team(**LIMITS), dynamodb_url=dynamodb.url)
    door.read("/v1/chat/completions", CHAT)
    (received, *_) = dynamodb.received
    dynamodb.close()
    shape = Session().get_service_model("dynamodb").operation_model("UpdateItem").input_shape
    assert ParamValidator().validate(received.json(), shape).generate_report() == ""
    assert received.headers["x-amz-target"] == "DynamoDB_20120810.UpdateItem"
    assert received.headers["content-type"] == "application/x-amz-json-1.0"
    assert "/eu-west-1/dynamodb/aws4_request" in received.headers["authorization"]
    assert received.json()["TableName"] == TABLE


def test_the_table_is_asked_twice_for_each_request(door_for: Doors, sagemaker: SageMakerDouble, table: Table) -> None:
    door = door_for(team(**LIMITS))
    door.set_clock(1_795_694_400)
    for _ in range(5):
        sagemaker.replies += [parts(*generation())]
        assert door.read("/models/llama/generate", INPUTS).status == 200
    assert table.updates == 10


def test_another_sandbox_may_need_one_call_more(door_for: Doors, sagemaker: SageMakerDouble, table: Table) -> None:
    for _ in range(2):
        door: Any = door_for(team(**LIMITS))
        door.set_clock(1_795_694_400)
        sagemaker.replies += [parts(*generation())]
        assert door.read("/models/llama/generate", INPUTS).status == 200
    assert table.updates == 2 + 3
