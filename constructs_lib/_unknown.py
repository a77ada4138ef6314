"""Replaces CDK tokens by `Unknown`, so that planning need not know the CDK."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from constructs_lib._tokens import hide_token, is_token
from constructs_lib.planning.models.facts import ModelChoice

if TYPE_CHECKING:
    from constructs_lib.planning.request import EndpointRequest


Values = TypeVar("Values")


def without_tokens(request: EndpointRequest) -> EndpointRequest:
    """The request with every token in it replaced: its own arguments, its options, its variables, the model's names."""
    options, environment, model = request.options, request.environment, request.model
    changed: dict[str, Any] = {}
    if isinstance(model, ModelChoice):
        changed["model"] = tokens_replaced(model)
    if isinstance(options, request.engine.options_type):
        changed["options"] = tokens_replaced(options)
    if isinstance(environment, Mapping):
        changed["environment"] = {name: hide_token(value) for name, value in environment.items()}
    return replace(tokens_replaced(request), **changed)


def tokens_replaced(values: Values) -> Values:
    """A dataclass with `Unknown` for each member that is a token; what else its members have in them stays."""
    every = {one.name: getattr(values, one.name) for one in fields(values)}  # type: ignore[arg-type]
    tokens = {name: hide_token(value) for name, value in every.items() if is_token(value)}
    return replace(values, **tokens) if tokens else values  # type: ignore[type-var]
