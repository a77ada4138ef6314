"""`compare`: what each engine needs for one model and load."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.text import Text

from constructs_lib.cli import plan_json
from constructs_lib.cli.arguments import ArgumentChecker
from constructs_lib.cli.errors import Parser
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.cli.formatting import gpus, hourly, monthly, number
from constructs_lib.cli.output import Column
from constructs_lib.cli.plan import add_load, find_candidates
from constructs_lib.planning.sizing.cheapest import cheapest, commonest_problem

if TYPE_CHECKING:
    from constructs_lib.cli.arguments import PlanArguments
    from constructs_lib.cli.output import Output
    from constructs_lib.planning.sizing.candidates import Candidate
    from constructs_lib.planning.validation.problem import Problem

_DESCRIPTION = """Shows, for each engine, the cheapest instance that serves a model and a load, or why none does.

Each engine is planned with its newest image on SageMaker and its own defaults. CONTEXT and REQUESTS are what the memory
has room for, not how fast they are answered."""

_EPILOG = """exit status: 0 some engine serves it, 1 none does, 2 usage error

examples:
  %(prog)s --model Qwen/Qwen3-8B --tokens 8192 --concurrency 32
  %(prog)s --model meta-llama/Llama-3.1-8B-Instruct --instance ml.g6e.2xlarge --json
"""


@dataclass(frozen=True)
class _Compared:
    """An engine with the instance that it would be planned on, if there is one."""

    request: PlanArguments
    best: Candidate | None
    reason: str

    @property
    def notes(self) -> int:
        """How many warnings there are for that instance."""
        return len(self.request.warnings(self.best)) if self.best else 0


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `compare` to the commands."""
    parser = commands.add_parser(
        "compare",
        help="show what each engine needs for a model and a load",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_load(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table; sizes are bytes of one GPU")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    compared = [_compare(request) for request in ArgumentChecker(problems).comparison(arguments)]
    if arguments.json:
        out.write(json.dumps(_json(compared), indent=2, ensure_ascii=not out.unicode) + "\n")
    else:
        _write(compared, out)
    return ExitStatus.FINE if any(one.best for one in compared) else ExitStatus.FINDING


def _compare(request: PlanArguments) -> _Compared:
    names = {instance.name for instance in request.instances}
    found = [one for one in find_candidates(request, request.tokens) if not names or one.instance.name in names]
    best = cheapest(found) or next((one for one in found if one.fits), None)
    return _Compared(request, best, "" if best else _reason(found))


def _reason(found: list[Candidate]) -> str:
    """Why no instance serves it: what is wrong with all of them, else what the one with most memory lacks."""
    planned = [one for one in found if one.memory is not None]
    if not planned and (wrong := commonest_problem(found)):
        return f"{wrong.keyword}: {wrong.message}."
    most = max(planned, key=lambda one: (one.concurrency, one.memory.max_tokens if one.memory else 0), default=None)
    last = most or found[0]
    return f"{last.instance.name}: {last.reason}"


def _write(compared: list[_Compared], out: Output) -> None:
    request = compared[0].request
    length = f"{number(request.tokens)} tokens (prompt and output)" if request.tokens else "requests of any length"
    concurrency = f", {number(request.concurrency)} at the same time" if request.concurrency else ""
    region = f" · {request.region}" if request.region else ""
    out.print(Text.assemble((request.facts.hub_id, "bold"), f" · {length}{concurrency}{region}"))
    out.print()
    able, unable = [one for one in compared if one.best], [one for one in compared if not one.best]
    if able:
        _write_able(able, out)
    if able and unable:
        out.print()
    if unable:
        rows = [[_name(one), one.reason] for one in unable]
        out.print_table([Column("CANNOT SERVE"), Column("WHY", wraps=True)], rows)
    _write_notes(able, out)


def _write_able(able: list[_Compared], out: Output) -> None:
    columns = [
        Column("ENGINE"),
        Column("CHEAPEST INSTANCE"),
        Column("GPUS", wraps=True),
        Column("CONTEXT", is_number=True),
        Column("REQUESTS", is_number=True),
        Column("$ / HOUR", is_number=True),
        Column("$ / MONTH", is_number=True),
    ]
    ranked = sorted(able, key=lambda one: (one.best.price_usd_per_hour or 0) if one.best else 0)
    out.print_table(columns, [_row(one, one.best) for one in ranked if one.best])


def _row(one: _Compared, best: Candidate) -> list[str]:
    derived = best.instance.price_is_derived
    return [
        _name(one),
        f"{best.instance.name}{' *' if best.caution else ''}",
        gpus(best),
        number(best.memory.context) if best.memory else "-",
        number(best.concurrency),
        hourly(best.price_usd_per_hour, derived=derived),
        monthly(best.price_usd_per_hour, derived=derived),
    ]


def _write_notes(able: list[_Compared], out: Output) -> None:
    cautions = dict.fromkeys(one.best.caution for one in able if one.best and one.best.caution)
    for caution in cautions:
        out.print(Text(f"* {caution}", "yellow"))
    noted = [one for one in able if one.notes]
    if noted:
        out.print()
    for one in noted:
        notes = f"{one.notes} note{'s' if one.notes > 1 else ''}"
        engine, instance = one.request.engine, one.best.instance.name if one.best else ""
        out.print(f"{engine.display_name} has {notes}: plan --engine {engine.name} --instance {instance}")


def _name(one: _Compared) -> str:
    return f"{one.request.engine.display_name} {one.request.version}"


def _json(compared: list[_Compared]) -> dict[str, Any]:
    request = compared[0].request
    return {
        "model": asdict(request.facts),
        "request": {
            "tokens": request.tokens,
            "concurrency": request.concurrency,
            "region": request.region,
            "min_instances": request.min_instances,
            "max_instances": request.max_instances,
        },
        "engines": [
            {
                "engine": one.request.engine.name,
                "version": one.request.version,
                "fits": one.best is not None,
                "reason": one.reason or None,
                "warnings": [asdict(warning) for warning in one.request.warnings(one.best)] if one.best else [],
                "cheapest": plan_json.candidate(one.request, one.best, _context(one.best)) if one.best else None,
            }
            for one in compared
        ],
    }


def _context(best: Candidate) -> dict[str, int]:
    return {best.instance.name: best.memory.context} if best.memory else {}
