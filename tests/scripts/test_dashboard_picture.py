"""The picture of the dashboard: its figures, and that every widget of the deployed body is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from scripts.dashboard_picture.drawing import CAPTION, NO_DATA, draw
from scripts.dashboard_picture.figures import Figures
from tests.constructs_lib.monitoring.body_rules import body_of
from tests.stacks.test_app import built

PICTURE = Path(__file__).parent.parent.parent / "docs" / "dashboard.svg"
DOOR = "LlamaTgiStack/FrontDoor"


@pytest.fixture(scope="module")
def body() -> dict[str, Any]:
    """The body of the stack that is drawn."""
    return body_of(built(nag="off", monitoring="on").synth().get_stack_by_name("LlamaTgiStack").template)


def line(second: float, **fields: Any) -> str:
    """A line of the function's log."""
    metrics = [{"Name": name} for name in fields if name[0].isupper() and name not in ("FrontDoor", "Model")]
    directive = {"Dimensions": [["FrontDoor"], ["FrontDoor", "Model"]], "Metrics": metrics}
    embedded = {"Timestamp": (1000 + second) * 1000, "CloudWatchMetrics": [directive]}
    return json.dumps({"FrontDoor": DOOR, "Model": "llama", "consumer": "key", **fields, "_aws": embedded})


@pytest.fixture
def figures() -> Figures:
    """Three periods; nothing happens in the second one."""
    found = Figures(period=10, seconds=30)
    for second, errors, milliseconds in ((1, 0, 100), (2, 1, 300), (3, 0, 200), (25, 0, 50)):
        fields = {"Requests": 1, "ServerErrors": errors, "TimeToFirstToken": milliseconds, "Retries": 0}
        tokens = {"PromptTokens": 7, "GeneratedTokens": 40, "TokensPerSecond": 30, "UpstreamTime": 1, "Duration": 2}
        found.record_line(line(second, **fields, **tokens), started=1000)
    return found


def of_door(name: str, statistic: str, **options: Any) -> list[Any]:
    return ["TgiEndpoint/FrontDoor", name, "FrontDoor", DOOR, {"stat": statistic, **options}]


@pytest.mark.parametrize(
    ("statistic", "values"),
    [
        ("Sum", [600, None, 50]),
        ("Average", [200, None, 50]),
        ("SampleCount", [3, None, 1]),
        ("Maximum", [300, None, 50]),
        ("p50", [200, None, 50]),
        ("p95", [300, None, 50]),
    ],
)
def test_a_line_has_a_value_for_each_period_with_data(figures: Figures, statistic: str, values: list[Any]) -> None:
    assert figures.series([of_door("TimeToFirstToken", statistic, label="time")]) == {"time": values}


def test_expressions_are_evaluated_period_by_period(figures: Figures) -> None:
    metrics = [
        of_door("Requests", "Sum", id="r0", visible=False),
        of_door("ServerErrors", "Sum", id="e0", visible=False),
        [{"expression": "100 * (1 - e0 / r0)", "id": "a0", "label": "good"}],
        [{"expression": "60 * r0 / PERIOD(r0)", "id": "m0", "label": "each minute"}],
        [{"expression": "FILL(m0, REPEAT)", "id": "f0", "label": "repeated"}],
        [{"expression": "r0 / e0", "id": "d0", "label": "by zero"}],
    ]
    assert figures.series(metrics) == {
        "good": [pytest.approx(66.667, abs=0.001), None, 100],
        "each minute": [18, None, 6],
        "repeated": [18, 18, 6],
        "by zero": [3, None, None],
    }


def test_a_line_without_any_value_is_left_out(figures: Figures) -> None:
    assert figures.series([of_door("Unheard", "Sum", label="nothing")]) == {}


def test_metric_math_that_is_not_known_is_an_error(figures: Figures) -> None:
    with pytest.raises(ValueError, match=re.escape("ANOMALY(r0) is no metric math that is drawn here")):
        figures.series([[{"expression": "ANOMALY(r0)", "label": "x"}]])


def test_other_lines_of_the_log_are_ignored(figures: Figures) -> None:
    before = len(figures.lines)
    for text in ("START RequestId: 1", "[1]", '{"level": "INFO"}', line(-1, Requests=1), line(30, Requests=1)):
        figures.record_line(text, started=1000)
    assert len(figures.lines) == before


def test_the_table_sums_the_log_by_consumer_and_model(figures: Figures, body: dict[str, Any]) -> None:
    figures.record_line(line(4, consumer="other", Requests=1, PromptTokens=1, GeneratedTokens=500), started=1000)
    (query,) = (widget["properties"]["query"] for widget in body["widgets"] if widget["type"] == "log")
    assert figures.table(query) == (
        ["consumer", "Model", "requests", "prompt_tokens", "generated_tokens"],
        [["other", "llama", 1, 1, 500], ["key", "llama", 4, 28, 160]],
    )


def test_every_widget_is_drawn_or_named_as_without_data(body: dict[str, Any], figures: Figures, tmp_path: Path) -> None:
    variant = {"EndpointName": "<EndpointEEF1FD8F.EndpointName>", "VariantName": "AllTraffic"}.items()
    for name in ("Invocations", "InvocationsPerInstance", "ConcurrentRequestsPerModel"):
        figures.record(name, variant, 1, 1)
    drawn = draw(body, figures, tmp_path / "dashboard.svg")
    assert drawn.keys() == {one["properties"]["title"] for one in body["widgets"] if "title" in one["properties"]}
    assert {title for title, count in drawn.items() if count == 0} == set(NO_DATA)


def test_the_picture_in_the_documentation_has_every_widget_and_says_what_it_is(body: dict[str, Any]) -> None:
    picture = PICTURE.read_text(encoding="utf-8")
    titles = [one["properties"]["title"] for one in body["widgets"] if "title" in one["properties"]]
    headings = re.findall(r"## (.+)", "\n".join(one["properties"].get("markdown", "") for one in body["widgets"]))
    for shown in [*titles, *headings, CAPTION.partition(",")[0], f"No data here: {', '.join(NO_DATA)}."]:
        assert shown in picture, shown
    assert len(picture) < 250_000
