"""DJL LMI as planning sees it: `LMI` implements `planning.engine.Engine`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from constructs_lib.planning.engine import Engine, EngineContext, Environment, HardwareSupport, OptionValues, Settings
from constructs_lib.planning.engines.lmi.arguments import extra_arguments
from constructs_lib.planning.engines.lmi.environment import (
    HUB_TOKEN_VARIABLES,
    SEQUENCES,
    VARIABLES,
    owner,
    refusal,
    render_environment,
    unread,
)
from constructs_lib.planning.engines.lmi.images import IMAGES
from constructs_lib.planning.engines.lmi.launcher_options import DTYPE, OPTIONS, QUANTIZE
from constructs_lib.planning.engines.lmi.option_rules import option_problems, published_as
from constructs_lib.planning.engines.lmi.options import LmiOptions
from constructs_lib.planning.engines.lmi.releases import vllm_version
from constructs_lib.planning.engines.lmi.serving import serving_facts
from constructs_lib.planning.engines.lmi.version_rules import version_problems, version_warnings
from constructs_lib.planning.engines.lmi.warnings import option_warnings
from constructs_lib.planning.engines.option_table import read_options
from constructs_lib.planning.engines.own_build import own_build_warnings
from constructs_lib.planning.engines.vllm.memory_model import VllmMemoryModel
from constructs_lib.planning.engines.vllm.memory_settings import VllmContainer, VllmOptionNames
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES
from constructs_lib.planning.serving_limits import ServingFacts
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Rule

_CONTAINER = VllmContainer(
    names=VllmOptionNames(
        tensor_parallel="tensor_parallel_degree",
        pipeline_parallel="pipeline_parallel_degree",
        sequences="max_rolling_batch_size",
        batched="max_rolling_batch_prefill_tokens",
        quantization="quantize",
        same_layers=("lmcache_auto_config",),
    ),
    version=vllm_version,
    sequences=SEQUENCES,
    batched=2048,  # AsyncLLMEngine.from_engine_args without a usage context (djl_python/lmi_vllm/vllm_async_service.py)
    v1=True,
)

_MAX_LORAS = 4
"""LMI's own max_loras, which is vLLM's 1 otherwise; it decides about memory."""


class LmiEngine:
    """DJL Serving with vLLM's engine."""

    name = "lmi"
    display_name = "LMI"
    images = IMAGES
    hardware = HardwareSupport(
        accelerators="NVIDIA GPUs",
        is_gpu=True,
        example="InstanceType.G6_2XLARGE",
        other_image="AWS's images of DJL Serving for Inferentia and Trainium are not supported by this library.",
    )
    options_type = LmiOptions
    token_variables = HUB_TOKEN_VARIABLES
    variables = VARIABLES
    memory_model = VllmMemoryModel(_CONTAINER)
    serving_rules: Mapping[str, Rule] = {"dtype": DTYPE, "quantize": QUANTIZE}

    def read_options(self, options: LmiOptions, version: Version) -> OptionValues:
        """See `Engine.read_options`."""
        found = read_options(OPTIONS, options, version, self.display_name)
        extra, problems = extra_arguments(version).read(options.extra_args)
        values = {**found.values, "extra_args": extra} if extra else dict(found.values)
        if values.get("enable_lora") is True:
            values.setdefault("max_loras", _MAX_LORAS)
        return OptionValues(values=values, problems=(*found.problems, *problems))

    def environment(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> Environment:
        """See `Engine.environment`."""
        return render_environment(_with_following(ctx, fitted, memory))

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
        return unread(variable)

    def keeps_prefixes(self, ctx: EngineContext) -> bool | None:
        """See `Engine.keeps_prefixes`."""
        name = "enable_prefix_caching"
        return None if name in ctx.unknown else ctx.values.get(name) is not False

    def max_body_bytes(self, ctx: EngineContext) -> int:
        """See `Engine.max_body_bytes`; LMI itself takes 64 MiB."""
        return MAX_BODY_BYTES

    def serving_facts(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> ServingFacts:
        """See `Engine.serving_facts`."""
        return serving_facts(_with_following(ctx, fitted, memory))

    def problems(self, ctx: EngineContext) -> Iterator[Problem]:
        """See `Engine.problems`."""
        yield from option_problems(ctx)
        if not ctx.own_build:
            yield from version_problems(ctx)
        yield from self.memory_model.shard_problems(ctx)

    def warnings(self, ctx: EngineContext) -> Iterator[PlanWarning]:
        """See `Engine.warnings`."""
        yield from option_warnings(ctx)
        yield from version_warnings(ctx)
        if ctx.own_build:
            yield from own_build_warnings(ctx, version_problems(ctx))


def _with_following(ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> EngineContext:
    """With the options that follow from the memory plan."""
    if memory is None:
        return fitted
    return fitted.with_values(ctx.engine.memory_model.following_settings(ctx, fitted, memory))


LMI: Engine = LmiEngine()
