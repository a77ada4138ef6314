"""An endpoint that goes to zero and follows the clock: its template is valid, and cdk-nag has no finding."""

from __future__ import annotations

import json

import pytest
from aws_cdk import App, Environment, Stack, Validations

from constructs_lib import FrontDoor, InstanceType, Model, ScaleToZero, TgiEndpoint
from scripts.lint_templates import lint_template
from tests.stacks.test_app import Recorder, assert_acknowledgments_are_needed, findings

HERE = Environment(account="111122223333", region="eu-west-1")


def build(env: Environment = HERE, **arguments: str) -> App:
    """One endpoint with every policy, alarm and scheduled action, behind a front door."""
    app = App()
    stack = Stack(app, "Zero", env=env)
    hours = ScaleToZero.hours("mon-fri 08:00-19:00", time_zone="Europe/Berlin", max_copies=3, target=12)
    model, instance = Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), InstanceType.G5_2XLARGE
    llama = TgiEndpoint(stack, "Llama", model=model, instance_type=instance, scale_to_zero=hours, **arguments)
    FrontDoor(stack, "Api", models={"llama": llama})
    return app


def lint(template: object) -> list[str]:
    return [f"{each.rule.id}: {each.message}" for each in lint_template(json.dumps(template), ["eu-west-1"])]


def test_cloudformation_takes_the_template() -> None:
    assert lint(build().synth().get_stack_by_name("Zero").template) == []


def test_cloudformation_would_not_take_every_component() -> None:
    template = build().synth().get_stack_by_name("Zero").template
    (component,) = (each for each in template["Resources"].values() if each["Type"].endswith("::InferenceComponent"))
    component["Properties"]["RuntimeConfig"] = {"CopyCount": -1}
    assert lint(template) == ["E3034: -1 is less than the minimum of 0"]


@pytest.mark.parametrize("env", [Environment(), HERE], ids=["any Region", "one Region"])
def test_cdk_nag_has_no_open_finding(env: Environment) -> None:
    assert findings(build(env)) == set()


@pytest.mark.parametrize("arguments", [{}, {"endpoint_name": "llama-prod"}], ids=["no name", "a name"])
def test_every_acknowledgment_has_a_finding(arguments: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    Recorder.given = {}
    monkeypatch.setattr(Validations, "of", Recorder)
    assert_acknowledgments_are_needed(build(**arguments))
