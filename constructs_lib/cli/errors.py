"""Mistakes of the caller: all of one call together, each with the nearest that would be right."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from difflib import get_close_matches
from typing import NoReturn

from constructs_lib.cli.terminal import Terminal
from constructs_lib.planning.validation.problem import Problem


class MistakesError(Exception):
    """What the caller got wrong, all of it.

    Args:
        problems: The mistakes.
        usage: How the command is called.
    """

    def __init__(self, problems: Iterable[Problem], usage: str = "") -> None:
        self.problems = tuple(problems)
        self.usage = usage
        super().__init__("; ".join(map(str, self.problems)))


class FailedError(Exception):
    """What could not be done, though it was asked for rightly.

    Args:
        problem: What went wrong and what to do.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of leaving the program."""

    def error(self, message: str) -> NoReturn:
        """Raises the mistake that argparse found."""
        raise MistakesError([Problem("arguments", None, message, "")], self.format_usage().strip())


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """`Did you mean …?` for a name that is not known; `otherwise` where nothing is near."""
    by_lower = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(by_lower[one] for one in near)}?" if near else otherwise


def report(problems: Iterable[Problem], terminal: Terminal) -> None:
    """Writes what is wrong, one line each."""
    for problem in problems:
        named = "" if problem.value is None else f" {problem.value!r}"
        head = "" if problem.keyword == "arguments" else f"{problem.keyword}{named}: "
        end = "" if problem.message.endswith((".", "?")) else "."
        terminal.say(f"{terminal.paint('error:', 'red', 'bold')} {head}{problem.message}{end} {problem.fix}")
