"""Containers that never come to an end: each response has one by the function's deadline, and memory stays bounded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from http.client import IncompleteRead
from itertools import count, repeat

import pytest

from tests.robustness.checked_client import (
    check_error_body,
    check_error_event,
    check_order,
    is_error,
    parse_strict_json,
)
from tests.robustness.expected_responses import chunk
from tests.robustness.misbehaving.cases import cases, objects_of, texts_of
from tests.robustness.misbehaving.clouds import (
    ENGINE_NAMES,
    MisbehavingCloud,
    Received,
    each_on_one_engine,
    misbehaving_cloud,
    peak_mebibytes,
    reset_peaks,
)
from tests.robustness.misbehaving.container import NONE, Healthy, Step
from tests.robustness.misbehaving.misbehaviors import MEBIBYTE, MISBEHAVIORS, head

pytestmark = [pytest.mark.xdist_group("stalling"), pytest.mark.slow, pytest.mark.timeout(600)]
TIMEOUT_SECONDS = 8
LATE_SECONDS = 60
"""How much later a response may come on a machine that is busy; without a deadline there would be none at all."""
CLIENTS = 16
TIMED_OUT = "Task timed out after"
"""In the line that Lambda writes for a function that it ends. On a busy machine the second that the front door leaves
itself may be too short."""
MAX_MEBIBYTES = 192
CASES = cases(with_models=False)


def _silent(_healthy: Healthy) -> Iterator[Step]:
    yield 100.0


def _silent_after_the_head(healthy: Healthy) -> Iterator[Step]:
    yield head(healthy.content_type)
    yield 100.0


def _silent_after_two_events(healthy: Healthy) -> Iterator[Step]:
    yield head(healthy.content_type)
    yield from map(chunk, healthy.events[:2])
    yield 100.0


def _one_byte_a_second(healthy: Healthy) -> Iterator[Step]:
    yield head(healthy.content_type)
    for at in range(len(healthy.body)):
        yield chunk(healthy.body[at : at + 1])
        yield 1.0


def _repeated(part: Callable[[Healthy], bytes], seconds: float = 0.05) -> Callable[[Healthy], Iterator[Step]]:
    """The first event, and then something again and again."""

    def respond(healthy: Healthy) -> Iterator[Step]:
        yield head(healthy.content_type) + chunk(healthy.events[0])
        for _ in count():
            yield chunk(part(healthy))
            yield seconds

    return respond


STALLING: dict[str, Callable[[Healthy], Iterator[Step]]] = {
    NONE: MISBEHAVIORS[NONE].respond,
    "silent": _silent,
    "silent after the head": _silent_after_the_head,
    "silent after two events": _silent_after_two_events,
    "one byte a second": _one_byte_a_second,
    "endless tokens": _repeated(lambda healthy: healthy.events[1 % len(healthy.events)]),
    "endless comments": _repeated(lambda healthy: b"\n" if healthy.end == b"\n" else b": x\n\n"),
    "an endless event": _repeated(lambda _healthy: b'data: {"a":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'),
    "an endless head": lambda _healthy: iter(
        [b"HTTP/1.1 200 OK\r\n", *(step for at in range(900) for step in (b"X-%d: y\r\n" % at, 0.05))]
    ),
}


@pytest.fixture(scope="module", params=ENGINE_NAMES)
def cloud(request: pytest.FixtureRequest) -> Iterator[MisbehavingCloud]:
    with misbehaving_cloud(request.param, STALLING, timeout_seconds=TIMEOUT_SECONDS) as running:
        for case in CASES.values():
            running.healthy[case.name] = running.send(case, NONE)
        yield running


@pytest.fixture(scope="module")
def responses(cloud: MisbehavingCloud) -> Iterator[dict[tuple[str, str], Future[Received]]]:
    """The responses of all cells of an engine, as nearly all of the time is spent waiting."""
    cells = [(name, case) for name in STALLING if name != NONE for case in CASES]
    with ThreadPoolExecutor(CLIENTS) as clients:
        found = {
            (name, case): clients.submit(cloud.send, CASES[case], name, TIMEOUT_SECONDS + LATE_SECONDS)
            for name, case in cells
        }
        yield found
    timeouts = [line for line in cloud.cloud.log if TIMED_OUT in line]
    assert len(timeouts) < len(found) / 2, "the front door does not end before its function's timeout"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", [name for name in STALLING if name != NONE])
def test_a_container_without_an_end(
    cloud: MisbehavingCloud, responses: dict[tuple[str, str], Future[Received]], name: str, case: str
) -> None:
    asked, complete = CASES[case], cloud.healthy[case]
    try:
        response = responses[name, case].result()
    except IncompleteRead:
        assert any(TIMED_OUT in line for line in cloud.cloud.log)
        pytest.skip("the machine was too busy for the function to end its response in time")
    if response.status >= 400:
        assert response.status in (502, 504)
        if b"Internal server error" in response.body and any(TIMED_OUT in line for line in cloud.cloud.log):
            pytest.skip("the machine was too busy for the function to begin its response in time")
        check_error_body(json.loads(response.body), asked.error_protocol)
    elif asked.is_streamed:
        objects = objects_of(response.body)
        assert is_error(objects[-1])
        check_error_event(objects[-1], asked.protocol)
        check_order(objects, asked.protocol)
        if name.startswith("silent"):
            expected = texts_of(objects_of(complete.body))
            assert all(expected[index].startswith(text) for index, text in texts_of(objects).items())
    else:
        # What is no stream may be complete before the container stops to send.
        assert response.status == 200
        assert not cloud.container.healthy[case].is_stream
    assert peak_mebibytes() < MAX_MEBIBYTES
    for line in [line for line in list(cloud.cloud.log) if TIMED_OUT not in line]:
        assert parse_strict_json(line).get("error") != "internal"


FLOODS: dict[str, Callable[[Healthy], Iterator[Step]]] = {
    NONE: MISBEHAVIORS[NONE].respond,
    "tokens": lambda healthy: iter(_flood(healthy, healthy.events[1 % len(healthy.events)])),
    "comments": lambda healthy: iter(_flood(healthy, b"\n" if healthy.end == b"\n" else b": x\n\n")),
    "one event": lambda healthy: iter(_flood(healthy, b'data: {"a":"xxxxxxxx')),
    "large events": lambda healthy: iter(
        _flood(healthy, healthy.events[1 % len(healthy.events)].replace(b"a", b"a" * 1000))
    ),
}


def _flood(healthy: Healthy, event: bytes) -> Iterator[Step]:
    """As fast as it is read."""
    yield head(healthy.content_type) + chunk(healthy.events[0])
    yield from repeat(chunk(event * (MEBIBYTE // len(event))))


def _flood_cells() -> Iterator[tuple[str, str, str]]:
    """Each flood meets each case that is no stream on one engine in turn."""
    floods = [name for name in FLOODS if name != NONE]
    buffered = [name for name, case in CASES.items() if not case.is_streamed]
    for engine, flood, case in each_on_one_engine(len(floods), len(buffered)):
        yield ENGINE_NAMES[engine], floods[flood], buffered[case]


@pytest.fixture(scope="module")
def flooding(request: pytest.FixtureRequest) -> Iterator[MisbehavingCloud]:
    with misbehaving_cloud(request.param, FLOODS, timeout_seconds=TIMEOUT_SECONDS) as running:
        yield running


@pytest.mark.parametrize(("flooding", "name", "case"), list(_flood_cells()), indirect=["flooding"])
def test_a_flood_does_not_fill_the_memory_of_a_sandbox(flooding: MisbehavingCloud, name: str, case: str) -> None:
    flooding.send(CASES[case], NONE)
    reset_peaks()
    response = flooding.send(CASES[case], name, TIMEOUT_SECONDS + LATE_SECONDS)
    assert peak_mebibytes() < MAX_MEBIBYTES
    assert response.status in (200, 502, 504)
    if response.status != 200:
        check_error_body(json.loads(response.body), CASES[case].error_protocol)
