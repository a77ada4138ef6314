"""Whether SageMaker may assume a role of the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_iam as iam

from constructs_lib._stack_env import environment_of
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAGEMAKER = "sagemaker.amazonaws.com"


def trust_problems(role: object) -> Iterator[Problem]:
    """The problem of a role of this app that does not trust SageMaker; nothing is known about imported roles.

    Args:
        role: The role, with the principals that it trusts so far.
    """
    if not isinstance(role, iam.Role) or role.assume_role_policy is None:
        return
    stack = environment_of(role).stack
    principals = list(_trusted(stack.resolve(role.assume_role_policy)))
    # A principal that only the deployment knows may be SageMaker, and so may everybody.
    if _SAGEMAKER in principals or not all(isinstance(each, str) and each != "*" for each in principals):
        return
    yield Problem(
        "role",
        role,
        f"trusts {', '.join(principals) or 'nobody'}, so SageMaker cannot assume it",
        f'Create it with assumed_by=iam.ServicePrincipal("{_SAGEMAKER}"), or in a CompositePrincipal with the others.',
    )


def _trusted(document: dict[str, Any]) -> Iterator[Any]:
    """The principals of every statement that allows something; accounts and roles as words."""
    for statement in document.get("Statement", []):
        principal = statement.get("Principal", {})
        if statement.get("Effect") != "Allow":
            continue
        if not isinstance(principal, dict):
            yield principal
            continue
        for kind, values in principal.items():
            for value in values if isinstance(values, list) else [values]:
                yield value if kind == "Service" or value == "*" else f"principals of type {kind}"
