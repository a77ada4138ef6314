"""The sizes of a compiled model: what follows from those that are given, and what contradicts them.

Sources: TGI v3.3.6 `backends/neuron/server/text_generation_server/tgi_env.py`, which the image 0.3.0 runs before the
launcher, and `tgi_entry_point.py`, which does nothing once all six variables are set; `docs/source/backends/neuron.md`.
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext, Settings
from constructs_lib.planning.engines.tgi_neuron.launcher_options import SHAPE
from constructs_lib.planning.engines.tgi_neuron.versions import READS_CONFIGURATION
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.validation.problem import Described, Problem
from constructs_lib.planning.validation.unknown import Unknown


def has_shape(ctx: EngineContext) -> bool:
    """Whether all sizes of the compiled model are given; they may be known only at deployment."""
    return all(ctx.given(keyword) for keyword in SHAPE)


def longest_input(ctx: EngineContext) -> int | None:
    """max_input_tokens as given, else half of the length; None if that is not known at synth."""
    if ctx.given("max_input_tokens"):
        return ctx.number("max_input_tokens")
    total = ctx.number("max_total_tokens")
    return total // 2 if total else None


def derived_settings(ctx: EngineContext) -> Settings:
    """The two limits that follow from the others: with all six the container asks nobody for one."""
    longest, batch = longest_input(ctx), ctx.number("max_batch_size")
    if not has_shape(ctx) or longest is None:
        return {}
    settings = {} if ctx.given("max_input_tokens") else {"max_input_tokens": longest}
    if batch and not ctx.given("max_batch_prefill_tokens"):
        settings["max_batch_prefill_tokens"] = batch * longest
    return settings


def size_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Which sizes are missing, are more than there is, or contradict each other."""
    given = [keyword for keyword in SHAPE if ctx.given(keyword)]
    if given and len(given) < len(SHAPE):
        yield _partly_given(ctx, given)
    elif not given and ctx.version < READS_CONFIGURATION:
        yield Problem(
            "options",
            Described("without sizes"),
            f"the image {format_version(ctx.version)} reads no sizes from a model: {_listed(SHAPE)} must be given",
            f"Set those of the exported model, or use image {format_version(READS_CONFIGURATION)}.",
        )
    elif given:
        yield from _undecidable(ctx)
    yield from _core_problems(ctx)
    yield from _limit_problems(ctx)


def _partly_given(ctx: EngineContext, given: list[str]) -> Problem:
    missing = [keyword for keyword in SHAPE if keyword not in given]
    return Problem(
        f"options.{given[0]}",
        ctx.shown(given[0]),
        f"is set without {_listed(missing)}: sizes are those of one compiled model, and some alone are lower bounds"
        " that the container replaces by those of the largest one it finds",
        f"Set {_listed(missing)} as well, or leave out {_listed(given)}.",
    )


def _undecidable(ctx: EngineContext) -> Iterator[Problem]:
    """That a limit has to be given, because what it follows from is known only at deployment."""
    needs = {"max_input_tokens": ("max_total_tokens",), "max_batch_prefill_tokens": ("max_batch_size",)}
    for keyword, sources in needs.items():
        unknown = [name for name in sources if isinstance(ctx.unknown.get(name), Unknown)]
        if unknown and not ctx.given(keyword):
            fix = "Set it as well: without it the container would choose the other sizes by itself."
            message = f"is computed from {unknown[0]}, which is known only at deployment"
            yield Problem(f"options.{keyword}", None, message, fix)


def _core_problems(ctx: EngineContext) -> Iterator[Problem]:
    cores, available = ctx.number("num_cores"), ctx.instance.unit_count
    if cores and available and cores > available:
        yield Problem(
            "options.num_cores",
            cores,
            f"{ctx.instance.name} has {available} Neuron cores",
            f"Lower it to {available} or less, with a model that was compiled for that many, or use a larger instance.",
        )


def _limit_problems(ctx: EngineContext) -> Iterator[Problem]:
    longest, total = longest_input(ctx), ctx.number("max_total_tokens")
    prefill, positions = ctx.number("max_batch_prefill_tokens"), ctx.facts.max_positions if ctx.facts else None
    if longest and total and longest >= total:
        yield Problem(
            "options.max_input_tokens",
            longest,
            f"must be less than max_total_tokens={total}, prompt and answer together",
            f"Lower it to {total - 1} or less.",
        )
    if prefill and longest and prefill < longest:
        yield Problem(
            "options.max_batch_prefill_tokens",
            prefill,
            f"must be at least max_input_tokens={longest}: a prompt is prefilled whole",
            f"Raise it to {longest} or more, or leave it out.",
        )
    if ctx.facts and total and positions and total > positions:
        yield Problem(
            "options.max_total_tokens",
            total,
            f"{ctx.facts.hub_id} has positions for {positions} tokens only, prompt and answer together",
            f"Lower it to {positions} or less, or choose a model with a longer context.",
        )


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
