"""TGI as planning sees it: `TGI` implements `planning.engine.Engine`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from constructs_lib.planning.engine import (
    Engine,
    EngineContext,
    Environment,
    HardwareSupport,
    OptionNames,
    OptionValues,
    Reduction,
    Settings,
)
from constructs_lib.planning.engines.option_table import read_options
from constructs_lib.planning.engines.own_build import own_build_warnings
from constructs_lib.planning.engines.tgi import batch_limits
from constructs_lib.planning.engines.tgi.context import quantization_of
from constructs_lib.planning.engines.tgi.environment import (
    FIXED_PAYLOAD_LIMIT,
    HUB_TOKEN_VARIABLES,
    PAYLOAD_LIMIT_SINCE,
    VARIABLES,
    owner,
    refusal,
    render_environment,
)
from constructs_lib.planning.engines.tgi.foreign_variables import unread
from constructs_lib.planning.engines.tgi.gpu_support import hardware_problems, published_as
from constructs_lib.planning.engines.tgi.hub_formats import hub_format_problems
from constructs_lib.planning.engines.tgi.launcher_options import DTYPE, OPTIONS, QUANTIZE
from constructs_lib.planning.engines.tgi.option_rules import option_problems
from constructs_lib.planning.engines.tgi.options import BITSANDBYTES, ON_THE_FLY, TgiOptions
from constructs_lib.planning.engines.tgi.own_build import launcher_variables
from constructs_lib.planning.engines.tgi.prefix_cache import keeps_prefixes
from constructs_lib.planning.engines.tgi.remedies import remedies
from constructs_lib.planning.engines.tgi.serving import serving_facts
from constructs_lib.planning.engines.tgi.sharding import num_shard, possible_shards, shard_problems
from constructs_lib.planning.engines.tgi.version_rules import version_problems
from constructs_lib.planning.engines.tgi.warm_up import engine_memory
from constructs_lib.planning.engines.tgi.warnings import option_warnings
from constructs_lib.planning.hardware.instance_types import BLACKWELL, InstanceType
from constructs_lib.planning.images.catalogue import ImageFamily, Version
from constructs_lib.planning.memory_plan import EngineMemory, GpuShare, MemoryPlan, WeightFormat
from constructs_lib.planning.models.facts import BITS_PER_PARAMETER, ModelFacts
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES
from constructs_lib.planning.serving_limits import ServingFacts
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Rule


class TgiMemoryModel:
    """TGI's `MemoryModel`: it measures what is left after a warm-up and gives it to the cache."""

    options = frozenset(
        (
            "num_shard",
            "sharded",
            "quantize",
            "max_input_tokens",
            "max_total_tokens",
            "max_batch_prefill_tokens",
            "max_batch_total_tokens",
            "cuda_memory_fraction",
            "tgi_wiggle_room",
        )
    )
    option_names = OptionNames(
        shards="num_shard",
        compression="quantize",
        sizes=("max_batch_prefill_tokens", "max_total_tokens"),
        limits=("max_input_tokens", "max_total_tokens"),
    )

    def shards(self, ctx: EngineContext) -> int:
        """See `MemoryModel.shards`; every GPU of the instance by default."""
        return num_shard(ctx)

    def shard_problems(self, ctx: EngineContext) -> Iterator[Problem]:
        """See `MemoryModel.shard_problems`."""
        return shard_problems(ctx)

    def weight_format(self, ctx: EngineContext, facts: ModelFacts) -> WeightFormat:
        """See `MemoryModel.weight_format`."""
        kind = quantization_of(ctx, facts)
        bits = BITS_PER_PARAMETER[kind] if kind else 16.0
        if facts.quantization is not None:  # no other format is read from such weights
            bits = facts.bits_per_parameter
        # bitsandbytes compressed the output layer as well until 2.2 (server/text_generation_server/layers/linear.py).
        with_output = kind in BITSANDBYTES and ctx.version < (2, 2, 0)
        return WeightFormat(
            bits_per_parameter=bits, copies_tied_embeddings=True, output_bits=bits if with_output else 16.0
        )

    def compresses_while_loading(self, ctx: EngineContext) -> bool:
        """See `MemoryModel.compresses_while_loading`."""
        return ctx.text("quantize") in ON_THE_FLY

    def memory(self, ctx: EngineContext, facts: ModelFacts, gpu: GpuShare) -> EngineMemory:
        """See `MemoryModel.memory`."""
        return engine_memory(ctx, facts, gpu)

    def copies(self, ctx: EngineContext) -> int:
        """See `MemoryModel.copies`."""
        return 1

    def request_limit(self, ctx: EngineContext) -> int | None:
        """See `MemoryModel.request_limit`."""
        return ctx.number("max_total_tokens")

    def settings_for(
        self, options: TgiOptions, facts: ModelFacts, instance: InstanceType, tokens: int | None, requests: int
    ) -> Settings:
        """See `MemoryModel.settings_for`."""
        settings: dict[str, object] = {}
        if tokens is not None:
            settings |= {"max_input_tokens": max(1, tokens - 1), "max_total_tokens": tokens}
            if options.max_input_tokens is not None and options.max_input_tokens < tokens:
                del settings["max_input_tokens"]
        possible = possible_shards(facts, instance.accelerator_count or 0)
        left_to_us = options.num_shard is None and options.sharded is None
        if left_to_us and possible and possible[-1] != instance.accelerator_count:
            settings["num_shard"] = possible[-1]
        return settings

    def smaller_settings(self, ctx: EngineContext, memory: MemoryPlan) -> Iterable[Settings]:
        """See `MemoryModel.smaller_settings`."""
        return batch_limits.smaller_settings(ctx, memory)

    def following_settings(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan) -> Settings:
        """See `MemoryModel.following_settings`."""
        return batch_limits.following_settings(ctx, fitted, memory)

    def remedies(self, ctx: EngineContext, facts: ModelFacts) -> Iterable[Iterable[Settings] | Reduction]:
        """See `MemoryModel.remedies`."""
        return remedies(ctx, facts)


class TgiEngine:
    """Text Generation Inference."""

    name = "tgi"
    display_name = "TGI"
    images = ImageFamily(
        "huggingface-llm",
        construct="TgiImage",
        cuda_since=(((2, 3, 0), (12, 4)), ((1, 2, 0), (12, 1)), ((0, 0, 0), (11, 8))),
        version_in_tag=r"(?:^|-)tgi(\d+\.\d+(?:\.\d+)?)-gpu(?:-|$)",
        mapping="InferenceImageAccounts",
    )
    hardware = HardwareSupport(
        accelerators="NVIDIA GPUs",
        is_gpu=True,
        example="InstanceType.G5_2XLARGE",
        untested_from=BLACKWELL,
        tested_example="Ampere, Ada or Hopper GPUs (g5, g6, g6e, p4d, p5)",
        other_image="For Inferentia 2 and Trainium 1 use TgiNeuronEndpoint, which runs AWS's image of TGI for them.",
    )
    options_type = TgiOptions
    token_variables = HUB_TOKEN_VARIABLES
    variables = VARIABLES
    memory_model = TgiMemoryModel()
    serving_rules: Mapping[str, Rule] = {"dtype": DTYPE, "quantize": QUANTIZE}

    def read_options(self, options: TgiOptions, version: Version) -> OptionValues:
        """See `Engine.read_options`."""
        return read_options(OPTIONS, options, version, self.display_name)

    def environment(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> Environment:
        """See `Engine.environment`."""
        variables = render_environment(ctx, fitted, memory)
        return variables | launcher_variables(variables) if ctx.own_build else variables

    def published_compression(self, values: Settings) -> str | None:
        """See `Engine.published_compression`."""
        return published_as(values.get("quantize"))

    def owner(self, variable: str) -> str | None:
        """See `Engine.owner`."""
        return owner(variable)

    def refusal(self, variable: str) -> str | None:
        """See `Engine.refusal`."""
        return refusal(variable)

    def unread(self, variable: str, version: Version) -> str | None:
        """See `Engine.unread`."""
        return unread(variable, version)

    def keeps_prefixes(self, ctx: EngineContext) -> bool | None:
        """See `Engine.keeps_prefixes`."""
        return keeps_prefixes(ctx)

    def max_body_bytes(self, ctx: EngineContext) -> int:
        """See `Engine.max_body_bytes`."""
        if ctx.version < PAYLOAD_LIMIT_SINCE:
            return FIXED_PAYLOAD_LIMIT
        return min(ctx.number("payload_limit") or MAX_BODY_BYTES, MAX_BODY_BYTES)

    def serving_facts(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> ServingFacts:
        """See `Engine.serving_facts`."""
        return serving_facts(fitted, batch_limits.batch_setting(fitted, memory) if memory else None)

    def problems(self, ctx: EngineContext) -> Iterator[Problem]:
        """See `Engine.problems`."""
        yield from option_problems(ctx)
        yield from shard_problems(ctx)
        yield from hardware_problems(ctx)
        if not ctx.own_build:
            yield from version_problems(ctx)
            yield from hub_format_problems(ctx)

    def warnings(self, ctx: EngineContext) -> Iterator[PlanWarning]:
        """See `Engine.warnings`."""
        yield from option_warnings(ctx)
        if ctx.own_build:
            yield from own_build_warnings(ctx, (*version_problems(ctx), *hub_format_problems(ctx)))


TGI: Engine = TgiEngine()
