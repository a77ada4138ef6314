"""Every statement of every policy of every stack: no wildcard that AWS lets be named, and no policy of AWS's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.constructs_lib.rendered import as_list, text
from tests.policies.documents import Statement, resource_types, statements
from tests.policies.reviewed import ACTIONS, EVERYBODY, RESOURCES, ReviewedResource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scripts.every_stack import Template

pytestmark = pytest.mark.xdist_group("every_stack")


def allowed_wildcards(every: list[Statement]) -> Iterator[tuple[Statement, str, str]]:
    """Each action with each resource that has a wildcard; a policy of a resource means that one by `*`."""
    for statement in every:
        if statement.allows and "Principal" not in statement.content:
            for resource in statement.resources:
                if "*" in resource or "?" in resource:
                    yield from ((statement, action, resource) for action in statement.actions)


def covers(reviewed: ReviewedResource, statement: Statement, action: str, resource: str) -> bool:
    conditions = {key for test in statement.content.get("Condition", {}).values() for key in test}
    return (
        action in reviewed.actions
        and re.fullmatch(reviewed.pattern, resource) is not None
        and re.fullmatch(reviewed.where, statement.where) is not None
        and (reviewed.condition is None or reviewed.condition in conditions)
    )


def test_every_policy_of_every_stack_is_read(every_statement: list[Statement]) -> None:
    assert {(statement.resource_type, statement.path) for statement in every_statement} == {
        ("AWS::ApiGateway::DomainNameV2", "Policy"),
        ("AWS::ApiGateway::RestApi", "Policy"),
        ("AWS::IAM::ManagedPolicy", "PolicyDocument"),
        ("AWS::IAM::Policy", "PolicyDocument"),
        ("AWS::IAM::Role", "AssumeRolePolicyDocument"),
        ("AWS::IAM::Role", "Policies.PolicyDocument"),
        ("AWS::KMS::Key", "KeyPolicy"),
        ("AWS::S3::BucketPolicy", "PolicyDocument"),
        ("AWS::SNS::TopicPolicy", "PolicyDocument"),
        ("AWS::SQS::QueuePolicy", "PolicyDocument"),
    }


def test_no_statement_has_an_inverted_element(every_statement: list[Statement]) -> None:
    for statement in every_statement:
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement.content), statement.where


def test_every_action_is_one_that_aws_has(every_statement: list[Statement]) -> None:
    for statement in every_statement:
        for action in statement.actions:
            assert "*" in action or resource_types(action) is not None, (statement.where, action)


def test_no_statement_allows_a_wildcard_of_actions(every_statement: list[Statement]) -> None:
    found = {
        (statement.resource_type, action)
        for statement in every_statement
        for action in statement.actions
        if statement.allows and ("*" in action or "?" in action)
    }
    assert found == set(ACTIONS)


def test_a_resource_is_a_wildcard_only_if_the_action_takes_no_other_or_the_reason_is_on_file(
    every_statement: list[Statement],
) -> None:
    used = set()
    for statement, action, resource in allowed_wildcards(every_statement):
        reasons = [one for one in RESOURCES if covers(one, statement, action, resource)]
        assert reasons or resource_types(action) == [], f"{statement.where}: {action} on {resource}"
        used.update(reasons)
    assert used == set(RESOURCES), "a reason for what no policy says"


def test_nobody_has_a_policy_of_awss(templates: Mapping[str, Template]) -> None:
    for name, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            for arn in as_list(resource.get("Properties", {}).get("ManagedPolicyArns", [])):
                assert ":iam::aws:policy/" not in text(arn), f"{name}/{logical_id}"


def test_a_policy_allows_something_to_everybody_only_with_a_reason_on_file(every_statement: list[Statement]) -> None:
    found = {
        statement.resource_type
        for statement in every_statement
        if statement.allows and statement.content.get("Principal") in ("*", {"AWS": "*"})
    }
    assert found == set(EVERYBODY)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", "arn:aws:s3:::weights/*"),
        ("s3:GetObject", "*"),
        ("sagemaker:InvokeEndpoint", "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/*"),
        ("cloudwatch:PutMetricData", "*"),
        ("logs:PutLogEvents", "arn:<AWS::Partition>:logs:eu-west-1:123456789012:*"),
        ("kms:Decrypt", "arn:aws:kms:eu-west-1:123456789012:key/*"),
    ],
)
def test_the_reasons_on_file_do_not_cover_more_than_they_say(action: str, resource: str) -> None:
    content = {"Effect": "Allow", "Action": action, "Resource": resource}
    document = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": content}}}
    ((statement, of, on),) = allowed_wildcards(list(statements({"Team": {"Resources": {"Policy": document}}})))
    assert resource_types(of)
    assert not [one for one in RESOURCES if covers(one, statement, of, on)]
