"""Usage errors, all of one call together and each with the closest valid name, and failures of a command."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from difflib import get_close_matches
from typing import NoReturn

from rich.text import Text

from constructs_lib.cli.exit_status import WITHOUT_AWS, ExitStatus
from constructs_lib.cli.formatting import printable
from constructs_lib.cli.output import Output
from constructs_lib.planning.validation.problem import Problem


class UsageError(Exception):
    """Everything that is wrong with the arguments of a call.

    Args:
        problems: What is wrong.
        usage: The usage line of the command.
    """

    def __init__(self, problems: Iterable[Problem], usage: str = "") -> None:
        self.problems = tuple(problems)
        self.usage = usage
        super().__init__("; ".join(map(str, self.problems)))


class CommandError(Exception):
    """A command with valid arguments failed.

    Args:
        problem: What went wrong and what to do.
        further: What else went wrong.

    Attributes:
        status: The exit status of the command.
    """

    status = ExitStatus.FINDING

    def __init__(self, problem: Problem, *further: Problem) -> None:
        self.problems = (problem, *further)
        super().__init__("; ".join(map(str, self.problems)))


class PackageMissingError(CommandError):
    """A package that the command requires is not installed."""

    status = ExitStatus.USAGE


class Interrupted(Exception):  # noqa: N818 - it is none
    """Ctrl-C or SIGTERM has ended a command in the middle of its work.

    Args:
        message: How far it was, and how to go on.
    """


class Parser(argparse.ArgumentParser):
    """An argument parser that raises UsageError instead of exiting, and whose help says what exit statuses mean."""

    @property
    def option_names(self) -> list[str]:
        """The names of its options, such as `--json`."""
        return [name for action in self._actions for name in action.option_strings]

    def format_help(self) -> str:
        """The help."""
        shown = super().format_help()
        return shown if "exit status:" in shown else f"{shown}\nexit status: {WITHOUT_AWS}\n"

    def error(self, message: str) -> NoReturn:
        """Raise the error that argparse found."""
        raise UsageError([Problem("arguments", None, message, "")], self.format_usage().strip())


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """`Did you mean …?` for an unknown name.

    Args:
        name: The unknown name.
        known: The valid names.
        otherwise: The answer if none of them is similar.
    """
    by_lower = {valid.lower(): valid for valid in known}
    similar = get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(by_lower[match] for match in similar)}?" if similar else otherwise


def report(problems: Iterable[Problem], out: Output) -> None:
    """Write each problem on a line of its own."""
    for problem in problems:
        value = "" if problem.value is None else f" {problem.value!r}"
        subject = "" if problem.keyword == "arguments" else f"{problem.keyword}{value}: "
        end = "" if problem.message.endswith((".", "?")) else "."
        message = printable(f"{subject}{problem.message}{end} {problem.fix}".rstrip())
        out.print(Text.assemble(("error:", "bold red"), f" {message}"))
