"""What planning asks of an engine. Each engine is a package below `planning/engines`; nothing else imports one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageFamily, Version
from constructs_lib.planning.memory_plan import EngineMemory, GpuShare, MemoryPlan, WeightFormat
from constructs_lib.planning.models.facts import ModelChoice, ModelFacts
from constructs_lib.planning.serving_limits import ServingFacts
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Rule
from constructs_lib.planning.validation.unknown import Unknown

Settings = Mapping[str, object]
"""Options by their names in the engine's options."""

Environment = dict[str, str | Unknown]
"""A container's variables; Unknown ones are written as their text."""


@dataclass(frozen=True, kw_only=True)
class HardwareSupport:
    """On which accelerators the images of an engine run.

    Args:
        accelerators: Their name in messages, such as `NVIDIA GPUs`.
        is_gpu: Whether they are GPUs; False for Neuron devices.
        example: An instance type that has them.
        families: Families of instance types that have them. Default: any with accelerators of that kind.
        unit: What shares a model, for messages: a GPU, or a core of a Neuron device. Default: GPU.
        runtime: What needs memory beside the model, for messages. Default: CUDA.
        larger: What has more memory, for messages. Default: larger GPUs.
        startup_seconds: Startup timeout for any model, if its size says little about the start. Default: none.
        untested_from: Compute capability from which on the engine was neither built nor tested. Default: none.
        tested_example: Instance types to prefer then, for the message.
        other_image: What AWS publishes for other accelerators, as a sentence. Default: nothing.
        any_instance: Whether nothing is known of the image, so that any instance may have what it needs, also one
            without accelerators or with an Arm host. Default: False.
    """

    accelerators: str
    is_gpu: bool
    example: str
    families: tuple[str, ...] | None = None
    unit: str = "GPU"
    runtime: str = "CUDA"
    larger: str = "larger GPUs"
    startup_seconds: int | None = None
    untested_from: tuple[int, int] | None = None
    tested_example: str = ""
    other_image: str = ""
    any_instance: bool = False

    def runs_on(self, instance: InstanceType) -> bool:
        """Whether the instance has such accelerators, or may have what the image needs."""
        if self.any_instance:
            return True
        return instance.is_gpu == self.is_gpu and (self.families is None or instance.family in self.families)

    def is_untested(self, instance: InstanceType) -> bool:
        """Whether the engine was not tested on the instance's GPUs."""
        capability = instance.compute_capability
        return self.untested_from is not None and capability is not None and capability >= self.untested_from


@dataclass(frozen=True, kw_only=True)
class OptionNames:
    """What an engine calls the options that advice about memory names.

    Args:
        shards: The number of GPUs that share the model.
        compression: The compression of the weights; None if the engine has none.
        sizes: Those that need less memory when they are lowered.
        limits: Those that say how long requests may be. Default: none.
        requests: The one that says how many requests run at one time. Default: none does.
    """

    shards: str
    compression: str | None
    sizes: tuple[str, ...]
    limits: tuple[str, ...] = ()
    requests: str = ""


@dataclass(frozen=True, kw_only=True)
class OptionValues:
    """The options of a request, read by the engine.

    Args:
        values: Those that are given and right by themselves, or `Unknown`.
        problems: What is wrong with the others.
        left_open: Those that are not given and that only the container decides, when it starts. Default: none.
    """

    values: Settings
    problems: tuple[Problem, ...] = ()
    left_open: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class EngineContext:
    """What the rules of an engine look at.

    Args:
        engine: The engine.
        values: The options that are given and right by themselves, or `Unknown`.
        unknown: Options that are given but cannot be judged, each with what a message shows of it: `Unknown`, or wrong
            and reported already.
        version: The engine's version.
        model: Which weights.
        facts: Their shape, if it is known.
        instance: Where they run.
        network_isolation: Whether the container has no network.
        own_build: Whether the image is a build or a fork of the engine, which may differ from that version.
        family: The images that the container's is one of. Default: the engine's.
        startup_seconds: How long SageMaker waits for the container's first answer. None: nothing is deployed.
    """

    engine: Engine
    values: Settings
    unknown: Settings
    version: Version
    model: ModelChoice
    facts: ModelFacts | None
    instance: InstanceType
    network_isolation: bool = False
    own_build: bool = False
    family: ImageFamily | None = None
    startup_seconds: int | Unknown | None = None

    @property
    def images(self) -> ImageFamily:
        """The images that the container's is one of."""
        return self.family or self.engine.images

    def with_values(self, values: Settings) -> EngineContext:
        """The same with further options, which replace those of the same name."""
        return replace(self, values={**self.values, **values})

    def given(self, keyword: str) -> bool:
        """Whether the caller gives the option, right or wrong."""
        return keyword in self.values or keyword in self.unknown

    def shown(self, keyword: str) -> object:
        """The option as a message shows it."""
        return self.unknown[keyword] if keyword in self.unknown else self.values.get(keyword)

    def number(self, keyword: str) -> int | None:
        """The option's value if it is given and a whole number."""
        value = self._known(keyword)
        return value if isinstance(value, int) else None

    def text(self, keyword: str) -> str | None:
        """The option's value if it is given and a string."""
        value = self._known(keyword)
        return str(value) if isinstance(value, str) else None

    def fraction(self, keyword: str, default: float) -> float:
        """The option's value if it is given and a number, else the default."""
        value = self._known(keyword)
        return float(value) if isinstance(value, int | float) else default

    def _known(self, keyword: str) -> object:
        return None if keyword in self.unknown else self.values.get(keyword)


@dataclass(frozen=True, kw_only=True)
class Reduction:
    """A number among the options that may be lowered until a model fits.

    Args:
        least: The lowest that makes sense.
        below: The present one.
        settings: The options for a lower one.
    """

    least: int
    below: int
    settings: Callable[[int], Settings]


class MemoryModel(Protocol):
    """What differs between engines when a model is sized. Plans are made for GPUs whose memory is published."""

    @property
    def options(self) -> frozenset[str] | None:
        """Options without whose values nothing can be said about memory; None if nothing ever can."""

    @property
    def option_names(self) -> OptionNames:
        """What options that matter for memory are called, for advice."""

    def shards(self, ctx: EngineContext) -> int:
        """GPUs that share the model: as requested, else the engine's default."""

    def shard_problems(self, ctx: EngineContext) -> Iterator[Problem]:
        """Why the model cannot be split as requested."""

    def weight_format(self, ctx: EngineContext, facts: ModelFacts) -> WeightFormat:
        """How the weights are held."""

    def compresses_while_loading(self, ctx: EngineContext) -> bool:
        """Whether the engine quantizes the weights itself while it loads them."""

    def memory(self, ctx: EngineContext, facts: ModelFacts, gpu: GpuShare) -> EngineMemory:
        """What the engine makes of one GPU's memory: its fraction, activations, cache layout, limits."""

    def copies(self, ctx: EngineContext) -> int:
        """Copies of the model that one container runs, each on GPUs of its own."""

    def request_limit(self, ctx: EngineContext) -> int | None:
        """The longest request, in tokens, that the options allow; None if none limits it."""

    def settings_for(
        self, options: Any, facts: ModelFacts, instance: InstanceType, tokens: int | None, requests: int
    ) -> Settings:
        """Options to add for a load on an instance, and for GPUs that cannot all be used.

        Args:
            options: The options that are given.
            facts: The model.
            instance: The instance.
            tokens: Tokens of the longest request; None if any length will do.
            requests: Requests of that length at the same time.
        """

    def smaller_settings(self, ctx: EngineContext, memory: MemoryPlan) -> Iterable[Settings]:
        """Options that the engine's package may set by itself, each needing less memory than the one before."""

    def following_settings(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan) -> Settings:
        """Options that follow from a memory plan.

        Args:
            ctx: The context as requested.
            fitted: The same with those of `smaller_settings` that make it fit.
            memory: Its memory plan.
        """

    def remedies(self, ctx: EngineContext, facts: ModelFacts) -> Iterable[Iterable[Settings] | Reduction]:
        """Changes of options with which a model that does not fit may fit the same instance, the preferred first.

        Of settings the first that fit are suggested, of a reduction the highest number that fits.
        """


class Engine(Protocol):
    """An inference server on SageMaker.

    The data members are constant; the methods are pure functions.
    """

    @property
    def name(self) -> str:
        """Its name in the registry and in `IModelEndpoint.engine`, such as `tgi`."""

    @property
    def display_name(self) -> str:
        """Its name in messages, such as `TGI`."""

    @property
    def images(self) -> ImageFamily:
        """Its images, with their versions and CUDA releases."""

    @property
    def hardware(self) -> HardwareSupport:
        """On which accelerators they run."""

    @property
    def options_type(self) -> type[Any]:
        """The dataclass of its options; without arguments it is the engine's defaults."""

    @property
    def token_variables(self) -> tuple[str, ...]:
        """Variables of the environment that take the hub token."""

    @property
    def variables(self) -> frozenset[str]:
        """Every variable that some version reads; one that is nearly the same is a misspelt one."""

    @property
    def memory_model(self) -> MemoryModel:
        """How it divides a GPU's memory."""

    @property
    def serving_rules(self) -> Mapping[str, Rule]:
        """What `dtype` and `quantize` of `ServingFacts` may be."""

    def read_options(self, options: Any, version: Version) -> OptionValues:
        """Check options one by one, without the rules between them."""

    def environment(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> Environment:
        """Render the container's variables, without the hub token and the caller's further variables.

        Args:
            ctx: The context as requested.
            fitted: The same with the options that make it fit.
            memory: Its memory plan; None if model, GPU or an option that decides it is not known.
        """

    def published_compression(self, values: Settings) -> str | None:
        """How the weights must have been compressed before, by the options given; None if those do not say."""

    def owner(self, variable: str) -> str | None:
        """The argument that sets a variable, as the caller writes it; None for a variable that callers may set."""

    def refusal(self, variable: str) -> str | None:
        """Why a variable must not be set at all; None if it may."""

    def unread(self, variable: str, version: Version) -> str | None:
        """Why that version ignores a variable, and what to use instead, as sentences; None if it may read it."""

    def keeps_prefixes(self, ctx: EngineContext) -> bool | None:
        """Whether it keeps the cache of prompts for later ones that begin the same; None if synth does not know."""

    def max_body_bytes(self, ctx: EngineContext) -> int:
        """Largest request body, in bytes, that the container accepts through SageMaker."""

    def serving_facts(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> ServingFacts:
        """What is certain at synth about how it will serve."""

    def problems(self, ctx: EngineContext) -> Iterator[Problem]:
        """What is wrong between options, model, shards and instance, apart from memory."""

    def warnings(self, ctx: EngineContext) -> Iterator[PlanWarning]:
        """What is legal but risky."""
