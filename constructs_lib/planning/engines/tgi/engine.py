"""TGI, the engine: from options to a container's environment, with what is wrong and what is risky."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from constructs_lib.planning.engines.tgi.batch_limits import SIZING, batch_setting, fitting_plan
from constructs_lib.planning.engines.tgi.context import EngineContext
from constructs_lib.planning.engines.tgi.environment import (
    FIXED_PAYLOAD_LIMIT,
    PAYLOAD_LIMIT_SINCE,
    default_variables,
    extra_variables,
    model_variables,
    option_values,
    option_variables,
)
from constructs_lib.planning.engines.tgi.launcher_options import OPTIONS
from constructs_lib.planning.engines.tgi.options import Quantization
from constructs_lib.planning.engines.tgi.prefill import prefill_setting
from constructs_lib.planning.engines.tgi.sharding import num_shard, shard_problems, shard_warnings
from constructs_lib.planning.images.catalogue import cuda_version
from constructs_lib.planning.images.version import Version, dotted
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.models.quantization import ON_THE_FLY
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES, VOLUME
from constructs_lib.planning.serving_limits import ServingFacts, serving_facts
from constructs_lib.planning.sizing.candidates import rule_problems
from constructs_lib.planning.sizing.memory import MemoryPlan
from constructs_lib.planning.sizing.suggestions import fit_problems, fit_warnings
from constructs_lib.planning.validation.problem import AT_DEPLOYMENT, PlanWarning, Problem

_MATCHED_BY_NAME = ("facebook/galactica", "bigcode/")


@dataclass(frozen=True)
class Rendering:
    """What TGI's container gets.

    Args:
        environment: Its variables, without the hub token.
        num_shard: GPUs that share the model.
        max_body_bytes: Largest request body that the container takes through SageMaker.
        compresses: Whether the weights are quantized while they load.
        memory: What each GPU holds; None where model, GPU or an option that decides it is not known.
        serving: What is certain about how it will serve.
        problems: Why it would not start.
        warnings: What is legal but risky.
    """

    environment: dict[str, str]
    num_shard: int
    max_body_bytes: int
    compresses: bool
    memory: MemoryPlan | None
    serving: ServingFacts
    problems: tuple[Problem, ...]
    warnings: tuple[PlanWarning, ...]


def render(request: EndpointRequest, version: Version) -> Rendering:
    """Renders the options of a request for a version of TGI.

    Args:
        request: What the caller asks for.
        version: Version of TGI in the image.
    """
    values, value_problems = option_values(request, version)
    extra, extra_problems = extra_variables(request)
    ctx = EngineContext(
        values=values,
        unknown=_unknown(request, values),
        version=version,
        model=request.model,
        facts=request.model.known_facts(),
        instance=request.instance,
        network_isolation=request.network_isolation is True,
    )
    fitted, memory = _memory(ctx)
    environment = (
        model_variables(request, version)
        | {"SM_NUM_GPUS": str(num_shard(ctx))}
        | option_variables(values, request, version)
        | default_variables(values, version)
        | _derived_variables(fitted, memory)
        | extra
    )
    return Rendering(
        environment=environment,
        num_shard=num_shard(ctx),
        max_body_bytes=_max_body_bytes(ctx),
        compresses=ctx.text("quantize") in ON_THE_FLY,
        memory=memory,
        serving=serving_facts(ctx, batch_setting(fitted, memory) if memory else None),
        problems=(
            *value_problems,
            *rule_problems(ctx),
            *(_fit_problems(ctx, memory, request) if memory else ()),
            *extra_problems,
        ),
        warnings=(*shard_warnings(ctx), *_warnings(ctx), *(_fit_advice(ctx, memory) if memory else ())),
    )


def _unknown(request: EndpointRequest, values: Mapping[str, object]) -> dict[str, object]:
    given = {option.keyword: getattr(request.options, option.keyword) for option in OPTIONS}
    return {
        name: AT_DEPLOYMENT if request.is_token(value) else value
        for name, value in given.items()
        if value is not None and (name not in values or request.is_token(value))
    }


def cuda(version: Version) -> tuple[int, int]:
    """The CUDA release of TGI's image: as its tag says, else that of the catalogue's images of the time."""
    stated = cuda_version(dotted(version))
    if stated is not None:
        return stated
    return (12, 4) if version >= (2, 3, 0) else (12, 1) if version >= (1, 2, 0) else (11, 8)


def _memory(ctx: EngineContext) -> tuple[EngineContext, MemoryPlan | None]:
    known = ctx.facts and ctx.instance.is_gpu and ctx.instance.memory_gib and ctx.instance.accelerator_count
    if not ctx.facts or not known or ctx.unknown.keys() & SIZING or next(shard_problems(ctx), None):
        return ctx, None
    return fitting_plan(ctx, ctx.facts, num_shard(ctx))


def _fit_problems(ctx: EngineContext, memory: MemoryPlan, request: EndpointRequest) -> Iterator[Problem]:
    volume = request.volume_size_gib
    known = volume is not None and not request.is_token(volume) and VOLUME.validate(volume) is None
    if ctx.facts:
        yield from fit_problems(ctx, ctx.facts, memory, volume if known else None)


def _fit_advice(ctx: EngineContext, memory: MemoryPlan) -> Iterator[PlanWarning]:
    if ctx.facts:
        yield from fit_warnings(ctx, ctx.facts, memory)


def _derived_variables(fitted: EngineContext, memory: MemoryPlan | None) -> dict[str, str]:
    """What TGI would have to be told by hand for these options, this model or this GPU."""
    variables = {}
    if fitted.attention and "attention" not in fitted.values:
        variables["ATTENTION"] = fitted.attention
    prefill = fitted.number("max_batch_prefill_tokens") or prefill_setting(fitted)
    if prefill is not None:
        variables["MAX_BATCH_PREFILL_TOKENS"] = str(prefill)
    batch = batch_setting(fitted, memory) if memory else None
    if batch is not None:
        variables["MAX_BATCH_TOTAL_TOKENS"] = str(batch)
    return variables


def _max_body_bytes(ctx: EngineContext) -> int:
    if ctx.version < PAYLOAD_LIMIT_SINCE:
        return FIXED_PAYLOAD_LIMIT
    return min(ctx.number("payload_limit") or MAX_BODY_BYTES, MAX_BODY_BYTES)


def _warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    values, flash = ctx.values, ctx.facts is not None and ctx.facts.flash
    if values.get("trust_remote_code") is True and ctx.model.source == "hub" and ctx.model.revision is None:
        yield PlanWarning(
            "tgi-endpoint:trustsUnpinnedCode",
            "trust_remote_code runs whatever code the model's repository holds on the day an instance starts. Pin it:"
            " Model.from_hub(…, revision=commit).",
        )
    if values.get("messages_api_enabled") is True:
        yield PlanWarning(
            "tgi-endpoint:chatOnly",
            f"With messages_api_enabled, TGI {dotted(ctx.version)} takes chat requests only on this endpoint.",
        )
    if "max_batch_total_tokens" in values and flash and ctx.version >= (3, 0, 0):
        yield PlanWarning(
            "tgi-endpoint:batchTotalIgnored",
            "TGI 3 measures max_batch_total_tokens for models with flash attention and ignores what is given.",
        )
    if ctx.facts and ctx.facts.implementation.startswith("none"):
        yield PlanWarning(
            "tgi-endpoint:noOptimizedImplementation",
            f"TGI has no implementation of its own for {ctx.facts.model_type} models and runs {ctx.facts.hub_id} with"
            " plain transformers, slower and with fewer options, if it runs it at all. Prefer a model that it"
            " implements.",
        )
    if ctx.text("quantize") == Quantization.BITSANDBYTES:
        yield PlanWarning(
            "tgi-endpoint:bitsandbytesDeprecated",
            "bitsandbytes is slow and deprecated in TGI; eetq takes as little memory and is faster.",
        )
    if ctx.facts and ctx.chunks_prefill is False and ctx.version >= (3, 0, 0) and not ctx.given("max_total_tokens"):
        yield PlanWarning(
            "tgi-endpoint:implicitLimits",
            f"Without prefill chunking TGI takes the longest context of {ctx.facts.hub_id} from its warm-up prompt,"
            f" {_warm_up_tokens(ctx.facts, ctx.default_prefill)} tokens here. Give max_input_tokens and"
            " max_total_tokens.",
        )
    if ctx.model.source == "s3" and ctx.facts and ctx.facts.hub_id.startswith(_MATCHED_BY_NAME):
        yield PlanWarning(
            "tgi-endpoint:matchedByName",
            f"TGI treats {ctx.facts.hub_id} specially by its hub id, which weights in S3 do not have. Prefer"
            " Model.from_hub.",
        )


def _warm_up_tokens(facts: ModelFacts, default_prefill: int) -> int:
    # BLOOM's config.json states no positions, so nothing limits its warm-up.
    return default_prefill if facts.model_type == "bloom" else min(default_prefill, facts.max_positions)
