"""`cost`: what the stacks of a cloud assembly cost for an hour and a month, and what changes against another one."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from constructs_lib.cli import cost_text
from constructs_lib.cli.errors import CommandError, Parser, UsageError
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.cli.stack_prices import compare, price_json, read_prices, total
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.output import Output
    from constructs_lib.cli.stack_prices import Change, StackPrice

_DESCRIPTION = """Reads a cloud assembly written by cdk synth and prints what each stack with an endpoint costs, for an
hour and for a month of 730 hours: the instances at the smallest and the largest capacity, and the front doors beside
them. With --compare it prints the change against another assembly, such as that of the main branch.
Prices are SageMaker's on-demand hosting prices in us-east-1; ~ marks prices derived from EC2's. Storage, data transfer,
logs, metrics and discounts are not included."""

_EPILOG = """exit status: 0 printed, 1 no assembly that can be read, or more than --max-usd-per-month, 2 usage error

examples:
  %(prog)s
  %(prog)s build/cdk.out --json
  %(prog)s cdk.out --compare main.out
  %(prog)s cdk.out --compare main.out --markdown > comment.md
  %(prog)s --max-usd-per-month 5000
"""


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `cost` to the commands."""
    parser = commands.add_parser(
        "cost",
        help="print what synthesized stacks cost, and what changes against another assembly",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("assembly", metavar="FOLDER", nargs="?", default="cdk.out", help="default: cdk.out")
    parser.add_argument("--compare", metavar="FOLDER", help="the assembly before the change")
    parser.add_argument("--max-usd-per-month", metavar="USD", help="exit with 1 if the largest capacity costs more")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON instead of a table")
    form.add_argument("--markdown", action="store_true", help="print Markdown, for the comment on a pull request")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    limit = _limit(arguments.max_usd_per_month, problems)
    if problems:
        raise UsageError(problems, arguments.parser.format_usage().strip())
    prices = read_prices(Path(arguments.assembly))
    if arguments.compare is None:
        _write_prices(arguments, prices, out)
    else:
        _write_changes(arguments, compare(read_prices(Path(arguments.compare)), prices), out)
    if limit is not None:
        _check_limit(prices, limit)
    return ExitStatus.FINE


def _write_prices(arguments: argparse.Namespace, prices: list[StackPrice], out: Output) -> None:
    if arguments.json:
        stacks = [{"stack": each.stack, **each.to_json()} for each in prices]
        whole = price_json(total(each.price for each in prices))
        unpriced = [each.stack for each in prices if each.price is None]
        _write_json({"stacks": stacks, "total": whole, "unpriced": unpriced}, out)
    elif arguments.markdown:
        out.write(cost_text.prices_as_markdown(prices))
    else:
        cost_text.print_prices(prices, arguments.assembly, out)


def _write_changes(arguments: argparse.Namespace, changes: list[Change], out: Output) -> None:
    if arguments.json:
        known = [each.prices for each in changes if each.prices is not None]
        before, after = total(one for one, _ in known), total(other for _, other in known)
        whole = {"before": price_json(before), "after": price_json(after), "change": price_json(after.plus(before, -1))}
        unpriced = [each.stack for each in changes if each.prices is None]
        _write_json({"stacks": list(map(_change_json, changes)), "total": whole, "unpriced": unpriced}, out)
    elif arguments.markdown:
        out.write(cost_text.changes_as_markdown(changes))
    else:
        cost_text.print_changes(changes, out)


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "stack": change.stack,
        "is_change": change.is_change,
        "before": None if change.before is None else change.before.to_json(),
        "after": None if change.after is None else change.after.to_json(),
        "change": price_json(change.price),
    }


def _write_json(value: dict[str, Any], out: Output) -> None:
    out.write(json.dumps(value, indent=2, ensure_ascii=not out.unicode) + "\n")


def _limit(value: str | None, problems: list[Problem]) -> float | None:
    if value is None:
        return None
    try:
        limit = float(value)
    except ValueError:
        limit = math.nan
    if limit >= 0 and math.isfinite(limit):
        return limit
    problems.append(Problem("--max-usd-per-month", value, "must be a number of US dollars", "Write it as 5000."))
    return None


def _check_limit(prices: list[StackPrice], limit: float) -> None:
    """Hold the largest capacity to a limit.

    Raises:
        CommandError: It costs more, or nobody knows.
    """
    problems = []
    most = price_json(total(each.price for each in prices))["max_usd_per_month"]
    if most > limit:
        message = f"the instances cost {most:,.0f} USD a month at their largest capacity"
        problems.append(
            Problem("--max-usd-per-month", f"{limit:g}", message, "Lower the capacity, or raise the limit.")
        )
    problems += [
        Problem(each.stack, None, "its price is not known, so no limit can be held", "Leave the limit out.")
        for each in prices
        if each.price is None
    ]
    if problems:
        raise CommandError(*problems)
