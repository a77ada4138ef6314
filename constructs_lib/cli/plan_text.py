"""The plan for people: a table with memory bars, why the other instances cannot serve the model, and a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from constructs_lib.cli.engine import compression, runs_with
from constructs_lib.cli.formatting import HOURS_PER_MONTH, gpus, hourly, monthly, number, parameters, span
from constructs_lib.cli.output import Column
from constructs_lib.planning.cost import DEFAULT_MEMORY_MIB, describe_price
from constructs_lib.planning.images.catalogue import parse_version
from constructs_lib.planning.sizing.cheapest import cheapest, commonest_problem

if TYPE_CHECKING:
    from rich.console import RenderableType

    from constructs_lib.cli.arguments import PlanArguments
    from constructs_lib.cli.output import Output
    from constructs_lib.planning.memory_plan import MemoryPlan
    from constructs_lib.planning.sizing.candidates import Candidate

_WIDE_BAR, _NARROW_BAR = 24, 12
_MIN_WIDTH_OF_WIDE_BARS = 118
_MAX_ALTERNATIVES = 3


@dataclass(frozen=True)
class MemoryShares:
    """What fills the memory of one GPU, in bytes.

    Args:
        total: Memory of the GPU.
        weights: The model's weights.
        cache: Keys and values of the requested tokens.
        reserve: What the engine leaves unused, and what CUDA and the largest prefill take.
        free: What is left for the keys and values of more tokens.
        missing: By how much the GPU is too small.
    """

    total: int
    weights: int
    cache: int
    reserve: int
    free: int
    missing: int

    @classmethod
    def of(cls, memory: MemoryPlan, tokens: int, *, fits: bool) -> MemoryShares:
        """The shares with the keys and values of that many tokens.

        Args:
            memory: The plan of the GPU.
            tokens: Tokens of all concurrent requests.
            fits: Whether they fit. An engine keeps its reserve from tokens, but not from its own start: a start that
                fits may use part of it, and one that does not fit is short by less.
        """
        cache = tokens * memory.kv_bytes_per_token
        reserve = memory.gpu_memory - memory.usable + memory.runtime + memory.prefill
        left = memory.gpu_memory - memory.weights - cache - reserve
        missing = 0 if fits else memory.shortfall or max(0, -left)
        taken = min(reserve, max(0, -left - missing))
        left += taken
        return cls(memory.gpu_memory, memory.weights, cache, reserve - taken, max(0, left), max(0, -left))


@dataclass(frozen=True)
class MemoryPart:
    """How one of the shares is shown.

    Args:
        name: The share's field in MemoryShares.
        label: Its name in a legend.
        block: Its character in a bar.
        ascii: Its character on a stream that accepts only ASCII.
        style: Its colour.
    """

    name: str
    label: str
    block: str
    ascii: str
    style: str


PARTS = (
    MemoryPart("weights", "weights", "█", "#", "blue"),
    MemoryPart("cache", "KV cache", "▓", "=", "magenta"),
    MemoryPart("reserve", "reserved", "▒", "-", "yellow"),
    MemoryPart("free", "free for more tokens", "░", ".", "green"),
)


def report(
    request: PlanArguments, found: list[Candidate], every: list[Candidate], contexts: dict[str, int], out: Output
) -> None:
    """Write the plan.

    Args:
        request: The arguments of `plan`.
        found: The instances to show, sorted as `candidates` does.
        every: All instances, to name alternatives.
        contexts: Longest request of each instance, by its name.
        out: Where to write.
    """
    _head(request, out)
    fitting = [candidate for candidate in found if candidate.fits]
    misfits = [candidate for candidate in found if not candidate.fits]
    if fitting:
        _fitting(request, fitting, contexts, out)
    if misfits and fitting:
        out.print()
    if misfits:
        out.print_table([Column("CANNOT SERVE", wraps=True), Column("INSTANCES", wraps=True)], _by_reason(misfits))
    _verdict(request, fitting, every, out)


def _by_reason(misfits: list[Candidate]) -> list[list[str]]:
    """One row for each reason, with the instances that have it, in the order of the first of them."""
    names: dict[str, list[str]] = {}
    for each in misfits:
        names.setdefault(each.reason or "", []).append(each.instance.name)
    return [[reason, ", ".join(instances)] for reason, instances in names.items()]


def requested_tokens(request: PlanArguments, candidate: Candidate) -> int:
    """Tokens whose keys and values a bar shows: those requested, else one request of the longest context."""
    context = candidate.memory.context if candidate.memory else 0
    return (request.tokens or context) * (request.concurrency or 1)


def _head(request: PlanArguments, out: Output) -> None:
    facts = request.facts
    kind = compression(request.engine, request.options) or facts.quantization or facts.checkpoint_dtype
    gate = {"yes": ", gated", "sometimes": ", gated at some revisions"}.get(facts.gating, "")
    version = parse_version(request.version) or request.engine.images.newest_version
    how = [found] if (found := runs_with(request.engine, facts, version)) else []
    about = " · ".join([f"{parameters(facts.parameters)} parameters", kind, *how, f"licence {facts.licence}{gate}"])
    out.print(Text.assemble((facts.hub_id, "bold"), f" · {about}"))
    region = f" in {request.region}" if request.region else ""
    length = f"{number(request.tokens)} tokens (prompt and output)" if request.tokens else "requests of any length"
    concurrency = f", {number(request.concurrency)} at the same time" if request.concurrency else ""
    out.print(f"{request.engine.display_name} {request.version}{region} · {length}{concurrency}")
    out.print()


def _fitting(request: PlanArguments, fitting: list[Candidate], contexts: dict[str, int], out: Output) -> None:
    is_wide = out.width >= _MIN_WIDTH_OF_WIDE_BARS
    bar_width = _WIDE_BAR if is_wide else _NARROW_BAR
    hardware, unit = request.engine.hardware, request.engine.hardware.unit.upper()
    columns = [
        Column("INSTANCE"),
        Column("GPUS" if hardware.is_gpu else "DEVICES", wraps=True),
        Column(f"MEMORY OF A {unit}" if is_wide else f"{unit} MEMORY"),
        Column("CONTEXT", is_number=True),
        Column("REQUESTS", is_number=True),
        Column("$ / HOUR", is_number=True),
        Column("$ / MONTH", is_number=True),
    ]
    rows = [_row(request, each, contexts[each.instance.name], bar_width, out) for each in fitting]
    out.print_table(columns, rows)
    out.print()
    out.print(_legend(out))
    for caution in dict.fromkeys(each.caution for each in fitting if each.caution):
        out.print(Text(f"* {caution}", "yellow"))
    length = f"{number(request.tokens)} tokens" if request.tokens else "that length"
    requests = f"REQUESTS: concurrent requests of {length}, by memory, not by speed"
    out.print(Text(f"CONTEXT: longest request, in tokens · {requests}", "dim"))
    if any(each.instance.price_is_derived for each in fitting):
        out.print(Text("~ derived from EC2's price", "dim"))


def _row(
    request: PlanArguments, candidate: Candidate, context: int, bar_width: int, out: Output
) -> list[RenderableType]:
    if candidate.memory is None:
        raise AssertionError("a candidate that fits has a memory plan")
    instance, prices = candidate.instance, _prices(request, candidate)
    shares = MemoryShares.of(candidate.memory, requested_tokens(request, candidate), fits=candidate.fits)
    return [
        Text.assemble((instance.name, "bold"), " *" if candidate.caution else ""),
        gpus(candidate),
        _bar(shares, bar_width, out),
        number(context),
        number(candidate.concurrency),
        span(*(hourly(price, derived=instance.price_is_derived) for price in prices)),
        span(*(monthly(price, derived=instance.price_is_derived) for price in prices)),
    ]


def _prices(request: PlanArguments, candidate: Candidate) -> tuple[float | None, float | None]:
    """The price of an hour of the smallest and of the largest number of instances."""
    price = candidate.price_usd_per_hour
    return (None, None) if price is None else (price * request.min_instances, price * request.max_instances)


def _bar(shares: MemoryShares, width: int, out: Output) -> Text:
    """A bar of one GPU's memory; `!` at its end marks a GPU that is too small."""
    width -= 1 if shares.missing else 0
    sizes = [getattr(shares, part.name) for part in PARTS]
    ends = [round(width * min(1, sum(sizes[: index + 1]) / (sum(sizes) or 1))) for index in range(len(sizes))]
    lengths = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    blocks = [(_block(part, out) * length, part.style) for part, length in zip(PARTS, lengths, strict=True)]
    return Text.assemble(*blocks, ("!" if shares.missing else "", "bold red"))


def _legend(out: Output) -> Text:
    """What the blocks of a bar mean."""
    entries = [Text.assemble((_block(part, out), part.style), f" {part.label}") for part in PARTS]
    return Text("   ").join(entries)


def _block(part: MemoryPart, out: Output) -> str:
    return part.block if out.unicode else part.ascii


def _verdict(request: PlanArguments, fitting: list[Candidate], every: list[Candidate], out: Output) -> None:
    out.print()
    if not fitting:
        out.print(Text.assemble(("It does not fit.", "bold red"), f" {_alternatives(every)}"))
        return
    tested = cheapest(fitting)
    best = tested or fitting[0]
    settings = ", ".join(f"{name}={_plain(value)}" for name, value in best.settings.items())
    required = f" Required settings: {settings}." if settings else ""
    label = "Cheapest:" if tested and len(fitting) > 1 else "It fits:"
    out.print(Text.assemble((label, "bold green"), f" {best.instance.name}, {_price(best)}.{required}"))
    if price := cost(request, best):
        out.print(f"An hour: {price}.")
    for note in notes(request, best):
        out.print(Text.assemble(("Note:", "yellow"), f" {note}"))


def _alternatives(every: list[Candidate]) -> str:
    fitting = sorted((each for each in every if each.fits), key=lambda each: each.caution is not None)
    named = ", ".join(f"{each.instance.name} ({_price(each)})" for each in fitting[:_MAX_ALTERNATIVES])
    if named:
        return f"What fits: {named}."
    problem = None if any(each.memory for each in every) else commonest_problem(every)
    return f"No instance in the catalogue can serve it.{f' {problem.fix}' if problem else ''}"


def _price(candidate: Candidate) -> str:
    price = candidate.price_usd_per_hour
    if price is None:
        return "no price is published"
    about = "about " if candidate.instance.price_is_derived else ""
    return f"{about}${price:.3f} an hour, ${price * HOURS_PER_MONTH:,.0f} a month"


def cost(request: PlanArguments, candidate: Candidate) -> str | None:
    """What an hour costs with the range of instances, and a front door beside it; None if no price is published."""
    line = request.summary(candidate)
    capacity = request.capacity(candidate)
    return describe_price(capacity, line.streams, line.stream_tokens, DEFAULT_MEMORY_MIB)


def notes(request: PlanArguments, candidate: Candidate) -> list[str]:
    """What is allowed but risky about serving the model on this instance."""
    return [warning.message for warning in request.warnings(candidate)]


def _plain(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else repr(value)
