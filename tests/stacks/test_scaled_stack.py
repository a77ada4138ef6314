"""An endpoint with everything that scales it: its template is valid, and cdk-nag has nothing to say about it."""

from __future__ import annotations

import json

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib import FrontDoor, InstanceType, Model, TgiEndpoint
from scripts.lint_templates import lint_template
from tests.stacks.test_app import Recorder, findings

HERE = Environment(account="111122223333", region="eu-west-1")


def build(*, replaces: bool = False, scaled: bool = True) -> App:
    """One endpoint with every policy and schedule, behind a front door."""
    app = App()
    stack = Stack(app, "Scaled", env=HERE)
    llama = TgiEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
        instance_type=InstanceType.G5_2XLARGE,
        replace_on_instance_type_change=replaces,
    )
    if scaled:
        scaling = llama.auto_scale(min_instances=1, max_instances=4, request_tokens=2000)
        scaling.on_concurrency()
        scaling.on_invocations(per_minute=100)
        scaling.on_metric(llama.metric_gpu_utilization(), target=80)
        waiting = cloudwatch.Metric(namespace="Team", metric_name="Waiting", statistic="p90")
        share = cloudwatch.MathExpression(expression="waiting / 4", using_metrics={"waiting": waiting})
        scaling.on_metric(share, target=1, id="Waiting")
        scaling.on_schedule("mon-fri 08:00-19:00", time_zone="Europe/Berlin", minimum=2, maximum=8)
        scaling.on_schedule("cron(0 3 ? * SUN#1 *)", time_zone="UTC", maximum=1)
    FrontDoor(stack, "Api", models={"llama": llama})
    return app


def test_cloudformation_takes_the_template() -> None:
    template = build(replaces=True).synth().get_stack_by_name("Scaled").template
    found = lint_template(json.dumps(template), ["eu-west-1"])
    assert [f"{each.rule.id} {each.path}: {each.message}" for each in found] == []


def test_cloudformation_would_not_take_every_template() -> None:
    template = build().synth().get_stack_by_name("Scaled").template
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::ApplicationAutoScaling::ScalableTarget":
            resource["Properties"]["ScalableDimension"] = "sagemaker:variant:Instances"
    assert [each.rule.id for each in lint_template(json.dumps(template), ["eu-west-1"])] == ["E3030"]


@pytest.mark.parametrize("replaces", [False, True])
def test_cdk_nag_has_no_open_finding(replaces: bool) -> None:
    assert findings(build(replaces=replaces)) == set()


def test_scaling_needs_no_acknowledgment(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    for scaled in (False, True):
        Recorder.given = {}
        with monkeypatch.context() as patch:
            patch.setattr("aws_cdk.Validations.of", Recorder)
            build(scaled=scaled)
        given.append(set(Recorder.given))
    without, with_scaling = given
    assert without
    assert without == with_scaling
