"""`doctor`: why a deployed endpoint does not start or is slow."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from constructs_lib.cli.aws_session import ENVIRONMENT, add_account_options, open_session
from constructs_lib.cli.errors import Parser, UsageError
from constructs_lib.cli.exit_status import WITH_AWS, ExitStatus
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.output import Output

_DESCRIPTION = """Reads what is deployed, its events, logs and metrics, and says in order of likelihood why an endpoint
does not start, fails or is slow, each cause with its evidence and what to do. It changes nothing, shows no value of a
variable and no text of a request, and ends within about a minute. docs/how-to/doctor.md has a policy that allows what
it reads; what it may not read it names, and goes on."""

_EPILOG = f"""environment: {ENVIRONMENT}

exit status: 0 nothing was found, 1 a finding, or what was asked for cannot be read,
{WITH_AWS}

examples:
  %(prog)s LlamaTgiStack
  %(prog)s --endpoint llama --region eu-west-1 --since 30m
  %(prog)s LlamaTgiStack --json | jq '.endpoints[].findings[0]'
"""

_SINCE = re.compile(r"(?P<number>[1-9]\d{0,5})(?P<unit>[mhd])", re.ASCII)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_MOST_DAYS = 14
_NAME = re.compile(r"(?:arn:[\w:/-]{1,300}|[A-Za-z0-9][A-Za-z0-9-]{0,127})", re.ASCII)


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `doctor` to the commands."""
    parser = commands.add_parser(
        "doctor",
        help="say why a deployed endpoint does not start or is slow",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("name", metavar="STACK_OR_ENDPOINT", nargs="?", help="a stack, or an endpoint if there is no such stack")
    add("--stack", metavar="NAME", help="a stack")
    add("--endpoint", metavar="NAME", help="an endpoint")
    add("--since", metavar="AGE", help="how far back to read logs and metrics, such as 30m, 6h or 2d (default: the last"
        " deployment, at most 3h)")  # fmt: skip
    add_account_options(parser)
    add("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    problems += _problems(arguments)
    since = _age(arguments.since)
    if problems:
        raise UsageError(problems, arguments.parser.format_usage().strip())
    # The catalogue of causes is compiled when it is loaded, which other commands need not wait for.
    from constructs_lib.cli.doctor.examination import examine
    from constructs_lib.cli.doctor.gather import Asked
    from constructs_lib.cli.doctor.json_report import json_report
    from constructs_lib.cli.doctor.reader import Reader
    from constructs_lib.cli.doctor.text_report import print_report

    session = open_session("doctor", arguments.profile, arguments.region)
    asked = Asked(name=arguments.name, stack=arguments.stack, endpoint=arguments.endpoint, since=since)
    with _progress(out) as say:
        examination = examine(Reader(session, say), asked)
    if arguments.json:
        out.write(json.dumps(json_report(examination), indent=2, ensure_ascii=not out.unicode) + "\n")
    else:
        print_report(examination, out)
    return ExitStatus.FINDING if examination.has_findings else ExitStatus.FINE


def _problems(arguments: argparse.Namespace) -> Iterator[Problem]:
    given = {"name": arguments.name, "--stack": arguments.stack, "--endpoint": arguments.endpoint}
    named = [option for option, value in given.items() if value is not None]
    if not named:
        yield Problem("name", None, "is missing", "Name a stack or an endpoint.")
    if len(named) > 1:
        yield Problem("arguments", None, f"{' and '.join(named)} name what to examine twice", "Give one of them.")
    for option, value in given.items():
        if value is not None and not _NAME.fullmatch(value):
            yield Problem(option, value, "is not the name of a stack or an endpoint", "Write its name, or its ARN.")
    if arguments.since is not None and _age(arguments.since) is None:
        fix = f"Write a number and m, h or d, such as 30m; at most {_MOST_DAYS}d."
        yield Problem("--since", arguments.since, "is no age", fix)


def _age(text: str | None) -> timedelta | None:
    found = _SINCE.fullmatch(text or "")
    age = int(found["number"]) * _UNITS[found["unit"]] if found else None
    return age if age is not None and age <= timedelta(days=_MOST_DAYS) else None


@contextmanager
def _progress(out: Output) -> Iterator[Callable[[str], None]]:
    """Says on stderr what is read: on a terminal in one line that goes, else a line for each."""
    to = out.progress
    if to is None:
        yield lambda what: None
    elif to.is_terminal:
        with to.console.status("reading …") as status:
            yield lambda what: status.update(f"reading {what} …")
    else:
        progress = to

        def say(what: str) -> None:
            progress.write(f"read {what}\n")
            progress.flush()

        yield say
