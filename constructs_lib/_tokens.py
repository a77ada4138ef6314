"""CDK tokens: values that are known only when CloudFormation deploys."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aws_cdk import Token

from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from aws_cdk import Stack

# How the CDK encodes them: marked strings, lists of marked strings, huge negative numbers (aws-cdk core/lib/private).
_STRING_MARK = "${Token["
_LIST_MARK = "#{Token["
_MIN_NUMBER = -1e200


def is_token(value: object) -> bool:
    """Whether the value is known only at deployment, so that it cannot be checked."""
    if not _could_be_token(value):
        return False
    return _is_unresolved(value) if isinstance(value, str) else Token.is_unresolved(value)


def hide_token(value: object) -> object:
    """The value, or an `Unknown` in place of a token, so that code without the CDK knows what it cannot check."""
    return Unknown(Token.as_string(value)) if is_token(value) else value


@lru_cache
def _is_unresolved(text: str) -> bool:
    return Token.is_unresolved(text)


def resolved(stack: Stack, value: Any) -> Any:
    """A value as it will be in the stack's template.

    Only possible tokens are sent to the CDK, all in one message: sending an entire document to its process and back
    takes several times longer than searching the document here.

    Args:
        stack: The stack that the template is of.
        value: Mappings, lists and tuples of plain values and tokens.
    """
    found: dict[object, Any] = {}
    _collect(value, found)
    if not found:
        return value
    # By number, as the CDK drops entries that resolve to nothing.
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
    """Whether to ask the CDK, a call that costs as much as all other checks together."""
    if isinstance(value, str):
        return _STRING_MARK in value
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return value < _MIN_NUMBER
    if isinstance(value, list | tuple):
        return any(isinstance(part, str) and _LIST_MARK in part for part in value)
    # Not by `creation_stack`: some tokens lack it, and then jsii raises instead of returning False from hasattr.
    return hasattr(value, "__jsii_type__") and hasattr(value, "resolve")
