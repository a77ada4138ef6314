"""`summary`: the plan of each endpoint in a cloud assembly, and each model of its front doors, one line each."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from constructs_lib.cli.assembly import read_stacks
from constructs_lib.cli.endpoints import endpoints
from constructs_lib.cli.errors import Parser, UsageError
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.cli.formatting import hourly, instances, monthly, number, span
from constructs_lib.cli.front_doors import COLUMNS, served_models
from constructs_lib.cli.output import Column
from constructs_lib.planning.cost import TOKENS_PER_STREAM

if TYPE_CHECKING:
    from constructs_lib.cli.endpoints import SynthesizedEndpoint
    from constructs_lib.cli.output import Output
    from constructs_lib.planning.validation.problem import Problem

_DESCRIPTION = """Reads a cloud assembly written by cdk synth and prints the plan of each endpoint in it, one line each.
Then it lists the models of its front doors by the names that clients use.
Prices are SageMaker's on-demand hosting prices in us-east-1; ~ marks prices derived from EC2's."""

_EPILOG = """examples:
  %(prog)s
  %(prog)s build/cdk.out --json
"""

_LEGEND = (
    f"STREAMS: requests at once on the most instances, of {TOKENS_PER_STREAM} tokens unless request_tokens says"
    " otherwise, by memory · FRONT DOOR: $ / hour while as many streams are open"
)


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `summary` to the commands."""
    parser = commands.add_parser(
        "summary",
        help="print the plan of each synthesized endpoint, one line each",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("assembly", metavar="FOLDER", nargs="?", default="cdk.out", help="default: cdk.out")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    if problems:
        raise UsageError(problems, arguments.parser.format_usage().strip())
    assembly = Path(arguments.assembly)
    found = list(endpoints(assembly))
    served = [model for stack in read_stacks(assembly) for model in served_models(stack)]
    if arguments.json:
        rows = [_json_row(endpoint) for endpoint in found] + [model.to_json() for model in served]
        out.write(json.dumps(rows, indent=2) + "\n")
        return ExitStatus.FINE
    if found:
        _print_endpoints(found, out)
    else:
        out.print(f"{arguments.assembly} has no model endpoint.")
    if served:
        out.write("\n")
        out.print_table(COLUMNS, [model.to_row() for model in served])
    return ExitStatus.FINE


def _print_endpoints(found: list[SynthesizedEndpoint], out: Output) -> None:
    columns = [
        Column("STACK"),
        Column("MODEL", wraps=True),
        Column("INSTANCE"),
        Column("GPUS", wraps=True),
        Column("CONTEXT", is_number=True),
        Column("$ / HOUR", is_number=True),
        Column("$ / MONTH", is_number=True),
        Column("STREAMS", is_number=True),
        Column("FRONT DOOR", is_number=True),
    ]
    out.print_table(columns, [_row(endpoint) for endpoint in found])
    out.print()
    out.print(_LEGEND)
    out.write(_quota_note(found))


def _json_row(endpoint: SynthesizedEndpoint) -> dict[str, Any]:
    summary = endpoint.summary
    quota = {"quota_names": summary.quota_names, "quota_needed": summary.quota_needed}
    front_door = {"front_door_memory_mib": endpoint.memory_mib, "front_door_usd_per_hour": endpoint.front_door_price}
    return {"stack": endpoint.stack, **summary.to_json(), **front_door, **quota}


def _quota_note(found: list[SynthesizedEndpoint]) -> str:
    """What fails first in a new account and is in no template: the quota of each instance type."""
    # The endpoints of a stack run at the same time.
    needs: Counter[tuple[str, str]] = Counter()
    for endpoint in found:
        needs.update({(endpoint.stack, name): endpoint.summary.quota_needed for name in endpoint.summary.quota_names})
    names, needed = sorted({name for _, name in needs}), max(needs.values())
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


def _row(endpoint: SynthesizedEndpoint) -> list[str]:
    summary = endpoint.summary
    prices, derived = (summary.min_usd_per_hour, summary.max_usd_per_hour), summary.price_is_derived
    return [
        endpoint.stack,
        summary.model or "-",
        instances(summary),
        f"{summary.num_shard} × {summary.accelerator}",
        "-" if summary.context is None else number(summary.context),
        span(*(hourly(price, derived=derived) for price in prices)),
        span(*(monthly(price, derived=derived) for price in prices)),
        "-" if summary.streams is None else number(summary.streams),
        hourly(endpoint.front_door_price, derived=False),
    ]
