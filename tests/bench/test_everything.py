"""The app with everything that scales, which a synth of bench/ measures."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from bench import synth


@pytest.mark.slow
def test_everything_that_scales_is_in_one_stack_without_an_open_finding_of_the_rule_packs(tmp_path: Path) -> None:
    synth.run(Path(synth.__file__).with_name("everything_app.py"), tmp_path, synth.project_context())
    template = json.loads((tmp_path / "Everything.template.json").read_text())
    count = Counter(resource["Type"] for resource in template["Resources"].values())
    assert count["AWS::SageMaker::Endpoint"] == 3
    assert count["AWS::SageMaker::InferenceComponent"] == 3
    assert count["AWS::ApplicationAutoScaling::ScalableTarget"] == 4
    assert count["AWS::ApplicationAutoScaling::ScalingPolicy"] > 8
    assert count["AWS::CloudWatch::Alarm"] >= 4
    assert count["AWS::ApiGateway::RestApi"] == 1
    assert "ScheduledActions" in json.dumps(template)
    assert template["Outputs"]["BusyPricePerHour"]["Value"].startswith("2.605 USD at minimum, ")


@pytest.mark.slow
def test_the_reference_has_both_rule_packs_and_next_to_nothing(tmp_path: Path) -> None:
    synth.run(Path(synth.__file__).with_name("empty_app_with_packs.py"), tmp_path, synth.project_context())
    template = json.loads((tmp_path / "Empty.template.json").read_text())
    assert [resource["Type"] for resource in template["Resources"].values()] == [
        "AWS::CloudFormation::WaitConditionHandle"
    ]
    assert list(tmp_path.glob("validation-report*"))
