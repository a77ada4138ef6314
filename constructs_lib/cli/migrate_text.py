"""A migration as tables and text, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from constructs_lib.cli.formatting import gib, hourly, monthly, number, span
from constructs_lib.cli.output import Column
from constructs_lib.planning.images.catalogue import format_version, parse_version
from constructs_lib.planning.migration.code import endpoint_code, steps
from constructs_lib.planning.migration.outcome import Fate

if TYPE_CHECKING:
    from rich.console import RenderableType

    from constructs_lib.cli.output import Output
    from constructs_lib.planning.migration.code import Names
    from constructs_lib.planning.migration.migrate import Migration
    from constructs_lib.planning.migration.outcome import Outcome
    from constructs_lib.planning.request import EndpointRequest
    from constructs_lib.planning.summary import PlanSummary

_STYLES = {Fate.SET: "green", Fate.BY_HAND: "yellow", Fate.LOST: "bold red", Fate.FALLS_AWAY: "dim"}


def report(path: str, names: Names, migration: Migration, out: Output) -> None:
    """Write a migration.

    Args:
        path: Path of the endpoint, or the model.
        names: What the code calls things.
        migration: The migration.
        out: Where to write.
    """
    model = migration.before.model
    shown = f"{path} · {model} · " if model and model != path else f"{path} · "
    out.print(Text.assemble((shown, "bold"), f"{_engine(migration.source)} → {_engine(migration.target)}"))
    out.print()
    _write_outcomes(migration, out)
    out.print()
    _write_differences(migration, out)
    out.print()
    _write_prices(migration, out)
    _write_findings(migration, out)
    if not migration.problems:
        out.print()
        _write_code(names, migration, out)


def _engine(request: EndpointRequest) -> str:
    parsed = parse_version(str(request.image_choice.version))
    return f"{request.engine.display_name} {format_version(parsed) if parsed else request.image_choice.version}"


def _write_outcomes(migration: Migration, out: Output) -> None:
    columns = [Column("ON TGI"), Column("SET BY"), Column("BECOMES", wraps=True), Column("NOTE", wraps=True)]
    out.print_table(columns, [_outcome_row(one) for one in migration.outcomes])


def _outcome_row(outcome: Outcome) -> list[RenderableType]:
    becomes = outcome.becomes
    set_now = [f"{name}={value!r}" for name, value in becomes.settings.items()]
    set_now += [f"environment[{name!r}]={value!r}" for name, value in becomes.variables.items()]
    value = "" if outcome.value is None else f"={outcome.value!s}"
    shown = str(becomes.fate).upper() if becomes.fate is Fate.LOST else str(becomes.fate)
    return [
        f"{outcome.option}{value}",
        "you" if outcome.given else "plan" if outcome.value is not None else "-",
        Text(", ".join(set_now) or shown, _STYLES.get(becomes.fate, "")),
        becomes.reason,
    ]


def _write_differences(migration: Migration, out: Output) -> None:
    columns = [
        Column("CLIENTS OF"),
        Column("NOTICE", wraps=True),
        Column("x-tgi-difference"),
        Column("CHANGE", wraps=True),
    ]
    rows = [[str(one.clients), one.subject, one.header or "-", one.text] for one in migration.differences]
    out.print_table(columns, rows)


def _write_prices(migration: Migration, out: Output) -> None:
    columns = [
        Column("ENGINE"),
        Column("INSTANCE"),
        Column("GPUS", wraps=True),
        Column("CONTEXT", is_number=True),
        Column("STREAMS", is_number=True),
        Column("$ / HOUR", is_number=True),
        Column("$ / MONTH", is_number=True),
    ]
    rows = [_price_row(_engine(migration.source), migration.before)]
    if migration.after is not None:
        rows.append(_price_row(_engine(migration.target), migration.after))
    out.print_table(columns, rows)
    if migration.after is None:
        return
    before, after = migration.before.max_usd_per_hour, migration.after.max_usd_per_hour
    if before is not None and after is not None:
        derived = migration.before.price_is_derived or migration.after.price_is_derived
        out.print(f"While both run: {hourly(before + after, derived=derived)} USD an hour.")


def _price_row(engine: str, summary: PlanSummary) -> list[str]:
    derived = summary.price_is_derived
    prices = summary.min_usd_per_hour, summary.max_usd_per_hour
    return [
        engine,
        ", ".join(summary.instances),
        f"{summary.num_shard} × {summary.accelerator}",
        "-" if summary.context is None else number(summary.context),
        "-" if summary.streams is None else number(summary.streams),
        span(*(hourly(price, derived=derived) for price in prices)),
        span(*(monthly(price, derived=derived) for price in prices)),
    ]


def _write_findings(migration: Migration, out: Output) -> None:
    """Whether it fits, why it moves to another instance type, why it cannot move, and what is risky about it."""
    if not migration.problems:
        out.print(_fit(migration))
    if migration.moved is not None:
        out.print()
        out.print(Text(f"{migration.moved.keyword}={migration.moved.value}: {migration.moved.message}.", "yellow"))
        if not migration.problems:
            instance = migration.new.instance.name
            out.print(
                f"The cheapest that {migration.target.engine.display_name} fits is {instance}; the code names it."
            )
    if migration.problems:
        out.print()
        out.print(Text(f"{migration.target.engine.display_name} cannot be deployed like that:", "bold red"))
        for problem in migration.problems:
            value = "" if problem.value is None else f"={problem.value}"
            out.print(f"  {problem.keyword}{value}: {problem.message}. {problem.fix}")
    for warning in migration.new.warnings if not migration.problems else ():
        out.print()
        out.print(Text(f"{warning.id}: {warning.message}", "yellow"))


def _fit(migration: Migration) -> str:
    """Whether the model fits, as a sentence."""
    engine, memory = migration.target.engine.display_name, migration.new.memory
    if memory is None:
        return f"Whether it fits is not known: the shape of the model, or an option of {engine}, is not."
    place = f"By the memory plan of {engine} it fits {migration.new.instance.name}"
    if memory.slack < 0:
        return f"{place} only if the estimate is {gib(-memory.slack)} too high, which it may be."
    return f"{place}, with {gib(memory.slack)} of each GPU to spare."


def _write_code(names: Names, migration: Migration, out: Output) -> None:
    out.print(Text("THE CODE", "bold"))
    out.print()
    out.write(f"{endpoint_code(migration, names)}\n")
    out.write(
        "# The other arguments of the endpoint on TGI (vpc, role, scale_to_zero, …) are the same on every engine.\n"
    )
    out.write("# Then the models of the front door, one deployment each (docs/migrate.md):\n")
    out.write("from constructs_lib import Mirror, Split\n\n")
    for number_, (purpose, line) in enumerate(steps(names), 1):
        out.write(f"# {number_}. {purpose}\n{line}\n")
