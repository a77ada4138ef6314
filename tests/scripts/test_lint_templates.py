"""The template linter of `make check`."""

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


def test_skipped_regions_have_a_reason() -> None:
    reasons = lint_templates.skipped_regions(json.dumps(TEMPLATE))
    assert reasons["me-west-1"] == "cfn-lint has no schemas for this Region"
    assert reasons["us-gov-east-1"] == "cfn-lint knows no AWS::SageMaker::EndpointConfig in this Region"
    assert not {"us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"} & set(reasons)


def test_a_template_without_sagemaker_is_linted_in_regions_without_sagemaker() -> None:
    reasons = lint_templates.skipped_regions('{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}')
    assert "us-gov-east-1" not in reasons


def test_custom_resources_which_no_schema_has_are_linted_everywhere() -> None:
    custom = {"Test": {"Type": "Custom::Test", "Properties": {"ServiceToken": "arn"}}}
    with_one = json.dumps({"Resources": TEMPLATE["Resources"] | custom})
    assert lint_templates.skipped_regions(with_one) == lint_templates.skipped_regions(json.dumps(TEMPLATE))


def test_a_template_that_was_linted_for_no_region_fails_the_check() -> None:
    assert lint_templates.exit_code([([], 42), ([], 0)]) == 1
    assert lint_templates.exit_code([([], 42), ([], 44)]) == 0


def test_an_error_in_a_template_is_found_and_fails_the_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    invalid = json.loads(json.dumps(TEMPLATE))
    invalid["Resources"]["Config"]["Properties"]["ProductionVariant"] = []
    monkeypatch.setattr(lint_templates, "synthesize", lambda: {"Stack": json.dumps(invalid)})
    assert lint_templates.main() == 1
    assert "ProductionVariant" in capsys.readouterr().out


def test_a_valid_template_passes_and_the_number_of_regions_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    valid = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 1}}}}
    monkeypatch.setattr(lint_templates, "synthesize", lambda: {"Stack": json.dumps(valid)})
    assert lint_templates.main() == 0
    assert "Stack: 0 findings of cfn-lint in 44 Regions" in capsys.readouterr().out
