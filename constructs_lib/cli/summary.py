"""`summary`: the plan of every synthesized stack in a line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from constructs_lib.cli.errors import FailedError, MistakesError, Parser
from constructs_lib.cli.formatting import money, month, number
from constructs_lib.cli.table import Column, table
from constructs_lib.planning.summary import METADATA, PlanSummary
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.terminal import Terminal

_DESCRIPTION = """Reads a cloud assembly that cdk synth wrote and prints the plan of each endpoint in it in a line.
Prices are those of SageMaker hosting, on demand, in us-east-1; ~ marks prices worked out from EC2's."""


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "summary",
        help="the plan of every synthesized stack in a line",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("assembly", metavar="FOLDER", nargs="?", default="cdk.out", help="default: cdk.out")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Terminal) -> int:
    if problems:
        raise MistakesError(problems, arguments.parser.format_usage().strip())
    found = list(summaries(Path(arguments.assembly)))
    if arguments.json:
        out.say(json.dumps([{"stack": stack, **one.to_json()} for stack, one in found], indent=2))
        return 0
    if not found:
        out.say(f"{arguments.assembly} has no model endpoint.")
        return 0
    columns = [
        Column("STACK"),
        Column("MODEL"),
        Column("INSTANCE"),
        Column("GPUS"),
        Column("CONTEXT", right=True),
        Column("$ / HOUR", right=True),
        Column("$ / MONTH", right=True),
    ]
    titles, *lines = table(columns, [_row(stack, one) for stack, one in found], out.width)
    out.say(out.paint(titles, "bold"))
    for line in lines:
        out.say(line)
    return 0


def _row(stack: str, one: PlanSummary) -> list[str]:
    times = f"{one.instance_count} × " if one.instance_count > 1 else ""
    return [
        stack,
        one.model or "-",
        f"{times}{one.instance}",
        f"{one.num_shard} × {one.accelerator}",
        "-" if one.context is None else number(one.context),
        money(one.price_usd_per_hour, derived=one.price_is_derived),
        month(one.price_usd_per_hour, derived=one.price_is_derived),
    ]


def summaries(assembly: Path) -> Iterator[tuple[str, PlanSummary]]:
    """The endpoints of a cloud assembly, with the names of their stacks.

    Args:
        assembly: The folder that cdk synth wrote; assemblies of stages are in it.

    Raises:
        FailedError: It is no cloud assembly.
    """
    artifacts = _read(assembly / "manifest.json").get("artifacts", {})
    for name, artifact in sorted(artifacts.items()):
        properties = artifact.get("properties", {})
        if artifact.get("type") == "cdk:cloud-assembly":
            yield from summaries(assembly / properties["directoryName"])
        elif artifact.get("type") == "aws:cloudformation:stack":
            stack = str(properties.get("stackName", name))
            for entries in _metadata(assembly, artifact).values():
                for entry in entries:
                    if entry.get("type") == METADATA:
                        yield stack, PlanSummary.from_json(entry["data"])


def _metadata(assembly: Path, artifact: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The metadata of a stack, which newer versions of the CDK write into a file of its own."""
    metadata = dict(artifact.get("metadata", {}))
    if "additionalMetadataFile" in artifact:
        metadata |= _read(assembly / artifact["additionalMetadataFile"])
    return metadata


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        words = f"cannot be read: {error.strerror or type(error).__name__}"
        raise FailedError(
            Problem(str(path), None, words, "Run cdk synth first, and name the folder it wrote.")
        ) from error
    except ValueError as error:
        raise FailedError(Problem(str(path), None, f"is no JSON: {error}", "Run cdk synth again.")) from error
    if not isinstance(content, dict):
        raise FailedError(Problem(str(path), None, "is no cloud assembly", "Run cdk synth again."))
    return content
