"""`summary`: the plan of each endpoint in a cloud assembly, one line each."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from constructs_lib.cli.errors import CommandError, Parser, UsageError
from constructs_lib.cli.formatting import hourly, monthly, number
from constructs_lib.cli.output import Column
from constructs_lib.planning.summary import METADATA, PlanSummary
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.output import Output

_DESCRIPTION = """Reads a cloud assembly written by cdk synth and prints the plan of each endpoint in it, one line each.
Prices are SageMaker's on-demand hosting prices in us-east-1; ~ marks prices derived from EC2's."""


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `summary` to the commands."""
    parser = commands.add_parser(
        "summary",
        help="print the plan of each synthesized endpoint, one line each",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("assembly", metavar="FOLDER", nargs="?", default="cdk.out", help="default: cdk.out")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    if problems:
        raise UsageError(problems, arguments.parser.format_usage().strip())
    found = list(summaries(Path(arguments.assembly)))
    if arguments.json:
        rows = [_json_row(stack, summary) for stack, summary in found]
        out.write(json.dumps(rows, indent=2) + "\n")
        return 0
    if not found:
        out.print(f"{arguments.assembly} has no model endpoint.")
        return 0
    columns = [
        Column("STACK"),
        Column("MODEL", wraps=True),
        Column("INSTANCE"),
        Column("GPUS", wraps=True),
        Column("CONTEXT", is_number=True),
        Column("$ / HOUR", is_number=True),
        Column("$ / MONTH", is_number=True),
    ]
    out.print_table(columns, [_row(stack, summary) for stack, summary in found])
    out.write(_quota_note([summary for _, summary in found]))
    return 0


def _json_row(stack: str, summary: PlanSummary) -> dict[str, Any]:
    quota = {"quota_name": summary.quota_name, "quota_needed": summary.quota_needed}
    return {"stack": stack, **summary.to_json(), **quota}


def _quota_note(summaries: list[PlanSummary]) -> str:
    """What fails first in a new account and is in no template: the quota of each instance type."""
    names = sorted({summary.quota_name for summary in summaries})
    needed = max(summary.quota_needed for summary in summaries)
    name, condition = names[0], f"QuotaName=='{names[0]}'"
    if len(names) > 1:
        name, condition = "<INSTANCE> for endpoint usage", "contains(QuotaName,'for endpoint usage')"
    return f"""
SageMaker's quota "{name}" is usually 0 in a new account: the endpoint then fails with ResourceLimitExceeded.
It must allow twice the instances, as an update starts the new ones before it stops the old ones. To read and raise it:
  aws service-quotas list-service-quotas --service-code sagemaker --output text \\
    --query "Quotas[?{condition}].[QuotaCode,Value,QuotaName]"
  aws service-quotas request-service-quota-increase --service-code sagemaker --desired-value {needed} --quota-code ID
"""


def _row(stack: str, summary: PlanSummary) -> list[str]:
    count = f"{summary.instance_count} × " if summary.instance_count > 1 else ""
    return [
        stack,
        summary.model or "-",
        f"{count}{summary.instance}",
        f"{summary.num_shard} × {summary.accelerator}",
        "-" if summary.context is None else number(summary.context),
        hourly(summary.price_usd_per_hour, derived=summary.price_is_derived),
        monthly(summary.price_usd_per_hour, derived=summary.price_is_derived),
    ]


def summaries(assembly: Path) -> Iterator[tuple[str, PlanSummary]]:
    """The endpoints of a cloud assembly, each with the name of its stack.

    Args:
        assembly: The folder written by cdk synth; the assemblies of stages are nested in it.

    Raises:
        CommandError: It is not a cloud assembly.
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
    """The metadata of a stack, which newer CDK versions write into a file of its own."""
    metadata = dict(artifact.get("metadata", {}))
    if "additionalMetadataFile" in artifact:
        metadata |= _read(assembly / artifact["additionalMetadataFile"])
    return metadata


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"cannot be read: {error.strerror or type(error).__name__}"
        raise CommandError(
            Problem(str(path), None, message, "Run cdk synth first, and name the folder it wrote.")
        ) from error
    except ValueError as error:
        raise CommandError(Problem(str(path), None, f"is not valid JSON: {error}", "Run cdk synth again.")) from error
    if not isinstance(content, dict):
        raise CommandError(Problem(str(path), None, "is not a cloud assembly", "Run cdk synth again."))
    return content
