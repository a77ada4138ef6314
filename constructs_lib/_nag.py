"""Acknowledges findings of cdk-nag, one resource and one reason at a time, without importing cdk-nag."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk import Acknowledgment, Validations

from constructs_lib._stack_env import PSEUDO, environment_of
from constructs_lib._tokens import is_token, resolved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import IConstruct


def acknowledge(construct: IConstruct, findings: Mapping[str, str]) -> None:
    """Acknowledge findings of validation plugins about one construct.

    Args:
        construct: The resource that the findings are about.
        findings: The reason for acknowledging each finding, by its id, such as `AwsSolutions-APIG3`.
    """
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=finding, reason=reason) for finding, reason in findings.items())
    )


def wildcard_finding(scope: IConstruct, resource: str) -> str:
    """The id under which cdk-nag's AwsSolutions pack reports a wildcard in an IAM resource.

    It contains the resource, with placeholders such as `<AWS::Region>` for values that are known only at deployment.

    Args:
        scope: A construct of the stack.
        resource: The resource of the policy statement.
    """
    text = resource
    for parameter, name in ((PSEUDO.partition, "Partition"), (PSEUDO.region, "Region"), (PSEUDO.account, "AccountId")):
        text = text.replace(parameter, f"<AWS::{name}>")
    if is_token(text):
        text = _flat(resolved(environment_of(scope).stack, resource))
    return f"AwsSolutions-IAM5[Resource::{text}]"


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return f"<{value['Ref']}>"
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(_flat(part) for part in parts)
    # The name of an import; any other intrinsic function as JSON, as cdk-nag writes it.
    return _flat(value["Fn::ImportValue"]) if "Fn::ImportValue" in value else json.dumps(value, separators=(",", ":"))
