"""CDK tokens: values that are known only when CloudFormation deploys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from aws_cdk import Token

from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from aws_cdk import Stack

    from constructs_lib.planning.request import EndpointRequest

Values = TypeVar("Values")

# How the CDK encodes them: marked strings, lists of marked strings, huge negative numbers (aws-cdk
# core/lib/private/encoding).
_STRING_MARK = "${Token["
_STRING_TOKEN = re.compile(r"\$\{Token\[[a-zA-Z0-9:._-]+\]\}")
_LIST_MARK = "#{Token["
_MIN_NUMBER = -1e200


def is_token(value: object) -> bool:
    """Whether the value is known only at deployment, so that it cannot be checked."""
    if isinstance(value, str):
        # The test that the CDK does, without a message to its process.
        return _STRING_MARK in value and _STRING_TOKEN.search(value) is not None
    return _could_be_token(value) and Token.is_unresolved(value)


def hide_token(value: object) -> object:
    """The value, or an `Unknown` in place of a token, so that code without the CDK knows what it cannot check."""
    return Unknown(Token.as_string(value)) if is_token(value) else value


def hide_tokens(values: Values) -> Values:
    """The dataclass with an `Unknown` in place of each member that is a token; tokens deeper inside stay."""
    members = {field.name: getattr(values, field.name) for field in fields(values)}  # type: ignore[arg-type]
    hidden = {name: hide_token(value) for name, value in members.items() if is_token(value)}
    return replace(values, **hidden) if hidden else values  # type: ignore[type-var]


def hide_tokens_of_request(request: EndpointRequest) -> EndpointRequest:
    """The request with every token hidden: in its members, its options, its environment and its model."""
    options, environment, model = request.options, request.environment, request.model
    changed: dict[str, Any] = {}
    if isinstance(model, ModelChoice):
        changed["model"] = hide_tokens(model)
    if isinstance(options, request.engine.options_type):
        changed["options"] = hide_tokens(options)
    if isinstance(environment, Mapping):
        changed["environment"] = {name: hide_token(value) for name, value in environment.items()}
    return replace(hide_tokens(request), **changed)


def resolved(stack: Stack, value: Any) -> Any:
    """A value as it will be in the stack's template.

    Only the tokens are sent to the CDK, which would drop the document's empty members.

    Args:
        stack: The stack that the template is of.
        value: Mappings, lists and tuples of plain values and tokens.
    """
    found: dict[object, Any] = {}
    _collect(value, found)
    if not found:
        return value
    # By number, as tokens that resolve to nothing are dropped too.
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
    """Whether the CDK may be asked: jsii raises for values that JSON cannot hold, which callers may pass by mistake."""
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
