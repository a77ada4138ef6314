"""How long prompts, requests and batches may be: what TGI takes if it is not told, and what it refuses.

Sources: TGI `launcher/src/main.rs` (struct Args and main) and `router/src/main.rs` (from 2.3 on `backends/v3/src`) at
the tags v0.6.0 to v3.3.6. Before 2.0 the defaults are fixed, up to 2.4 they are the model's positions but at most 4096,
from 3.0 on they are measured by the warm-up (`backends/v3/src/client/grpc_client.rs`).
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.context import attention_of, chunks_prefill, is_flash
from constructs_lib.planning.engines.tgi.options import Attention
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.models.architectures import architecture
from constructs_lib.planning.models.config_defaults import config_defaults
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.validation.problem import Problem

MEASURED_SINCE = (0, 9, 4)
"""First version that measures the batch of models with flash attention and ignores max_batch_total_tokens for them."""

_ROUTER_CHECKS_PREFILL = (2, 4, 0)
"""First version in which the launcher leaves it to the router to compare the prefill with the batch."""

_DEFAULT_POSITIONS = 4096
_READS_N_POSITIONS = (2, 1, 0)


def default_positions(facts: ModelFacts) -> int:
    """The longest context by the model's max_position_embeddings, which TGI takes for its default limits."""
    return facts.trained_positions or facts.max_positions


def default_limits(ctx: EngineContext) -> tuple[int, int] | None:
    """TGI's own max_input_tokens and max_total_tokens; None if it measures them, or if they are not known."""
    if ctx.version < (0, 9, 0):
        return 1000, 1512
    if ctx.version < (2, 0, 0):
        return 1024, 2048
    if ctx.version >= (3, 0, 0) or ctx.facts is None:
        return None
    positions = _DEFAULT_POSITIONS
    if _launcher_reads_positions(ctx, ctx.facts):
        positions = min(positions, default_positions(ctx.facts))
    return positions - 1, positions


def _launcher_reads_positions(ctx: EngineContext, facts: ModelFacts) -> bool:
    row = architecture(facts.model_type)
    has_other_name = "n_positions" in {**config_defaults(facts.model_type), **row.config.defaults}
    return row.tgi.launcher_reads_positions and not (has_other_name and ctx.version < _READS_N_POSITIONS)


def token_limits(ctx: EngineContext) -> tuple[int | None, int | None]:
    """max_input_tokens and max_total_tokens as requested, else TGI's own; None for what is not known at synth."""
    defaults = default_limits(ctx) or (None, None)
    longest_input = ctx.number("max_input_tokens") if ctx.given("max_input_tokens") else defaults[0]
    total = ctx.number("max_total_tokens") if ctx.given("max_total_tokens") else defaults[1]
    return longest_input, total


def default_prefill_before_3(ctx: EngineContext) -> int | None:
    """The max_batch_prefill_tokens that TGI 0.9 to 2.4 takes by itself; None if it is not known."""
    if ctx.version < (2, 0, 0):
        return _DEFAULT_POSITIONS
    longest_input, _ = token_limits(ctx)
    if longest_input is None or "max_batch_size" in ctx.unknown:
        return None
    requests = ctx.number("max_batch_size")
    return longest_input * requests if requests else longest_input + 50


def compares_prefill_with_batch(ctx: EngineContext) -> bool | None:
    """Whether TGI compares the prefill with the max_batch_total_tokens that it is given; None if that is not known.

    The router compares it with the batch that it uses, which for models with flash attention is the measured one.
    """
    if ctx.version < _ROUTER_CHECKS_PREFILL:
        return ctx.version >= (0, 9, 0)
    return None if ctx.facts is None else not is_flash(ctx, ctx.facts)


def limit_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Which limits contradict each other."""
    yield from _request_problems(ctx)
    yield from _batch_problems(ctx)
    yield from _prefill_problems(ctx)


def _request_problems(ctx: EngineContext) -> Iterator[Problem]:
    longest_input, total = token_limits(ctx)
    given = {name for name in ("max_input_tokens", "max_total_tokens") if ctx.given(name)}
    if ctx.version >= (3, 0, 0) and given == {"max_total_tokens"} and not _is_shorter_prefill(ctx, total):
        yield Problem(
            "options.max_total_tokens",
            ctx.shown("max_total_tokens"),
            "is set without max_input_tokens: TGI 3 then warms up with a whole prefill, which may be longer",
            f"Set max_input_tokens as well, to {f'at most {total - 1}' if total else 'less than that'}.",
        )
    elif ctx.version >= (3, 0, 0) and given == {"max_input_tokens"} and chunks_prefill(ctx) is False:
        yield Problem(
            "options.max_input_tokens",
            ctx.shown("max_input_tokens"),
            "is set without max_total_tokens, which TGI then takes from the prompt of its warm-up, because"
            f" {why_no_chunks(ctx)}",
            "Set max_total_tokens as well: the longest prompt and answer together.",
        )
    if longest_input is None or total is None or longest_input < total:
        return
    if given == {"max_total_tokens"}:
        yield Problem(
            "options.max_total_tokens",
            total,
            f"must be more than max_input_tokens={longest_input}{_default_here(ctx)}",
            f"Set max_input_tokens as well, to at most {total - 1}.",
        )
    elif given:
        alone = given == {"max_input_tokens"}
        yield Problem(
            "options.max_input_tokens",
            longest_input,
            f"must be less than max_total_tokens={total}{_default_here(ctx) if alone else ''}",
            "Set max_total_tokens as well: the longest prompt and answer together."
            if alone
            else "Lower it, or raise max_total_tokens.",
        )


def _is_shorter_prefill(ctx: EngineContext, total: int | None) -> bool:
    prefill = ctx.number("max_batch_prefill_tokens")
    return prefill is not None and total is not None and prefill < total and chunks_prefill(ctx) is True


def _default_here(ctx: EngineContext) -> str:
    model = f" for {ctx.facts.hub_id}" if ctx.facts and ctx.version >= (2, 0, 0) else ""
    return f", the default of TGI {format_version(ctx.version)}{model}"


def _batch_problems(ctx: EngineContext) -> Iterator[Problem]:
    batch, prefill = _batch_total(ctx), ctx.number("max_batch_prefill_tokens")
    total = ctx.number("max_total_tokens")
    note = "" if ctx.given("max_batch_total_tokens") else f" (the default of TGI {format_version(ctx.version)})"
    if batch is None:
        return
    if total is not None and total > batch:
        yield Problem(
            "options.max_total_tokens",
            total,
            f"must be at most max_batch_total_tokens={batch}{note}",
            "Lower it, or raise max_batch_total_tokens.",
        )
    if prefill is not None and prefill > batch and compares_prefill_with_batch(ctx):
        yield Problem(
            "options.max_batch_prefill_tokens",
            prefill,
            f"must be at most max_batch_total_tokens={batch}{note}",
            "Lower it, or raise max_batch_total_tokens.",
        )
    default = default_limits(ctx)
    is_checked = ctx.version >= (0, 9, 0) and not ctx.given("max_total_tokens")
    if default and is_checked and default[1] > batch and ctx.given("max_batch_total_tokens"):
        yield Problem(
            "options.max_batch_total_tokens",
            batch,
            f"must be at least max_total_tokens={default[1]}{_default_here(ctx)}",
            "Raise it, or set max_input_tokens and max_total_tokens.",
        )


def _batch_total(ctx: EngineContext) -> int | None:
    """The batch as requested, else TGI's own where it is fixed; max_batch_size replaces it before 0.9."""
    if ctx.given("max_batch_total_tokens") or ctx.version >= MEASURED_SINCE or ctx.version < (0, 7, 0):
        return ctx.number("max_batch_total_tokens")
    if ctx.version >= (0, 9, 0):
        return 16_000
    return None if ctx.given("max_batch_size") else 32_000


def _prefill_problems(ctx: EngineContext) -> Iterator[Problem]:
    prefill, (longest_input, _) = ctx.number("max_batch_prefill_tokens"), token_limits(ctx)
    if prefill is None or longest_input is None or prefill >= longest_input or chunks_prefill(ctx) is not False:
        return
    note = "" if ctx.given("max_input_tokens") else _default_here(ctx)
    yield Problem(
        "options.max_batch_prefill_tokens",
        prefill,
        f"must be at least max_input_tokens={longest_input}{note}, because {why_no_chunks(ctx)}",
        "Raise it, or lower max_input_tokens.",
    )


def why_no_chunks(ctx: EngineContext) -> str:
    """Why TGI prefills a prompt in one batch, as a part of a sentence."""
    if ctx.version < (3, 0, 0):
        return f"TGI {format_version(ctx.version)} prefills a prompt in one batch"
    if ctx.values.get("prefill_chunking") is False:
        return "prefill_chunking is False"
    if ctx.number("speculate"):
        return "speculate switches prefill chunking off"
    if attention_of(ctx) == Attention.PAGED:
        return "paged attention has no prefill chunking"
    return f"TGI has no prefill chunking for {ctx.facts.model_type if ctx.facts else 'this model'} models"
