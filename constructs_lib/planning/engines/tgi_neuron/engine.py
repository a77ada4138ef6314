"""TGI for Neuron as planning sees it: `TGI_NEURON` implements `planning.engine.Engine`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from constructs_lib.planning.engine import (
    Engine,
    EngineContext,
    Environment,
    HardwareSupport,
    OptionValues,
    Settings,
)
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.environment import HUB_TOKEN_VARIABLES
from constructs_lib.planning.engines.tgi.foreign_variables import unread
from constructs_lib.planning.engines.tgi_neuron.environment import VARIABLES, owner, refusal, render_environment
from constructs_lib.planning.engines.tgi_neuron.launcher_options import read_neuron_options
from constructs_lib.planning.engines.tgi_neuron.memory_model import NeuronMemoryModel
from constructs_lib.planning.engines.tgi_neuron.options import NeuronOptions
from constructs_lib.planning.engines.tgi_neuron.rules import neuron_problems
from constructs_lib.planning.engines.tgi_neuron.serving import serving_facts
from constructs_lib.planning.engines.tgi_neuron.versions import contents_of, with_tgi_version
from constructs_lib.planning.engines.tgi_neuron.warnings import neuron_warnings
from constructs_lib.planning.images.catalogue import ImageFamily, Version
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.serving_limits import ServingFacts
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Rule

_STARTUP_SECONDS = 3600
"""SageMaker's longest, which Hugging Face's and AWS's examples have: the cores are loaded one after the other."""


class TgiNeuronEngine:
    """Text Generation Inference with optimum-neuron."""

    name = "tgi-neuron"
    display_name = "TGI for Neuron"
    images = ImageFamily(
        "huggingface-llm-neuronx",
        construct="TgiNeuronImage",
        cuda_since=(((0, 0, 0), (0, 0)),),
        # The tags of newer images name TGI's version in that place.
        version_in_tag=r"-optimum(0\.\d+(?:\.\d+)?)-",
    )
    hardware = HardwareSupport(
        accelerators="Inferentia 2 and Trainium 1",
        is_gpu=False,
        example="InstanceType.INF2_8XLARGE",
        families=("inf2", "trn1", "trn1n"),
        unit="core",
        runtime="the Neuron runtime",
        larger="more cores",
        startup_seconds=_STARTUP_SECONDS,
        other_image="For GPUs use TgiEndpoint.",
    )
    options_type = NeuronOptions
    token_variables = HUB_TOKEN_VARIABLES
    variables = VARIABLES
    memory_model = NeuronMemoryModel()
    serving_rules: Mapping[str, Rule] = TGI.serving_rules

    def read_options(self, options: NeuronOptions, version: Version) -> OptionValues:
        """See `Engine.read_options`."""
        return read_neuron_options(options, version)

    def environment(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> Environment:
        """See `Engine.environment`."""
        del fitted, memory
        return render_environment(ctx)

    def published_compression(self, values: Settings) -> str | None:
        """See `Engine.published_compression`."""
        del values
        return None

    def owner(self, variable: str) -> str | None:
        """See `Engine.owner`."""
        return owner(variable)

    def refusal(self, variable: str) -> str | None:
        """See `Engine.refusal`."""
        return refusal(variable)

    def unread(self, variable: str, version: Version) -> str | None:
        """See `Engine.unread`."""
        return None if variable.startswith("NEURON_") else unread(variable, contents_of(version).tgi)

    def keeps_prefixes(self, ctx: EngineContext) -> bool | None:
        """See `Engine.keeps_prefixes`."""
        del ctx
        return False

    def max_body_bytes(self, ctx: EngineContext) -> int:
        """See `Engine.max_body_bytes`."""
        return TGI.max_body_bytes(with_tgi_version(ctx))

    def serving_facts(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> ServingFacts:
        """See `Engine.serving_facts`."""
        del fitted, memory
        return serving_facts(ctx)

    def problems(self, ctx: EngineContext) -> Iterator[Problem]:
        """See `Engine.problems`."""
        return neuron_problems(ctx)

    def warnings(self, ctx: EngineContext) -> Iterator[PlanWarning]:
        """See `Engine.warnings`."""
        return neuron_warnings(ctx)


TGI_NEURON: Engine = TgiNeuronEngine()
