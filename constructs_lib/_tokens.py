"""Which values are known only when CloudFormation deploys."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aws_cdk import Token

if TYPE_CHECKING:
    from aws_cdk import Stack

# How the CDK encodes them: marked text, lists of marked text, enormous negative numbers (aws-cdk core/lib/private).
_TEXT_MARK = "${Token["
_LIST_MARK = "#{Token["
_LEAST_NUMBER = -1e200


def is_token(value: object) -> bool:
    """Whether the value stands for one that is known only at deployment, so that no check can be made on it."""
    if not _could_be_token(value):
        return False
    return _is_unresolved(value) if isinstance(value, str) else Token.is_unresolved(value)


@lru_cache
def _is_unresolved(text: str) -> bool:
    return Token.is_unresolved(text)


def resolved(stack: Stack, value: Any) -> Any:
    """A value as the stack's template will have it.

    Only what could be a token goes to the CDK, all of it in one message: a whole document takes several times longer
    there and back than to be looked through here.

    Args:
        stack: The stack whose template it is for.
        value: Mappings, lists and tuples of plain values and tokens.
    """
    found: dict[object, Any] = {}
    _collect(value, found)
    if not found:
        return value
    # By number, as the CDK leaves out what turns out to be nothing.
    rendered = stack.resolve({str(number): token for number, token in enumerate(found.values())})
    return _replaced(value, {key: rendered.get(str(number)) for number, key in enumerate(found)})


def _collect(value: Any, found: dict[object, Any]) -> None:
    if isinstance(value, Mapping):
        for part in value.values():
            _collect(part, found)
    elif _could_be_token(value):
        found[_key(value)] = value
    elif isinstance(value, list | tuple):
        for part in value:
            _collect(part, found)


def _replaced(value: Any, rendered: Mapping[object, Any]) -> Any:
    if isinstance(value, Mapping):
        return {name: _replaced(part, rendered) for name, part in value.items()}
    if _could_be_token(value):
        return rendered[_key(value)]
    if isinstance(value, list | tuple):
        return [_replaced(part, rendered) for part in value]
    return value


def _key(value: Any) -> object:
    return value if isinstance(value, str | int | float) else id(value)


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
    # Not by `creation_stack`: some tokens do not have it, and jsii raises where one looks for it.
    return hasattr(value, "__jsii_type__") and hasattr(value, "resolve")
