"""cfn-lint's rules for policies over every stack: grammar, known actions, and the types of resources they take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from tests.policies.documents import statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scripts.every_stack import Template

pytestmark = pytest.mark.xdist_group("every_stack")

# Identity, trust, ECR's and other policies of resources; versions, actions, resources, ARNs of roles, Ref of a path.
_RULES = ("E3050", "E3510", "E3511", "E3512", "E3513", "E3514", "E3530", "I3510", "W2511", "W3037")


def findings(template: Template) -> list[tuple[str, str]]:
    """What the rules find."""
    config = ManualArgs(regions=["eu-west-1"], include_checks=["I3510"])
    found: list[Any] = lint(json.dumps(template), config=config)
    return [(each.rule.id, str(each.message)) for each in found if each.rule.id in _RULES]


def with_other_policies(templates: Mapping[str, Template]) -> Iterable[Template]:
    """One template for each set of policies: most of the app's stacks have the same."""
    by_policies = {}
    for name, template in templates.items():
        found = sorted(json.dumps([one.resource_type, one.content]) for one in statements({name: template}))
        by_policies[json.dumps(found)] = template
    return by_policies.values()


@pytest.mark.slow
def test_cfn_lint_has_nothing_to_say_about_any_policy(templates: Mapping[str, Template]) -> None:
    checked = list(with_other_policies(templates))
    assert len(checked) > 20
    for template in checked:
        assert findings(template) == []


@pytest.mark.parametrize(
    ("rule", "statement"),
    [
        ("W3037", {"Effect": "Allow", "Action": "s3:ReadObject", "Resource": "*"}),
        ("E3510", {"Effect": "Allowed", "Action": "s3:GetObject", "Resource": "*"}),
        ("E3510", {"Effect": "Allow", "Action": "s3:GetObject"}),
        (
            "I3510",
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:sqs:eu-west-1:123456789012:queue"},
        ),
    ],
)
def test_it_would_say_so(rule: str, statement: Mapping[str, str]) -> None:
    properties = {
        "PolicyName": "Wrong",
        "Roles": ["team"],
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
    template = {"Resources": {"Policy": {"Type": "AWS::IAM::Policy", "Properties": properties}}}
    assert rule in [found for found, _ in findings(template)]
