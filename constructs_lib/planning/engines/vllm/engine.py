"""vLLM as planning sees it: `VLLM` implements `planning.engine.Engine`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from constructs_lib.planning.engine import Engine, EngineContext, Environment, HardwareSupport, OptionValues, Settings
from constructs_lib.planning.engines.option_table import read_options
from constructs_lib.planning.engines.own_build import own_build_warnings
from constructs_lib.planning.engines.vllm.arguments import extra_arguments
from constructs_lib.planning.engines.vllm.environment import (
    HUB_TOKEN_VARIABLES,
    VARIABLES,
    owner,
    refusal,
    render_environment,
    unread,
)
from constructs_lib.planning.engines.vllm.gpu_support import hardware_problems, published_as
from constructs_lib.planning.engines.vllm.images import AWS
from constructs_lib.planning.engines.vllm.launcher_options import DTYPE, OPTIONS, QUANTIZE
from constructs_lib.planning.engines.vllm.memory_model import VllmMemoryModel
from constructs_lib.planning.engines.vllm.option_rules import option_problems
from constructs_lib.planning.engines.vllm.options import VllmOptions
from constructs_lib.planning.engines.vllm.serving import serving_facts
from constructs_lib.planning.engines.vllm.version_rules import version_problems
from constructs_lib.planning.engines.vllm.warnings import option_warnings
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES
from constructs_lib.planning.serving_limits import ServingFacts
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Rule


class VllmEngine:
    """vLLM."""

    name = "vllm"
    display_name = "vLLM"
    images = AWS
    hardware = HardwareSupport(accelerators="NVIDIA GPUs", is_gpu=True, example="InstanceType.G6_2XLARGE")
    options_type = VllmOptions
    token_variables = HUB_TOKEN_VARIABLES
    variables = VARIABLES
    memory_model = VllmMemoryModel()
    serving_rules: Mapping[str, Rule] = {"dtype": DTYPE, "quantize": QUANTIZE}

    def read_options(self, options: VllmOptions, version: Version) -> OptionValues:
        """See `Engine.read_options`."""
        found = read_options(OPTIONS, options, version, self.display_name)
        extra, problems = extra_arguments(version).read(options.extra_args)
        values = {**found.values, "extra_args": extra} if extra else found.values
        return OptionValues(values=values, problems=(*found.problems, *problems))

    def environment(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> Environment:
        """See `Engine.environment`."""
        return render_environment(_with_following(ctx, fitted, memory))

    def published_compression(self, values: Settings) -> str | None:
        """See `Engine.published_compression`."""
        return published_as(values.get("quantization"))

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
        if "enable_prefix_caching" in ctx.unknown:
            return None
        return ctx.values.get("enable_prefix_caching") is not False

    def max_body_bytes(self, ctx: EngineContext) -> int:
        """See `Engine.max_body_bytes`."""
        return MAX_BODY_BYTES

    def serving_facts(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> ServingFacts:
        """See `Engine.serving_facts`."""
        return serving_facts(_with_following(ctx, fitted, memory))

    def problems(self, ctx: EngineContext) -> Iterator[Problem]:
        """See `Engine.problems`."""
        yield from option_problems(ctx)
        yield from self.memory_model.shard_problems(ctx)
        yield from hardware_problems(ctx)
        if not ctx.own_build:
            yield from version_problems(ctx)

    def warnings(self, ctx: EngineContext) -> Iterator[PlanWarning]:
        """See `Engine.warnings`."""
        yield from option_warnings(ctx)
        if ctx.own_build:
            yield from own_build_warnings(ctx, version_problems(ctx))


def _with_following(ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> EngineContext:
    """With the options that follow from the memory plan."""
    if memory is None:
        return fitted
    return fitted.with_values(ctx.engine.memory_model.following_settings(ctx, fitted, memory))


VLLM: Engine = VllmEngine()
