"""The plan for people: a table with memory bars, the reasons, and what to take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from constructs_lib.cli.formatting import HOURS_PER_MONTH, gpus, money, month, number, parameters
from constructs_lib.cli.memory_bar import Shares, bar, legend
from constructs_lib.cli.table import Column, table
from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointRequest

if TYPE_CHECKING:
    from constructs_lib.cli.arguments import Asked
    from constructs_lib.cli.terminal import Terminal
    from constructs_lib.planning.sizing.candidates import Candidate

_WIDE_BAR, _NARROW_BAR = 24, 12
_COMFORTABLE = 118


def report(
    asked: Asked, found: list[Candidate], every: list[Candidate], contexts: dict[str, int], out: Terminal
) -> None:
    """Writes the plan.

    Args:
        asked: What was asked for.
        found: The instances that were asked for, as `candidates` sorts them.
        every: All instances, for what could be taken instead.
        contexts: Longest request of each, by the name of the instance.
        out: Where to write.
    """
    _head(asked, out)
    fitting, misfits = [one for one in found if one.fits], [one for one in found if not one.fits]
    if fitting:
        _table(asked, fitting, contexts, out)
    if misfits and fitting:
        out.say()
    if misfits:
        _misfits(misfits, out)
    _verdict(asked, fitting, every, out)


def _head(asked: Asked, out: Terminal) -> None:
    facts = asked.facts
    kind = asked.options.quantize or facts.quantization or facts.checkpoint_dtype
    gate = {"yes": ", gated", "sometimes": ", gated at some revisions"}.get(facts.gating, "")
    size = f"{parameters(facts.parameters)} parameters · {kind}"
    name = out.paint(facts.hub_id, "bold")
    out.say(f"{name} · {size} · {facts.implementation} · licence {facts.licence}{gate}")
    length = f"{number(asked.tokens)} tokens (prompt and answer)" if asked.tokens else "requests of any length"
    times = f", {number(asked.concurrency)} at the same time" if asked.concurrency else ""
    place = f" in {asked.region}" if asked.region else ""
    out.say(f"TGI {asked.version}{place} · {length}{times}")
    out.say()


def asked_tokens(asked: Asked, one: Candidate) -> int:
    """Tokens whose keys and values a bar shows: those asked for, else one request of the longest context."""
    context = one.memory.context if one.memory else 0
    return (asked.tokens or context) * (asked.concurrency or 1)


def _table(asked: Asked, fitting: list[Candidate], contexts: dict[str, int], out: Terminal) -> None:
    size = _WIDE_BAR if out.width >= _COMFORTABLE else _NARROW_BAR
    columns = [
        Column("INSTANCE"),
        Column("GPUS"),
        Column("MEMORY OF A GPU"),
        Column("CONTEXT", right=True),
        Column("REQUESTS", right=True),
        Column("$ / HOUR", right=True),
        Column("$ / MONTH", right=True),
    ]
    rows = [_row(asked, one, contexts[one.instance.name], size, out) for one in fitting]
    for line in table(columns, rows, out.width):
        out.say(line)
    out.say()
    out.say(f"{legend(out)}")
    for caution in dict.fromkeys(one.caution for one in fitting if one.caution):
        out.say(out.paint(f"* {caution}", "yellow"))
    length = f"of {number(asked.tokens)} tokens" if asked.tokens else "of that context"
    out.say(out.paint(f"CONTEXT: longest request, in tokens · REQUESTS: {length}, at the same time", "dim"))
    if any(one.instance.price_is_derived for one in fitting):
        out.say(out.paint("~ worked out from the price of EC2", "dim"))


def _row(asked: Asked, one: Candidate, context: int, size: int, out: Terminal) -> list[str]:
    if one.memory is None:
        raise AssertionError("what fits has a memory plan")
    derived = one.instance.price_is_derived
    return [
        out.paint(one.instance.name, "bold") + (" *" if one.caution else ""),
        gpus(one),
        bar(Shares.of(one.memory, asked_tokens(asked, one), fits=one.fits), size, out),
        number(context),
        number(one.concurrency),
        money(one.price_usd_per_hour, derived=derived),
        month(one.price_usd_per_hour, derived=derived),
    ]


def _misfits(misfits: list[Candidate], out: Terminal) -> None:
    columns = [Column("CANNOT"), Column("GPUS"), Column("WHY", wrap=True)]
    rows = [[one.instance.name, gpus(one), one.reason or ""] for one in misfits]
    for line in table(columns, rows, out.width):
        out.say(line)


def _verdict(asked: Asked, fitting: list[Candidate], every: list[Candidate], out: Terminal) -> None:
    out.say()
    if not fitting:
        others = sorted((one for one in every if one.fits), key=lambda one: one.caution is not None)[:3]
        words = ", ".join(f"{one.instance.name} ({_price(one)})" for one in others)
        instead = f" What fits: {words}." if others else " No instance of the catalogue can serve it."
        out.say(out.paint("It does not fit.", "red", "bold") + instead)
        return
    best = fitting[0]
    settings = ", ".join(f"{name}={_plain(value)}" for name, value in best.settings.items())
    follow = f" Settings that follow: {settings}." if settings else ""
    word = "Cheapest:" if len(fitting) > 1 else "It fits:"
    out.say(f"{out.paint(word, 'green', 'bold')} {best.instance.name}, {_price(best)}.{follow}")
    for note in notes(asked, best):
        out.say(f"{out.paint('Note:', 'yellow')} {note}")


def _price(one: Candidate) -> str:
    price, derived = one.price_usd_per_hour, one.instance.price_is_derived
    if price is None:
        return "no price is published"
    about = "about " if derived else ""
    return f"{about}${price:.3f} an hour, ${price * HOURS_PER_MONTH:,.0f} a month"


def notes(asked: Asked, one: Candidate) -> list[str]:
    """What is legal but risky about serving the model there."""
    request = EndpointRequest(
        engine=engine_named("tgi"),
        model=ModelChoice(source="hub", hub_id=asked.facts.hub_id, has_token=True, facts=asked.facts),
        instance=one.instance,
        image=ImageChoice(version=asked.version),
        options=replace(asked.options, **dict(one.settings)),  # type: ignore[arg-type]
        region=asked.region,
    )
    return [warning.message for warning in plan(request).warnings]


def _plain(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else repr(value)
