"""What CloudWatch documents of a dashboard's body: the members of each widget, and their values.

Source: Amazon CloudWatch API Reference, "Dashboard Body Structure and Syntax", read on 2026-11-29.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.constructs_lib.rendered import Json, properties, text

if TYPE_CHECKING:
    from collections.abc import Iterator

DASHBOARD = "AWS::CloudWatch::Dashboard"

_BODY = {"widgets", "variables", "start", "end", "periodOverride"}
_WIDGET = {"type", "x", "y", "width", "height", "properties"}
_PROPERTIES: dict[str, tuple[set[str], set[str]]] = {
    # Required, and further ones.
    "text": ({"markdown"}, {"background"}),
    "log": ({"region", "query"}, {"accountId", "title", "view"}),
    "alarm": ({"alarms"}, {"sortBy", "states", "title"}),
    "metric": (
        {"region", "metrics"},
        {
            "accountId",
            "annotations",
            "legend",
            "liveData",
            "period",
            "sparkline",
            "stacked",
            "stat",
            "table",
            "timezone",
            "title",
            "view",
            "yAxis",
        },
    ),
}
_VIEWS = {
    "metric": {"timeSeries", "singleValue", "gauge", "bar", "pie", "table"},
    "log": {"table", "timeSeries", "bar", "pie"},
}
_OPTIONS = {"accountId", "color", "id", "label", "period", "region", "stat", "visible", "yAxis"}
_STATISTIC = re.compile(r"SampleCount|Average|Sum|Minimum|Maximum|p\d{1,2}(\.\d+)?")


def body_of(template: Json) -> Json:
    """The body of the only dashboard, with references as `<Ref>` and `<Resource.Attribute>`."""
    body: Json = json.loads(text(properties(template, DASHBOARD)["DashboardBody"]))
    return body


def violations(body: Json) -> list[str]:
    """What CloudWatch would refuse or not understand."""
    found = list(_unknown("the body", body, _BODY, {"widgets"}))
    if len(body["widgets"]) > 500:
        found.append("more than 500 widgets")
    if not re.fullmatch(r"-P(T\d+[MH]|\d+[DWM])", body.get("start", "-PT1H")):
        found.append(f"start: {body['start']}")
    if body.get("periodOverride", "auto") not in ("auto", "inherit"):
        found.append(f"periodOverride: {body['periodOverride']}")
    for index, widget in enumerate(body["widgets"]):
        found += [f"widgets[{index}]: {one}" for one in _widget(widget)]
    return [*found, *_overlaps(body["widgets"])]


def _unknown(what: str, given: Json, known: set[str], required: set[str]) -> Iterator[str]:
    yield from (f"{what} has {name}" for name in given.keys() - known)
    yield from (f"{what} lacks {name}" for name in required - given.keys())


def _widget(widget: Json) -> Iterator[str]:
    yield from _unknown("the widget", widget, _WIDGET, {"type", "properties"})
    if widget["type"] not in _PROPERTIES:
        yield f"type: {widget['type']}"
        return
    for name, least, most in (("x", 0, 23), ("y", 0, 10_000), ("width", 1, 24), ("height", 1, 1000)):
        if not (isinstance(widget[name], int) and least <= widget[name] <= most):
            yield f"{name}: {widget[name]}"
    if widget["x"] + widget["width"] > 24:
        yield "wider than the grid"
    required, further = _PROPERTIES[widget["type"]]
    given = widget["properties"]
    yield from _unknown("properties", given, required | further, required)
    if "view" in given and given["view"] not in _VIEWS[widget["type"]]:
        yield f"view: {given['view']}"
    yield from _CHECKS[widget["type"]](given)


def _text(given: Json) -> Iterator[str]:
    if given.get("background", "solid") not in ("solid", "transparent"):
        yield f"background: {given['background']}"


def _log(given: Json) -> Iterator[str]:
    if not re.match(r"SOURCE '[^']+'( \| SOURCE '[^']+')*\n\| ", given["query"]):
        yield f"query: {given['query']}"


def _alarm(given: Json) -> Iterator[str]:
    if not 1 <= len(given["alarms"]) <= 100:
        yield f"{len(given['alarms'])} alarms"
    if given.get("sortBy", "default") not in ("default", "stateUpdatedTimestamp", "timestamp"):
        yield f"sortBy: {given['sortBy']}"


def _metric(given: Json) -> Iterator[str]:
    if not 1 <= len(given["metrics"]) <= 500:
        yield f"{len(given['metrics'])} metrics"
    if given.get("period", 60) % 60 or given.get("period", 60) < 60:
        yield f"period: {given['period']}"
    if given.get("legend", {"position": "right"}).get("position") not in ("right", "bottom", "hidden"):
        yield f"legend: {given['legend']}"
    for side, axis in given.get("yAxis", {}).items():
        if side not in ("left", "right"):
            yield f"yAxis: {side}"
        yield from _unknown("yAxis", axis, {"label", "min", "max", "showUnits"}, set())
    for mark in given.get("annotations", {}).get("horizontal", ()):
        yield from _unknown("annotation", mark, {"value", "label", "color", "fill", "visible", "yAxis"}, {"value"})
        if not re.fullmatch(r"#[0-9a-f]{6}", mark.get("color", "#000000")):
            yield f"color: {mark['color']}"
    yield from _lines(given["metrics"])


def _lines(lines: list[Any]) -> Iterator[str]:
    ids = [line[-1]["id"] for line in lines if "id" in line[-1]]
    yield from (f"id {name} twice" for name in set(ids) if ids.count(name) > 1)
    for line in lines:
        options = line[-1]
        if "expression" in options:
            yield from _unknown("expression", options, _OPTIONS | {"expression"}, {"expression"})
            used = set(re.findall(r"\b[a-z]\w*", options["expression"]))
            yield from (f"{options['expression']} needs {name}" for name in used - set(ids))
        else:
            yield from _unknown("metric", options, _OPTIONS, set())
            if len(line) % 2 == 0 or not all(isinstance(part, str) for part in line[:-1]):
                yield f"metric: {line}"
            if not _STATISTIC.fullmatch(options["stat"]):
                yield f"stat: {options['stat']}"
        if not re.fullmatch(r"[a-z][A-Za-z0-9_]*", options.get("id", "a")):
            yield f"id: {options['id']}"
    if not any(line[-1].get("visible", True) for line in lines):
        yield "shows nothing"


_CHECKS = {"text": _text, "log": _log, "alarm": _alarm, "metric": _metric}


def _overlaps(widgets: list[Json]) -> Iterator[str]:
    taken: dict[tuple[int, int], int] = {}
    for index, widget in enumerate(widgets):
        for x in range(widget["x"], widget["x"] + widget["width"]):
            for y in range(widget["y"], widget["y"] + widget["height"]):
                if (x, y) in taken:
                    yield f"widgets[{index}] is over widgets[{taken[x, y]}]"
                    return
                taken[x, y] = index
