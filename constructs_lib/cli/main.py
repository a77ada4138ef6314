"""Entry of the command line: which commands there are, and what each exit status means."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from constructs_lib.cli import catalogues, models, plan, summary
from constructs_lib.cli.errors import FailedError, MistakesError, Parser, nearest, report
from constructs_lib.cli.terminal import Terminal
from constructs_lib.planning.validation.problem import Problem

FITS, FITS_NOT, MISUSE = 0, 1, 2

_EPILOG = """exit status: 0 done (plan: it fits), 1 failed (plan: it does not fit), 2 misuse

examples:
  python -m constructs_lib plan --model meta-llama/Llama-3.1-8B-Instruct --tokens 8192 --concurrency 32
  python -m constructs_lib instances
  python -m constructs_lib models add my-team/my-model --output models.json
"""


def main(arguments: Sequence[str] | None = None, stdout: TextIO | None = None, stderr: TextIO | None = None) -> int:
    """Runs one command.

    Args:
        arguments: What follows the program's name. Default: those of the process.
        stdout: Where results go. Default: the process's.
        stderr: Where errors go. Default: the process's.

    Returns:
        The exit status: 0 done, 1 failed or it does not fit, 2 misuse.
    """
    out, err = Terminal.of(stdout or sys.stdout), Terminal.of(stderr or sys.stderr)
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments, out)
        out.stream.flush()
    except MistakesError as mistakes:
        report(mistakes.problems, err)
        if mistakes.usage:
            err.say(mistakes.usage)
        return MISUSE
    except FailedError as failure:
        report([failure.problem], err)
        return FITS_NOT
    except BrokenPipeError:
        # The reader (head, less) has seen enough; Python would complain of it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.stream.fileno())
        return FITS
    return status


def _run(arguments: Sequence[str], out: Terminal) -> int:
    parser = _parser()
    _check_command(arguments, parser)
    known, unknown = parser.parse_known_args(arguments)
    options = [name for action in known.parser._actions for name in action.option_strings]
    problems = [
        Problem(name, None, "is not known", nearest(name, options, "See --help.")) for name in map(_name, unknown)
    ]
    status: int = known.run(known, problems, out)
    return status


def _name(argument: str) -> str:
    return argument.partition("=")[0] if argument.startswith("-") else repr(argument)


def _check_command(arguments: Sequence[str], parser: argparse.ArgumentParser) -> None:
    command = arguments[0] if arguments else None
    commands = ("plan", "models", "instances", "images", "summary")
    if command is None:
        raise MistakesError([Problem("command", None, f"is missing: {', '.join(commands)}", "")], _usage(parser))
    if not command.startswith("-") and command not in commands:
        fix = nearest(command, commands, f"There are {', '.join(commands)}.")
        raise MistakesError([Problem("command", command, "is not known", fix)], _usage(parser))


def _usage(parser: argparse.ArgumentParser) -> str:
    return parser.format_usage().strip()


def _parser() -> Parser:
    parser = Parser(
        prog="python -m constructs_lib",
        description="Plans model endpoints on Amazon SageMaker before anything is created. Never calls AWS.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    plan.add_to(commands)
    catalogues.add_models(commands, models.add_to)
    catalogues.add_instances(commands)
    catalogues.add_images(commands)
    summary.add_to(commands)
    return parser
