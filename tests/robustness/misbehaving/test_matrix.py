"""Every misbehavior of a container on every route: the response is complete or an error, and has no text of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.robustness.checked_client import (
    check_error_body,
    check_error_event,
    check_order,
    is_error,
    parse_strict_json,
)
from tests.robustness.misbehaving.cases import (
    Case,
    cases,
    normalize,
    objects_of,
    texts_of,
    with_line_feeds,
)
from tests.robustness.misbehaving.clouds import (
    ENGINE_NAMES,
    MisbehavingCloud,
    Received,
    each_on_one_engine,
    misbehaving_cloud,
    peak_mebibytes,
    reset_peaks,
)
from tests.robustness.misbehaving.container import NONE
from tests.robustness.misbehaving.misbehaviors import (
    ANY,
    BEHIND_THE_END,
    COMPLETE,
    ERROR,
    EVENTS_ONLY,
    MISBEHAVIORS,
    SECRET,
    UNREAD_TYPES,
)

pytestmark = pytest.mark.xdist_group("misbehaving")
MAX_MEBIBYTES = 192
"""Three quarters of the function's default memory."""
CASES, MODEL_CASES = cases(with_models=False), cases(with_models=True)


def _cells() -> list[Any]:
    """Each misbehavior meets each case on one engine in turn, every second time in the fast tests.

    Of the cases whose protocol is made of a chat's answer, which has a case, every eighth time.
    """
    found = []
    for engine, name, case in each_on_one_engine(len(MISBEHAVIORS), len(CASES)):
        every = 8 if list(CASES.values())[case].protocol in ("responses", "anthropic") else 2
        is_slow = (name + case) // len(ENGINE_NAMES) % every != 0
        found.append(_cell(CASES, engine, name, case, is_slow=is_slow))
    return found


def _model_cells() -> list[Any]:
    """Each misbehavior meets two or three cases of a model in the path, which only changes how the model is found."""
    return [
        _cell(MODEL_CASES, engine, name, case, is_slow=True)
        for engine, name, case in each_on_one_engine(len(MISBEHAVIORS), len(MODEL_CASES))
        if (3 * name + case) % 8 == 0
    ]


def _cell(cases: dict[str, Case], engine: int, name: int, case: int, *, is_slow: bool) -> Any:
    values = ENGINE_NAMES[engine], list(MISBEHAVIORS)[name], list(cases)[case]
    return pytest.param(*values, id="-".join(values), marks=[pytest.mark.slow] if is_slow else [])


@pytest.fixture(scope="module")
def cloud(request: pytest.FixtureRequest) -> Iterator[MisbehavingCloud]:
    responses = {name: each.respond for name, each in MISBEHAVIORS.items()}
    with misbehaving_cloud(request.param, responses) as running:
        yield running


def healthy(cloud: MisbehavingCloud, case: Case) -> Received:
    """The response when nothing is wrong."""
    if case.name not in cloud.healthy:
        response = cloud.healthy[case.name] = cloud.send(case, NONE)
        assert response.status == 200, response.body
        assert response.headers["content-type"] == ("text/event-stream" if case.is_streamed else "application/json")
        if case.is_streamed:
            assert texts_of(objects_of(response.body))[0]
    return cloud.healthy[case.name]


def sent_texts(cloud: MisbehavingCloud, case: Case, count: int) -> dict[int, str]:
    """The texts in the first events of the container."""
    response = cloud.container.healthy[case.name]
    assert response.is_stream
    return texts_of(objects_of(b"".join(each for each in response.events[:count] if each.strip() != b"data: [DONE]")))


def check(cloud: MisbehavingCloud, case: Case, name: str, response: Received) -> None:
    """Check a response to a misbehavior."""
    assert SECRET.encode() not in response.body
    assert b"Traceback" not in response.body
    assert b"<html" not in response.body
    assert SECRET not in repr(response.headers)
    complete, ends = healthy(cloud, case), MISBEHAVIORS[name].ends
    if name in UNREAD_TYPES and not cloud.container.healthy[case.name].is_stream:
        ends = COMPLETE
    if "count" in case.path and ends == ERROR:
        ends = ANY  # the container's answer of one token is over early
    if response.status >= 400:
        assert ends in (ERROR, ANY), response.body
        assert response.headers["content-type"] == "application/json"
        check_error_body(json.loads(response.body), case.error_protocol)
        return
    assert response.status == 200
    if not case.is_streamed:
        assert ends in (COMPLETE, ANY), response.body
        assert (ends == ANY and "count" not in case.path) or normalize(response.body) == normalize(complete.body)
        return
    check_stream(cloud, case, name, response, complete)


def check_stream(cloud: MisbehavingCloud, case: Case, name: str, response: Received, complete: Received) -> None:
    """Check a stream: what was generated as far as it was, and then its end or one error."""
    _, ends, kept = MISBEHAVIORS[name]
    assert response.headers["content-type"] == "text/event-stream"
    assert with_line_feeds(response.body).endswith(b"data: [DONE]\n\n") == (case.protocol == "openai")
    objects = objects_of(response.body)
    check_order(objects, case.protocol)
    errors = [each for each in objects if is_error(each)]
    texts, expected = texts_of(objects), texts_of(objects_of(complete.body))
    if not errors:
        assert ends in (COMPLETE, ANY), response.body
        assert texts == expected
        assert ends == ANY or normalize(response.body) == normalize(complete.body)
        return
    assert ends in (ERROR, ANY), response.body
    assert errors == objects[-1:]
    check_error_event(errors[0], case.protocol)
    assert all(expected[index].startswith(text) for index, text in texts.items())
    if kept is not None and "two choices" not in case.name:
        assert texts == sent_texts(cloud, case, kept)


def check_log(cloud: MisbehavingCloud) -> None:
    """Check the lines that were written for a request, and forget them."""
    lines, cloud.cloud.log[:] = list(cloud.cloud.log), []
    assert lines
    for line in lines:
        assert SECRET not in line
        value: dict[str, Any] = parse_strict_json(line)
        assert value.get("error") != "internal", value


def run(cloud: MisbehavingCloud, case: Case, name: str) -> None:
    healthy(cloud, case)
    if name in EVENTS_ONLY and not cloud.container.healthy[case.name].is_stream:
        name = "an empty body"
    if name in BEHIND_THE_END and cloud.container.healthy[case.name].end == b"\n":
        pytest.skip("a stream of lines has no end of its own")
    reset_peaks()
    response = cloud.send(case, name)
    peak = peak_mebibytes()
    check(cloud, case, name, response)
    after = cloud.send(case, NONE)
    assert normalize(after.body) == normalize(healthy(cloud, case).body)
    check_log(cloud)
    assert peak < MAX_MEBIBYTES


@pytest.mark.parametrize(("cloud", "name", "case"), _cells(), indirect=["cloud"])
def test_a_misbehaving_container(cloud: MisbehavingCloud, name: str, case: str) -> None:
    run(cloud, CASES[case], name)


@pytest.mark.parametrize(("cloud", "name", "case"), _model_cells(), indirect=["cloud"])
def test_a_misbehaving_container_of_a_model_in_the_path(cloud: MisbehavingCloud, name: str, case: str) -> None:
    run(cloud, MODEL_CASES[case], name)
