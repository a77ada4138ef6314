"""What holds for all alarms: CloudWatch's limits, the runbook, and the names of metrics."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from botocore.loaders import Loader

from constructs_lib.planning.monitoring.alarm import (
    HOUR,
    LONGEST_RANGE,
    LONGEST_RANGE_OF_HOURS,
    MAX_DESCRIPTION,
    RUNBOOK,
    Alarm,
    CombinedAlarm,
    describe,
)
from constructs_lib.planning.monitoring.async_alarms import DEFAULTS, async_alarms
from constructs_lib.planning.monitoring.endpoint_alarms import (
    ModelThresholds,
    ServedModel,
    instance_alarms,
    model_alarms,
)
from constructs_lib.planning.monitoring.front_door_alarms import Door, DoorThresholds, door_alarms
from constructs_lib.planning.monitoring.objectives import availability, first_token, objective_alarms
from constructs_lib.planning.monitoring.state_changes import SECTION, STATES, event_pattern
from tests.test_docs import anchors

ROOT = Path(__file__).resolve().parents[4]
LONGEST_NAME = "x" * 63


def every_alarm() -> list[Alarm | CombinedAlarm]:
    """All alarms that there are, with the longest names and periods."""
    models = [
        ServedModel(
            dimensions={"InferenceComponentName": "one"}, component=True, overload_seconds=200_000, wake_seconds=wake
        )
        for wake in (None, 86_400)
    ]
    models.append(
        ServedModel(
            dimensions={"EndpointName": "e", "VariantName": "v"},
            component=False,
            overload_seconds=900,
            wake_seconds=None,
        )
    )
    thresholds = ModelThresholds(model_errors=5, no_capacity=1, overload=24, idle_hours=168)
    door = Door(
        namespace="TgiEndpoint/FrontDoor",
        dimensions={"FrontDoor": "Stack/Api"},
        models={name: {"FrontDoor": "Stack/Api", "Model": name} for name in (LONGEST_NAME, "b")},
        wake_seconds={"b": 20_000},
        holds=False,
        function="function",
        api=("Stack-Api", "prod"),
        with_fallback=[LONGEST_NAME],
    )
    door_thresholds = DoorThresholds(
        server_errors=5,
        first_token_seconds=dict.fromkeys(door.models, 10.0),
        overload=10,
        fallbacks=10,
        function_errors=3,
        throttles=3,
        concurrency=800,
        gateway_errors=1,
        store_failures=3,
    )
    time = door.metric("TimeToFirstToken", "SampleCount")
    return [
        *(alarm for model in models for alarm in model_alarms(model, thresholds)),
        *instance_alarms({"EndpointName": "e", "VariantName": "v"}, disk=85, host_memory=90),
        *async_alarms("e", "v", 100_000, DEFAULTS, from_zero=True),
        *door_alarms(door, door_thresholds),
        *objective_alarms(availability(door.metric("Requests", "Sum"), door.metric("ServerErrors", "Sum")), 99.95),
        *objective_alarms(first_token(time, 2.5), 99),
    ]


ALL = every_alarm()
METRIC_ALARMS = [part for alarm in ALL for part in (alarm.parts if isinstance(alarm, CombinedAlarm) else (alarm,))]


@pytest.mark.parametrize("alarm", METRIC_ALARMS, ids=lambda alarm: alarm.id[:40])
def test_no_alarm_looks_back_longer_than_cloudwatch_allows(alarm: Alarm) -> None:
    longest = LONGEST_RANGE_OF_HOURS if alarm.period >= HOUR else LONGEST_RANGE
    assert alarm.period % 60 == 0
    assert alarm.period * alarm.periods <= longest
    assert 1 <= (alarm.breaching or alarm.periods) <= alarm.periods


def test_cloudwatch_says_how_far_an_alarm_may_look_back_and_how_long_a_description_may_be() -> None:
    shapes = Loader().load_service_model("cloudwatch", "service-2")["shapes"]
    period = shapes["PutMetricAlarmInput"]["members"]["Period"]["documentation"]
    assert f"can't be more than {LONGEST_RANGE_OF_HOURS:,} seconds" in period
    assert f"can't be longer than one day ({LONGEST_RANGE:,} seconds)" in period
    assert shapes["AlarmDescription"]["max"] == MAX_DESCRIPTION
    assert "<code>PR(<i>n</i>:<i>m</i>)</code> where n and m are values" in str(
        shapes["PutMetricAlarmInput"]["members"]["ExtendedStatistic"]["documentation"]
    )
    assert shapes["MetricStat"]["members"]["Stat"]["documentation"] == (
        "<p>The statistic to return. It can include any CloudWatch statistic or extended statistic.</p>"
    )


@pytest.mark.parametrize("alarm", [*ALL, *METRIC_ALARMS], ids=lambda alarm: alarm.id[:40])
def test_a_description_fits_and_ends_with_a_section_that_the_runbook_has(alarm: Alarm | CombinedAlarm) -> None:
    text = describe(alarm, RUNBOOK)
    assert len(describe(alarm, "h" * 400)) <= MAX_DESCRIPTION
    path, _, section = text.rpartition(" ")[2].partition("#")
    assert section in anchors(ROOT / path)


def test_the_rule_on_changes_of_state_has_a_section_too() -> None:
    assert SECTION in anchors(ROOT / RUNBOOK)


@pytest.mark.parametrize("alarm", METRIC_ALARMS, ids=lambda alarm: alarm.id[:40])
def test_an_expression_uses_all_that_it_has_and_nothing_else(alarm: Alarm) -> None:
    """Of up to ten metrics; CloudWatch's ids begin in lower case."""
    assert len(alarm.metrics) <= 10
    if alarm.expression is None:
        assert len(alarm.metrics) == 1
        assert not alarm.terms
        return
    known = {*alarm.metrics, *alarm.terms}
    used = set(re.findall(r"\b[a-z]\w*", " ".join([*alarm.terms.values(), alarm.expression])))
    assert used == known


@pytest.mark.parametrize("alarm", METRIC_ALARMS, ids=lambda alarm: alarm.id[:40])
def test_every_metric_is_in_the_ledger(alarm: Alarm) -> None:
    ledger = (ROOT / "docs" / "aws-contract.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| D\d+ \|.*$", ledger, re.MULTILINE)
    assert rows
    for metric in alarm.metrics.values():
        assert [row for row in rows if metric.namespace in row], metric
        assert [row for row in rows if _names(row, [metric.name, *metric.dimensions])], metric


def _names(row: str, names: list[str]) -> bool:
    return all(re.search(rf"\b{name}\b", row) for name in names)


def test_no_alarm_watches_the_memory_of_gpus() -> None:
    assert not [metric for alarm in METRIC_ALARMS for metric in alarm.metrics.values() if "GPU" in metric.name]


def test_no_two_alarms_of_a_construct_have_the_same_id() -> None:
    door = [alarm.id for alarm in ALL[ALL.index(next(one for one in ALL if one.id == "ServerErrors")) :]]
    assert len(door) == len(set(door))


def test_the_states_are_those_of_the_api_and_their_spelling_in_events() -> None:
    shapes = Loader().load_service_model("sagemaker", "service-2")["shapes"]
    assert set(STATES) < set(shapes["EndpointStatus"]["enum"])
    assert event_pattern("chat")["detail"]["EndpointStatus"][4:] == [
        *("FAILED", "OUT_OF_SERVICE", "ROLLING_BACK", "UPDATE_ROLLBACK_FAILED")
    ]
