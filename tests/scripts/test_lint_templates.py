"""The linter of `make check`."""

import json

import pytest

from scripts import lint_templates

TEMPLATE = {
    "Resources": {
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {"ProductionVariants": [{"VariantName": "AllTraffic"}]},
        }
    }
}


def test_regions_are_left_out_only_for_a_stated_reason() -> None:
    reasons = lint_templates.regions_left_out(json.dumps(TEMPLATE))
    assert reasons["me-west-1"] == "cfn-lint has no schemas of this Region"
    assert "AWS::SageMaker::EndpointConfig" in reasons["us-gov-east-1"]
    assert not {"us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"} & set(reasons)


def test_a_template_that_only_needs_lambda_is_linted_where_sagemaker_is_missing() -> None:
    reasons = lint_templates.regions_left_out('{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}')
    assert "us-gov-east-1" not in reasons


def test_a_mistake_is_found_and_fails_the_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = json.loads(json.dumps(TEMPLATE))
    wrong["Resources"]["Config"]["Properties"]["ProductionVariant"] = []
    monkeypatch.setattr(lint_templates, "synthesize", lambda: {"Stack": json.dumps(wrong)})
    assert lint_templates.main() == 1
    assert "ProductionVariant" in capsys.readouterr().out


def test_a_clean_template_passes_and_says_how_many_regions_it_fits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 1}}}}
    monkeypatch.setattr(lint_templates, "synthesize", lambda: {"Stack": json.dumps(clean)})
    assert lint_templates.main() == 0
    assert "Stack: 0 findings of cfn-lint in 44 Regions" in capsys.readouterr().out
