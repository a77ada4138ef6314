"""`models pin`: find the commit that a branch or a tag of a repository is at, and print what to write in the app."""

from __future__ import annotations

import argparse
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from constructs_lib._weights_copier import is_repository
from constructs_lib.cli.errors import Parser, UsageError
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.cli.hub import Hub
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.output import Output

_DESCRIPTION = """Asks the hub which commit a branch or a tag is at, and prints the argument to write in the app. What
is copied into S3 are the weights of one commit: a branch may be at another one at the next deployment."""

_EPILOG = """environment: HF_TOKEN for private models, HF_ENDPOINT for a mirror of the hub

examples:
  %(prog)s meta-llama/Llama-3.1-8B-Instruct
  %(prog)s my-team/my-model --revision v2
"""


def add_to(actions: argparse._SubParsersAction[Parser]) -> None:
    """Add `pin` to the subcommands of `models`."""
    parser = actions.add_parser(
        "pin",
        help="find the commit of a branch or a tag",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="HUB_ID", nargs="?", help="repository on the hub")
    parser.add_argument("--revision", metavar="REVISION", default="main", help="branch or tag (default: main)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    name, revision = arguments.model, arguments.revision
    if not name:
        problems.append(Problem("model", None, "is missing", "Give a hub id."))
    elif not is_repository(name):
        problems.append(Problem("model", name, "is not a hub id", "Write owner/name, as on its hub page."))
    if not revision:
        problems.append(Problem("--revision", revision, "is empty", "Name a branch or a tag, or leave it out."))
    if problems:
        raise UsageError(problems, arguments.parser.format_usage().strip())
    commit = Hub(os.environ).commit(name, revision)
    if arguments.json:
        found = {"model": name, "revision": revision, "commit": commit}
        out.write(json.dumps(found, indent=2, ensure_ascii=not out.unicode) + "\n")
        return ExitStatus.FINE
    out.write(f'revision="{commit}",  # {revision} of {name} on {datetime.now(UTC).date().isoformat()}\n')
    return ExitStatus.FINE
