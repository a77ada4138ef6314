"""The result of `cost` as tables: for a terminal, and in Markdown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.text import Text

from constructs_lib.cli.formatting import HOURS_PER_MONTH, hourly, instances, monthly, span
from constructs_lib.cli.output import Column
from constructs_lib.cli.stack_prices import Price, total

if TYPE_CHECKING:
    from constructs_lib.cli.output import Output
    from constructs_lib.cli.stack_prices import Change, StackPrice

_FRONT_DOOR = "FRONT DOOR: $ / hour while as many streams are open as the endpoints serve; nothing while none is"
_FIGURES = (("$ / HOUR", hourly), ("$ / MONTH", monthly))
_TOTAL = "all stacks"


def print_prices(prices: list[StackPrice], assembly: str, out: Output) -> None:
    """Print a row for each stack, and their sum if there are several."""
    if not prices:
        out.print(f"{assembly} has no model endpoint.")
        return
    numbers = [Column(title, is_number=True) for title, _ in (*_FIGURES, ("FRONT DOOR", hourly))]
    rows = _price_rows(prices)
    if len(prices) > 1:
        rows[-1] = [Text(cell, "bold") for cell in rows[-1]]  # type: ignore[misc]
    out.print_table([Column("STACK"), Column("INSTANCES", wraps=True), *numbers], rows)
    out.print()
    out.print(_FRONT_DOOR)
    _print_notes([each.stack for each in prices if each.price is None], out)


def print_changes(changes: list[Change], out: Output) -> None:
    """Print a row for each stack that has changed, their sum, and how many have not."""
    out.print(Text(_headline(changes), "bold"))
    changed = [each for each in changes if each.is_change]
    if changed:
        out.print()
        titles = ("$ / HOUR", "CHANGE", "$ / MONTH", "CHANGE", "FRONT DOOR")
        numbers = [Column(title, is_number=True) for title in titles]
        out.print_table([Column("STACK"), Column("INSTANCES", wraps=True), *numbers], [*map(_change_row, changed)])
        out.print()
        out.print(_FRONT_DOOR)
    if same := len(changes) - len(changed):
        out.print(f"{_stacks(same)} cost what they did." if same > 1 else "1 stack costs what it did.")
    _print_notes([each.stack for each in changes if each.prices is None], out)


def prices_as_markdown(prices: list[StackPrice]) -> str:
    """The rows of `print_prices` as a table in Markdown."""
    if not prices:
        return "No stack has a model endpoint.\n"
    titles = ["stack", "instances", "USD per hour", "USD per month", "front door, USD per hour"]
    rows = _price_rows(prices)
    if len(prices) > 1:
        rows[-1] = [f"**{cell}**" if cell else "" for cell in rows[-1]]
    return _markdown([], titles, rows, [each.stack for each in prices if each.price is None])


def changes_as_markdown(changes: list[Change]) -> str:
    """The rows of `print_changes` as a table in Markdown, with a sentence that says what it comes to."""
    changed = [each for each in changes if each.is_change]
    titles = ["stack", "instances", "USD per hour", "change", "USD per month", "change", "front door, USD per hour"]
    rows = [_change_row(each) for each in changed]
    unpriced = [each.stack for each in changes if each.prices is None]
    return _markdown([f"**{_headline(changes)}**"], titles, rows, unpriced)


def _price_rows(prices: list[StackPrice]) -> list[list[str]]:
    rows = [[each.stack, _instances(each), *_price_cells(each.price)] for each in prices]
    if len(prices) > 1:
        rows.append([_TOTAL, "", *_price_cells(total(each.price for each in prices))])
    return rows


def _price_cells(price: Price | None) -> list[str]:
    return [*(_range(price, figure) for _, figure in _FIGURES), _door(price)]


def _change_row(change: Change) -> list[str]:
    before, after = change.before, change.after
    was, now = _instances(before) if before else "new", _instances(after) if after else "removed"
    cells = [change.stack, _arrow(was, now)]
    old, new = (None if each is None else each.price for each in (before, after))
    for _, figure in _FIGURES:
        costs = [_range(price, figure) for each, price in ((before, old), (after, new)) if each is not None]
        cells += [_arrow(costs[0], costs[-1]), _difference(change.price, figure)]
    doors = [_door(price) for each, price in ((before, old), (after, new)) if each is not None]
    return [*cells, _arrow(doors[0], doors[-1])]


def _headline(changes: list[Change]) -> str:
    """What the changes come to, in a sentence."""
    price = total(each.price for each in changes)
    least, most = (round(each * HOURS_PER_MONTH) for each in (price.least, price.most))
    if least == most == 0:
        return "The price of the instances does not change."
    if least == most:
        return f"The instances cost {abs(most):,} USD a month {'more' if most > 0 else 'less'}."
    return f"The instances cost {least:+,} USD a month at the smallest capacity, {most:+,} USD at the largest."


def _instances(stack: StackPrice) -> str:
    return " + ".join(instances(endpoint.summary) for endpoint in stack.endpoints)


def _range(price: Price | None, figure: Callable[..., str]) -> str:
    if price is None:
        return "-"
    return span(*(figure(each, derived=price.is_derived) for each in (price.least, price.most)))


def _door(price: Price | None) -> str:
    """What front doors cost; `-` without one, `?` if nobody knows how many streams there can be."""
    if price is None or price.front_door is None:
        return "?"
    return hourly(price.front_door or None, derived=False)


def _difference(price: Price | None, figure: Callable[..., str]) -> str:
    if price is None:
        return "-"
    least, most = (_signed(each, figure) for each in (price.least, price.most))
    return least if least == most else f"{least} to {most}"


def _signed(usd: float, figure: Callable[..., str]) -> str:
    text = figure(abs(usd), derived=False)
    if not text.strip("0.,"):
        return "0"
    return f"{'-' if usd < 0 else '+'}{text}"


def _arrow(before: str, after: str) -> str:
    return after if before == after else f"{before} → {after}"


def _stacks(count: int) -> str:
    return f"{count} {'stack' if count == 1 else 'stacks'}"


def _print_notes(unpriced: list[str], out: Output) -> None:
    if unpriced:
        out.print(Text(_unpriced(unpriced), "yellow"))


def _unpriced(names: list[str]) -> str:
    return (
        f"Not counted: {', '.join(names)}: no price is published for an instance type, or only the deployment knows how"
        " many instances there are."
    )


def _markdown(before: list[str], titles: list[str], rows: list[list[str]], unpriced: list[str]) -> str:
    parts = list(before)
    if rows:
        alignment = ["---", "---", *["---:"] * (len(titles) - 2)]
        lines = [titles, alignment, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
        parts.append(
            "Prices on demand in us-east-1, at the smallest and the largest capacity; a month has 730 hours. ~ is"
            " derived from EC2's price. Front door: while as many streams are open as the endpoints serve."
        )
    if unpriced:
        parts.append(_unpriced(unpriced))
    return "\n\n".join(parts) + "\n"
