"""Whom the policies of every stack trust, and that no service can be used by somebody else's account.

A service that acts for many customers is told by a condition for whom it may act here: where its guide has one
(`CONDITIONED`), it must be there, with this account in it. Every other trust is listed by name (`UNCONDITIONED`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.constructs_lib.rendered import as_list, resources, text
from tests.policies.reviewed import CONDITIONED, UNCONDITIONED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.every_stack import Template
    from tests.policies.documents import Statement

pytestmark = pytest.mark.xdist_group("every_stack")

_KEYS = ("aws:SourceArn", "aws:SourceAccount", "kms:EncryptionContext:aws:logs:arn")
_ACCOUNT = ("<AWS::AccountId>", "123456789012")


def names_this_account(condition: Mapping[str, Mapping[str, object]]) -> bool:
    """Whether a condition is about the account of the caller, by its id or by an ARN with it or of this stack."""
    values = {
        text(value)
        for test, keys in condition.items()
        for key, found in keys.items()
        for value in as_list(found)
        if key in _KEYS and not test.endswith("IfExists")
    }
    return bool(values) and all(any(one in value for one in _ACCOUNT) or value.startswith("<") for value in values)


def test_a_service_acts_for_this_account_alone_where_its_guide_has_a_condition_for_that(
    every_statement: list[Statement],
) -> None:
    without: dict[tuple[str, str], str] = {}
    for statement in every_statement:
        for service in statement.services:
            if not names_this_account(statement.content.get("Condition", {})):
                without[statement.resource_type, service] = statement.where
            else:
                assert service in CONDITIONED, f"{statement.where}: add the guide that says so"
    assert set(without) == set(UNCONDITIONED), without


def test_every_permission_to_invoke_a_function_names_who_invokes_it(templates: Mapping[str, Template]) -> None:
    found = 0
    for name, template in templates.items():
        for logical_id, permission in resources(template, "AWS::Lambda::Permission").items():
            source = text(permission["Properties"]["SourceArn"])
            assert any(one in source for one in _ACCOUNT) or source.startswith("<"), f"{name}/{logical_id}: {source}"
            assert permission["Properties"]["Action"] == "lambda:InvokeFunction", f"{name}/{logical_id}"
            found += 1
    assert found > 50


def test_the_role_of_an_endpoint_trusts_sagemaker_for_this_account_and_region_alone(
    templates: Mapping[str, Template],
) -> None:
    (role,) = (
        role
        for role in resources(templates["LlamaTgiStack"], "AWS::IAM::Role").values()
        if "sagemaker" in str(role["Properties"]["AssumeRolePolicyDocument"])
    )
    (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    arn = statement["Condition"]["ArnLike"]["aws:SourceArn"]
    assert text(arn) == "arn:<AWS::Partition>:sagemaker:<AWS::Region>:<AWS::AccountId>:*"
    assert list(statement["Condition"]) == ["ArnLike"]
