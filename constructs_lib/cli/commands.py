"""The commands, how their errors are reported, and what each exit status means."""

from __future__ import annotations

import argparse
import errno
import os
from collections.abc import Sequence
from typing import TextIO

from constructs_lib.cli import (
    catalogues,
    chat,
    compare,
    completion,
    cost,
    jumpstart,
    migrate,
    models,
    pin,
    plan,
    stage,
    summary,
)
from constructs_lib.cli.candidates import candidates
from constructs_lib.cli.doctor import command as doctor
from constructs_lib.cli.errors import CommandError, Interrupted, Parser, UsageError, nearest, report
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.cli.output import Output
from constructs_lib.planning.validation.problem import Problem


def _add_models(commands: argparse._SubParsersAction[Parser]) -> None:
    catalogues.add_models(commands, models.add_to, pin.add_to)


_COMMANDS = {
    "plan": plan.add_to,
    "compare": compare.add_to,
    "models": _add_models,
    "instances": catalogues.add_instances,
    "images": catalogues.add_images,
    "jumpstart": jumpstart.add_to,
    "summary": summary.add_to,
    "cost": cost.add_to,
    "migrate": migrate.add_to,
    "stage": stage.add_to,
    "doctor": doctor.add_to,
    "chat": chat.add_to,
    "completion": completion.add_to,
}
"""What adds each command to the parser, in the order of the help."""

_EPILOG = """exit status: 0 fine, 1 a finding (such as: no instance fits) or a failure, 2 usage error or a package is
missing, 3 no credentials or Region, 130 stopped

examples:
  %(prog)s plan --model meta-llama/Llama-3.1-8B-Instruct --tokens 8192 --concurrency 32
  %(prog)s compare --model Qwen/Qwen3-8B --tokens 8192 --concurrency 32
  %(prog)s migrate LlamaTgiStack --to vllm
  %(prog)s doctor LlamaTgiStack
  %(prog)s cost cdk.out --compare main.out
  %(prog)s chat --stack LlamaTgiStack
  %(prog)s instances
  %(prog)s models add my-team/my-model --output models.json
  %(prog)s models pin my-team/my-model
"""


def run(prog: str, arguments: Sequence[str], stdout: TextIO, stderr: TextIO) -> int:
    """Run one command and report its errors.

    Args:
        prog: How the user started the program.
        arguments: The arguments after the program's name.
        stdout: Where results go.
        stderr: Where errors go.

    Returns:
        The exit status.
    """
    try:
        status = _run(build_parser(prog), arguments, Output(stdout, Output(stderr)))
        stdout.flush()
    except UsageError as error:
        out = Output(stderr)
        report(error.problems, out)
        if error.usage:
            out.write(f"{error.usage}\n")
        return ExitStatus.USAGE
    except CommandError as error:
        report(error.problems, Output(stderr))
        return error.status
    except (Interrupted, KeyboardInterrupt) as error:
        Output(stderr).write(f"{error or 'stopped'}\n")
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has closed the pipe; Python would complain again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        return ExitStatus.FINE
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        report([Problem("arguments", None, "the result cannot be written: no space is left", "")], Output(stderr))
        return ExitStatus.FINDING
    return status


def _run(parser: Parser, arguments: Sequence[str], out: Output) -> int:
    if arguments[:1] == [completion.COMPLETE]:
        return _complete(parser, arguments[1:], out)
    _check_command(arguments, parser)
    known, unknown = parser.parse_known_args(arguments)
    options = known.parser.option_names
    problems = [
        Problem(name, None, "is not known", nearest(name, options, "See --help.")) for name in map(_name, unknown)
    ]
    status: int = known.run(known, problems, out)
    return status


def _complete(parser: Parser, words: Sequence[str], out: Output) -> int:
    for line in candidates(parser, words):
        out.write(f"{line}\n")
    return ExitStatus.FINE


def _name(argument: str) -> str:
    return argument.partition("=")[0] if argument.startswith("-") else repr(argument)


def _check_command(arguments: Sequence[str], parser: argparse.ArgumentParser) -> None:
    command = arguments[0] if arguments else None
    if command is None:
        raise UsageError([Problem("command", None, f"is missing: {', '.join(_COMMANDS)}", "")], _usage(parser))
    if not command.startswith("-") and command not in _COMMANDS:
        fix = nearest(command, _COMMANDS, f"Use one of {', '.join(_COMMANDS)}.")
        raise UsageError([Problem("command", command, "is not known", fix)], _usage(parser))


def _usage(parser: argparse.ArgumentParser) -> str:
    return parser.format_usage().strip()


def build_parser(prog: str) -> Parser:
    """The parser of all commands.

    Args:
        prog: How the user started the program.
    """
    parser = Parser(
        prog=prog,
        description="Plans model endpoints on Amazon SageMaker before anything is created, and says"
        " why an endpoint fails; stage, doctor and chat --stack call AWS.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add_to in _COMMANDS.values():
        add_to(commands)
    return parser
