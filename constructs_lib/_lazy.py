"""Values that are rendered at synthesis, when everything else has been constructed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsii
from aws_cdk import IAnyProducer, IResolvable, IResolveContext, IStringProducer, Lazy


def late_string(render: Callable[[], str | None]) -> str:
    """A string that is rendered at synthesis.

    Args:
        render: Returns the string, or None to leave the property out. Called several times.
    """
    return Lazy.uncached_string(_String(render))


def late_value(render: Callable[[], Any]) -> IResolvable:
    """A JSON value that is rendered at synthesis.

    Args:
        render: Returns the value. Called several times.
    """
    return Lazy.uncached_any(_Value(render))


def late_local_value(render: Callable[[], Any]) -> IResolvable:
    """A JSON value that is rendered at synthesis and refers to nothing outside its stack.

    It is left out of the CDK's first look at all values, which is for references between stacks.

    Args:
        render: Returns the value.
    """
    return Lazy.uncached_any(_LocalValue(render))


@jsii.implements(IStringProducer)
class _String:
    def __init__(self, render: Callable[[], str | None]) -> None:
        self._render = render

    def produce(self, context: IResolveContext) -> str | None:
        """The string."""
        return self._render()


@jsii.implements(IAnyProducer)
class _Value:
    def __init__(self, render: Callable[[], Any]) -> None:
        self._render = render

    def produce(self, context: IResolveContext) -> Any:
        """The value."""
        return self._render()


@jsii.implements(IAnyProducer)
class _LocalValue:
    def __init__(self, render: Callable[[], Any]) -> None:
        self._render = render

    def produce(self, context: IResolveContext) -> Any:
        """The value, or None while the CDK prepares."""
        return None if context.preparing else self._render()
