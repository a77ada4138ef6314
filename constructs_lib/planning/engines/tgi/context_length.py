"""How long a context may be for a model: what TGI cannot compute, and what the model was not made for.

Sources, TGI 3.3.6, below `server/text_generation_server`: `layers/rotary.py` (tables of rotary positions grow with the
request; ROPE_SCALING replaces what config.json says), `models/custom_modeling/flash_gpt2_modeling.py`,
`flash_santacoder_modeling.py` and `opt_modeling.py` (learned tables), `mpt_modeling.py` (biases up to max_seq_len);
for linear scaling `layers/rotary.py` at v2.0.3 and `utils/layers.py` at v2.0.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.context import falls_back, support_of
from constructs_lib.planning.engines.tgi.options import RopeScaling
from constructs_lib.planning.engines.tgi.token_limits import default_limits, default_positions
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.models.architecture import Positions
from constructs_lib.planning.models.architectures import architecture
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.validation.problem import PlanWarning, Problem

_LINEAR_IGNORED_SINCE = (2, 0, 3)


def length_problems(ctx: EngineContext) -> Iterator[Problem]:
    """That a request may be longer than the model's table of positions, behind whose end there is nothing."""
    keyword, tokens = _requested(ctx)
    table = _table(ctx.facts) if ctx.facts else None
    if ctx.facts is None or tokens is None or table is None or tokens <= table:
        return
    yield Problem(
        f"options.{keyword}",
        tokens,
        f"{ctx.facts.hub_id} has positions for {table} tokens only, prompt and answer together",
        f"Lower it to {table} or less, or choose a model with a longer context.",
    )


def length_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    """That requests may be longer than the model was made for."""
    if ctx.facts is None:
        return
    if _ignores_linear(ctx, ctx.facts):
        whose = "of the options" if _replaces_stretch(ctx) else f"in the configuration of {ctx.facts.hub_id}"
        dynamic = "set options.rope_scaling to RopeScaling.DYNAMIC, or " if _replaces_stretch(ctx) else ""
        yield PlanWarning(
            "tgi-endpoint:linearRopeIgnored",
            f"TGI {format_version(ctx.version)} reads the linear scaling of positions {whose} and does not apply it. To"
            f" have it, {dynamic}use TgiImage.version('2.0.2') or an older image.",
        )
    yield from _default_warnings(ctx, ctx.facts)
    yield from _trained_warnings(ctx, ctx.facts)


def _default_warnings(ctx: EngineContext, facts: ModelFacts) -> Iterator[PlanWarning]:
    default, table = default_limits(ctx), _table(facts)
    if default is None or table is None or ctx.given("max_total_tokens") or default[1] <= table:
        return
    yield PlanWarning(
        "tgi-endpoint:longerThanPositions",
        f"{facts.hub_id} has positions for {table} tokens, but TGI {format_version(ctx.version)} accepts requests of"
        f" {default[1]} by default and fails at them. Set max_input_tokens and max_total_tokens.",
    )


def _trained_warnings(ctx: EngineContext, facts: ModelFacts) -> Iterator[PlanWarning]:
    keyword, tokens = _requested(ctx)
    if tokens is None or _table(facts) is not None or _positions(facts) == "relative":
        return
    trained, longest = default_positions(facts), _longest_context(ctx, facts)
    begins = f"{facts.hub_id} was trained on contexts of {trained} tokens"
    if tokens > longest:
        stretched = f", which are stretched to {longest}" if longest > trained else ""
        yield PlanWarning(
            "tgi-endpoint:longerThanTrained",
            f"{begins}{stretched}. TGI serves options.{keyword}={tokens} as well, but answers get worse beyond that"
            f" length. {_advice(ctx, facts)}",
        )
    elif tokens > trained and not _replaces_stretch(ctx):
        yield PlanWarning(
            "tgi-endpoint:stretchedContext",
            f"{facts.hub_id} has {trained} positions of its own; options.{keyword}={tokens} relies on the {longest}"
            " that its configuration names besides (rope_scaling or model_max_length). Check answers to prompts of that"
            " length.",
        )


def _advice(ctx: EngineContext, facts: ModelFacts) -> str:
    if _replaces_stretch(ctx) or not _can_stretch(ctx, facts):
        return "Lower it."
    return "Lower it, or stretch the positions with options.rope_scaling and rope_factor."


def _longest_context(ctx: EngineContext, facts: ModelFacts) -> int:
    """Tokens up to which the configuration, or in its place the options, stretch the model's positions."""
    if _ignores_linear(ctx, facts):
        return default_positions(facts)
    if not _replaces_stretch(ctx) or not _can_stretch(ctx, facts):
        return facts.max_positions
    return int(default_positions(facts) * max(1.0, ctx.fraction("rope_factor", 1.0)))


def _can_stretch(ctx: EngineContext, facts: ModelFacts) -> bool:
    """Whether the options for rotary positions reach the model; transformers' own classes do not read them."""
    return _positions(facts) == "rotary" and ctx.version >= (1, 0, 1) and not falls_back(ctx, facts)


def _replaces_stretch(ctx: EngineContext) -> bool:
    return ctx.given("rope_factor") or ctx.given("rope_scaling")


def _ignores_linear(ctx: EngineContext, facts: ModelFacts) -> bool:
    """Whether positions are to be stretched linearly, which TGI's own classes no longer do."""
    if ctx.version < _LINEAR_IGNORED_SINCE or not _can_stretch(ctx, facts):
        return False
    if not _replaces_stretch(ctx):
        return facts.rope == RopeScaling.LINEAR and facts.trained_positions is not None
    kind = ctx.text("rope_scaling")
    return kind == RopeScaling.LINEAR or not ctx.given("rope_scaling")


def _requested(ctx: EngineContext) -> tuple[str, int | None]:
    keyword = "max_total_tokens" if ctx.given("max_total_tokens") else "max_input_tokens"
    return keyword, ctx.number(keyword)


def _positions(facts: ModelFacts) -> Positions:
    return "alibi" if facts.alibi else architecture(facts.model_type).positions


def _table(facts: ModelFacts) -> int | None:
    """Entries of the model's table of positions; None for positions that TGI computes for any length."""
    if _positions(facts) == "learned" or support_of(facts).ends_at_positions:
        return default_positions(facts)
    return None
