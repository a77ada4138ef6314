"""A fleet with everything that it takes: its template is valid, and cdk-nag has nothing to say about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aws_cdk import App, Environment, Stack, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3

from constructs_lib import FleetModel, FrontDoor, InstanceType, Model, ModelFleet, ScaleToZero
from scripts.lint_templates import lint_template, skipped_regions
from tests.stacks.test_app import Recorder, assert_acknowledgments_are_needed, findings

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "examples" / "model_fleet"
HERE = Environment(account="111122223333", region="eu-west-1")
QWEN_7B = "Qwen/Qwen2.5-7B-Instruct"


def build(env: Environment = HERE) -> App:
    """Models from the hub and from S3, fixed, scaling and going to zero, in a VPC and behind a front door."""
    app = App()
    stack = Stack(app, "Fleet", env=env)
    weights = s3.Bucket.from_bucket_name(stack, "Weights", "team-weights")
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0a1b2c3d",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        private_subnet_ids=["subnet-0a1b2c3d", "subnet-1a2b3c4d"],
    )
    fleet = ModelFleet(
        stack,
        "Models",
        models={
            "chat": FleetModel(model=Model.from_hub(QWEN_7B), copies=(1, 3), request_tokens=4096),
            "own.v2": FleetModel(model=Model.from_s3(weights, "own/v2", like=QWEN_7B)),
            "night": FleetModel(
                model=Model.from_hub(QWEN_7B),
                scale_to_zero=ScaleToZero.hours(
                    "mon-fri 08:00-19:00", time_zone="Europe/Berlin", max_copies=2, request_tokens=4096
                ),
            ),
            "large": FleetModel(model=Model.from_hub("Qwen/Qwen2.5-32B-Instruct")),
        },
        instance_type=InstanceType.G5_12XLARGE,
        instances=(2, 4),
        vpc=vpc,
    )
    FrontDoor(stack, "Api", models=fleet.models)
    return app


def template(env: Environment = HERE) -> str:
    return json.dumps(build(env).synth().get_stack_by_name("Fleet").template)


def test_cloudformation_takes_the_template_in_every_region() -> None:
    rendered = template(Environment())
    regions = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2"]
    assert not set(regions) & set(skipped_regions(rendered))
    found = lint_template(rendered, regions)
    assert [f"{each.rule.id} {each.path}: {each.message}" for each in found] == []


def test_cloudformation_would_not_take_every_template() -> None:
    rendered = template().replace('"BINPACK"', '"PACKED"')
    assert {each.rule.id for each in lint_template(rendered, ["eu-west-1"])} == {"E3030"}


@pytest.mark.parametrize("env", [HERE, Environment()], ids=["one Region", "any Region"])
def test_cdk_nag_has_no_open_finding(env: Environment) -> None:
    assert findings(build(env)) == set()


def test_every_acknowledgment_has_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    Recorder.given = {}
    monkeypatch.setattr(Validations, "of", Recorder)
    assert_acknowledgments_are_needed(build())
