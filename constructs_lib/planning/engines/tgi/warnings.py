"""What is legal but risky about serving a model with TGI."""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.common_warnings import remote_code_warnings
from constructs_lib.planning.engines.tgi.context import (
    chunks_prefill,
    default_prefill,
    falls_back,
    implementation_of,
    is_flash,
    support_of,
)
from constructs_lib.planning.engines.tgi.context_length import length_warnings
from constructs_lib.planning.engines.tgi.launcher_options import MESSAGES_API_ALWAYS, QUANTIZATION_SINCE
from constructs_lib.planning.engines.tgi.newer_versions import image_that_runs
from constructs_lib.planning.engines.tgi.options import Quantization
from constructs_lib.planning.engines.tgi.sharding import shard_warnings
from constructs_lib.planning.engines.tgi.token_limits import MEASURED_SINCE, default_positions
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.models.architecture import Backend
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.validation.problem import PlanWarning

_MATCHED_BY_NAME = ("facebook/galactica", "bigcode/")


def option_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    """What is risky about options, model and shards."""
    yield from shard_warnings(ctx)
    values, flash = ctx.values, ctx.facts is not None and is_flash(ctx, ctx.facts)
    yield from remote_code_warnings(ctx)
    if values.get("messages_api_enabled") is True:
        yield messages_api_warning(ctx)
    if "max_batch_total_tokens" in values and flash and ctx.version >= MEASURED_SINCE:
        yield PlanWarning(
            "tgi-endpoint:batchTotalIgnored",
            f"TGI {format_version(ctx.version)} measures max_batch_total_tokens for models with flash attention and"
            " ignores the option.",
        )
    yield from length_warnings(ctx)
    if ctx.facts and falls_back(ctx, ctx.facts):
        yield PlanWarning("tgi-endpoint:noOptimizedImplementation", _left_to_transformers(ctx, ctx.facts))
    if ctx.text("quantize") == Quantization.BITSANDBYTES and ctx.version >= QUANTIZATION_SINCE[Quantization.EETQ]:
        yield PlanWarning(
            "tgi-endpoint:bitsandbytesDeprecated",
            "bitsandbytes is slow and deprecated in TGI; eetq takes as little memory and is faster.",
        )
    if ctx.facts and chunks_prefill(ctx) is False and ctx.version >= (3, 0, 0) and not ctx.given("max_total_tokens"):
        yield PlanWarning(
            "tgi-endpoint:implicitLimits",
            f"Without prefill chunking TGI derives the longest context of {ctx.facts.hub_id} from its warm-up prompt,"
            f" {_warm_up_tokens(ctx, ctx.facts)} tokens here. Set {_limits_by(ctx, ctx.facts)}.",
        )
    if ctx.model.source == "s3" and ctx.facts and ctx.facts.hub_id.startswith(_MATCHED_BY_NAME):
        yield PlanWarning(
            "tgi-endpoint:matchedByName",
            f"TGI recognizes {ctx.facts.hub_id} by its hub id, which weights in S3 do not have. Prefer Model.from_hub.",
        )


def messages_api_warning(ctx: EngineContext) -> PlanWarning:
    """What messages_api_enabled does to a version of TGI."""
    version = format_version(ctx.version)
    if ctx.version < MESSAGES_API_ALWAYS:
        return PlanWarning(
            "tgi-endpoint:chatOnly", f"With messages_api_enabled, TGI {version} accepts only chat requests here."
        )
    return PlanWarning(
        "tgi-endpoint:messagesApiAlways",
        f"messages_api_enabled has no effect: TGI {version} accepts chat requests here anyway, beside the other kinds.",
    )


def _limits_by(ctx: EngineContext, facts: ModelFacts) -> str:
    """The options that limit requests."""
    takes_limits = implementation_of(ctx, facts).takes_limits
    return "max_input_tokens and max_total_tokens" if takes_limits else "max_batch_prefill_tokens to change it"


def _left_to_transformers(ctx: EngineContext, facts: ModelFacts) -> str:
    how = "with fewer options" if is_flash(ctx, facts) else "in static padded batches on one GPU, much slower"
    newer = image_that_runs(ctx, facts, lambda one: one.backend is Backend.OWN)
    return (
        f"TGI {format_version(ctx.version)} has no implementation of its own for {facts.model_type} models and runs"
        f" {facts.hub_id} with transformers, {how}. {newer or 'Prefer a model that it implements.'}"
    )


def _warm_up_tokens(ctx: EngineContext, facts: ModelFacts) -> int:
    prefill = default_prefill(ctx)
    return min(prefill, default_positions(facts)) if support_of(facts).launcher_reads_positions else prefill
