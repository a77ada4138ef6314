"""`images --mirror`: the commands that copy one of AWS's images into a private registry."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from constructs_lib.cli.arguments import ArgumentChecker
from constructs_lib.cli.errors import UsageError
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.planning.images.catalogue import known_regions
from constructs_lib.planning.images.mirror import copy_commands, mirror_problems
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.output import Output
    from constructs_lib.planning.images.catalogue import ImageFamily


def print_copy_commands(
    images: ImageFamily, arguments: argparse.Namespace, problems: list[Problem], out: Output
) -> int:
    """Print the commands, one a line, for a shell with the AWS CLI and crane.

    Args:
        images: The images of the engine.
        arguments: `mirror`, `region` and `image` of the command line.
        problems: What is wrong with other arguments.
        out: Where to write.

    Raises:
        UsageError: With every problem.
    """
    account, _, prefix = arguments.mirror.partition("/")
    checker = ArgumentChecker(problems)
    region = checker.one_of("--region", arguments.region, known_regions())
    version = checker.one_of("--image", arguments.image, images.versions) or images.newest
    if arguments.region is None:
        problems.append(Problem("--region", None, "is required with --mirror", "Give the Region of your endpoints."))
    problems += [
        Problem("--mirror", arguments.mirror, one.message, "Write 123456789012/mirror.")
        for one in mirror_problems(account, prefix, False)
    ]
    if problems or region is None:
        raise UsageError(problems, arguments.parser.format_usage().strip())
    for command in copy_commands(images, version, account=account, prefix=prefix, region=region):
        out.write(f"{command}\n")
    return ExitStatus.FINE
