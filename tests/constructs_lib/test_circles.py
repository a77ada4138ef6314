"""That circular dependencies are found, whatever they are made of."""

from __future__ import annotations

from typing import Any

import pytest

from tests.constructs_lib.circles import circle_of


def resource(value: Any = None, **others: Any) -> dict[str, Any]:
    return {"Type": "T", "Properties": {"Name": [{"Deep": value}]}, **others}


@pytest.mark.parametrize(
    "reference",
    [
        {"Ref": "B"},
        {"Fn::GetAtt": ["B", "Arn"]},
        {"Fn::GetAtt": "B.Arn"},
        {"Fn::Sub": "x-${B}"},
        {"Fn::Sub": "x-${B.Arn}"},
        {"Fn::Sub": ["${other}", {"other": {"Ref": "B"}}]},
        {"Fn::Join": ["", ["x", {"Ref": "B"}]]},
    ],
)
def test_a_circle_is_found_by_any_kind_of_reference(reference: Any) -> None:
    through = {"A": resource(reference), "B": resource({"Ref": "C"}), "C": resource({"Ref": "A"})}
    assert circle_of({"Resources": through}) == ["A", "B", "C", "A"]
    assert circle_of({"Resources": {**through, "C": resource()}}) is None


@pytest.mark.parametrize("depends_on", ["A", ["A"], ["C", "A"]])
def test_a_circle_is_found_by_what_waits(depends_on: Any) -> None:
    waits = {"A": resource({"Ref": "B"}), "B": resource(DependsOn=depends_on), "C": resource()}
    assert circle_of({"Resources": waits}) == ["A", "B", "A"]


def test_parameters_and_literals_are_no_circle() -> None:
    assert circle_of({"Parameters": {"B": {}}, "Resources": {"A": resource({"Ref": "B"})}}) is None
    assert circle_of({"Resources": {"A": resource({"Fn::Sub": "${!A} ${AWS::Region}"})}}) is None
