"""The arguments that a test changes, one at a time, and the apps that have them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from aws_cdk import App, Environment, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.update_safety.template_changes import Json

Given = dict[str, Any]

# Synthesis takes most of the time of these tests, and most changes have the same template before.
_RENDERED: dict[tuple[object, object], Json] = {}

HERE = Environment(account="123456789012", region="eu-west-1")


@dataclass(frozen=True)
class Change:
    """One argument before and after; everything else is the same.

    Args:
        before: Makes the arguments that differ.
        after: The same after the change.
        refused: Why AWS refuses it, where no template shows that. Default: it does not.
    """

    before: Callable[[Stack], Given]
    after: Callable[[Stack], Given]
    refused: str = ""


@dataclass(frozen=True)
class Subject:
    """A construct or a method whose arguments are changed.

    Args:
        name: As docs/reference/what_a_change_does.md calls it.
        build: Adds an app to a stack, with some arguments.
        cases: The changes of each argument, or of an argument under a condition.
        takes: What has the arguments, which all need a case. Default: only what `cases` has.
    """

    name: str
    build: Callable[[Stack, Given], object]
    cases: Mapping[str, list[Change]]
    takes: Callable[..., Any] | None = None

    def arguments(self) -> list[str]:
        """The names of all arguments, those of `Unpack[…]` one by one."""
        if self.takes is None:
            return []
        found: list[str] = []
        for name, parameter in inspect.signature(self.takes).parameters.items():
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                found += _unpacked(self.takes, name)
            elif name not in ("self", "scope"):
                found.append(name)
        return found

    def render(self, given: Callable[[Stack], Given]) -> Json:
        """The template of a stack with these arguments; the same object for the same arguments."""
        key = (self.build, given)
        if key not in _RENDERED:
            _RENDERED[key] = self._render(given)
        return _RENDERED[key]

    def _render(self, given: Callable[[Stack], Given]) -> Json:
        with TemporaryDirectory() as folder:
            app = App(outdir=folder)
            stack = Stack(app, "Team", env=HERE)
            self.build(stack, given(stack))
            template: Json = app.synth(skip_validation=True).get_stack_by_name("Team").template
        return template


def nothing(_stack: Stack) -> Given:
    """No argument but those that are always there."""
    return {}


def fixed(**arguments: Any) -> Callable[[Stack], Given]:
    """Arguments that need nothing of the stack."""
    return (lambda _stack: dict(arguments)) if arguments else nothing


def change(argument: str, before: Any, after: Any, refused: str = "", **others: Any) -> Change:
    """A change of an argument from one value to another, beside others that stay."""
    return Change(fixed(**others, **{argument: before}), fixed(**others, **{argument: after}), refused)


def added(argument: str, value: Any, refused: str = "", **others: Any) -> Change:
    """A change of an argument from its default to a value, beside others that stay."""
    return Change(fixed(**others), fixed(**others, **{argument: value}), refused)


def _unpacked(takes: Callable[..., Any], name: str) -> list[str]:
    """The members of the TypedDict in an annotation such as `Unpack[Cooldowns]`."""
    annotation = str(inspect.signature(takes).parameters[name].annotation)
    members = vars(inspect.getmodule(takes))[annotation.removeprefix("Unpack[").removesuffix("]")]
    return list(members.__annotations__)
