"""Which values are known only when CloudFormation deploys."""

from __future__ import annotations

from aws_cdk import Token

# How the CDK encodes them: marked text, lists of marked text, enormous negative numbers (aws-cdk core/lib/private).
_TEXT_MARK = "${Token["
_LIST_MARK = "#{Token["
_LEAST_NUMBER = -1e200


def is_token(value: object) -> bool:
    """Whether the value stands for one that is known only at deployment, so that no check can be made on it."""
    return _could_be_token(value) and Token.is_unresolved(value)


def _could_be_token(value: object) -> bool:
    """Spare the call into the CDK, which costs as much as all other checks, for what plainly is a value."""
    if isinstance(value, str):
        return _TEXT_MARK in value
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return value < _LEAST_NUMBER
    if isinstance(value, list | tuple):
        return any(isinstance(part, str) and _LIST_MARK in part for part in value)
    return hasattr(value, "creation_stack")
