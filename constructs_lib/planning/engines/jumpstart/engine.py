"""A pinned model as planning sees it: `JumpStartEngine` implements `planning.engine.Engine` for one endpoint.

Image and variables are AWS's, so nothing is computed from the model. If the image is one of an engine that this library
knows, that engine says what its variables may be and how it serves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from constructs_lib.planning.engine import (
    Engine,
    EngineContext,
    Environment,
    HardwareSupport,
    OptionNames,
    OptionValues,
    Settings,
)
from constructs_lib.planning.engines import ENGINES, engine_named
from constructs_lib.planning.engines.jumpstart.containers import PinnedImage, container_of, pinned_image
from constructs_lib.planning.engines.jumpstart.pinned import PinnedInstance, PinnedModel
from constructs_lib.planning.engines.unplanned import UnplannedMemory
from constructs_lib.planning.hardware.instance_types import attribute_name, find_instance
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.request import UNDECIDED
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES
from constructs_lib.planning.serving_limits import ServingFacts
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Rule

_OPTION = "options."
_NUMBERS = ("int | None", "float | None")


@dataclass(frozen=True)
class NoOptions:
    """A pinned model has no options: variables of its container are set with `environment`."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What of a pinned model an endpoint runs.

    Args:
        model: The model.
        region: Region of the endpoint; None if it is none of the model's, or not known.
        instance_type: Name of the first instance type, which decides image and weights; None if none is right.
        protocol: The engine that the caller declares. Default: that of the image.
        environment: The caller's variables.
    """

    model: PinnedModel
    region: str | None
    instance_type: str | None
    protocol: str | None = None
    environment: Mapping[str, object] = field(default_factory=dict)

    @property
    def instance(self) -> PinnedInstance:
        """What the model runs on the first instance type; on any of the file if that is not right."""
        types = self.model.instance_types
        return types.get(self.instance_type or "") or next(iter(types.values()))

    @property
    def image(self) -> str:
        """URI of the image in the Region of the endpoint, or in any of the file."""
        images = self.instance.images
        return images.get(self.region or "") or next(iter(images.values()))

    @property
    def engine(self) -> str | None:
        """The engine in the container: that of the image, else the one that the caller declares."""
        return container_of(self.image).engine or self.protocol


class _Memory(UnplannedMemory):
    """As many GPUs as JumpStart says, or the cores of as many Neuron devices, and no memory plan."""

    def __init__(self, model: PinnedModel) -> None:
        super().__init__(OptionNames(shards="environment", compression="environment", sizes=("environment",)))
        self._model = model

    def shards(self, ctx: EngineContext) -> int:
        """See `MemoryModel.shards`."""
        pinned = self._model.instance_types.get(ctx.instance.name)
        if pinned is None or pinned.accelerators is None:
            return super().shards(ctx)
        return pinned.accelerators * (ctx.instance.cores_per_accelerator or 1)


class JumpStartEngine:
    """What runs in the container of one endpoint for a pinned model.

    Args:
        selection: The model, and what of it the endpoint runs.
    """

    display_name = "JumpStart"
    options_type = NoOptions
    token_variables: tuple[str, ...] = ()

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._model = selection.model
        known = selection.engine
        self.name = known or ""
        self._serving: Engine | None = engine_named(known) if known in ENGINES else None
        self.memory_model = _Memory(selection.model)
        own = {name for one in self._model.instance_types.values() for name in one.environment}
        self.variables = frozenset(own | (self._serving.variables if self._serving else frozenset()))
        self.serving_rules: Mapping[str, Rule] = self._serving.serving_rules if self._serving else {}

    @property
    def images(self) -> PinnedImage:
        """See `Engine.images`: the one image."""
        return pinned_image(self._selection.image, self._model.regions)

    @property
    def hardware(self) -> HardwareSupport:
        """See `Engine.hardware`: what the instance types of the file have."""
        example = self._model.default_instance_type or next(iter(self._model.instance_types))
        known = find_instance(example)
        is_gpu = known.is_gpu if known else not example.startswith(("ml.inf", "ml.trn"))
        names = "NVIDIA GPUs" if is_gpu else "Inferentia and Trainium"
        return HardwareSupport(accelerators=names, is_gpu=is_gpu, example=attribute_name(example))

    def read_options(self, options: NoOptions, version: Version) -> OptionValues:
        """See `Engine.read_options`."""
        del options, version
        return OptionValues(values={})

    def environment(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> Environment:
        """See `Engine.environment`: what the file has for the instance type."""
        del fitted, memory
        pinned = self._model.instance_types.get(ctx.instance.name)
        return dict(pinned.environment) if pinned else {}

    def published_compression(self, values: Settings) -> str | None:
        """See `Engine.published_compression`."""
        del values
        return None

    def owner(self, variable: str) -> str | None:
        """See `Engine.owner`: every variable may be set."""
        del variable
        return None

    def refusal(self, variable: str) -> str | None:
        """See `Engine.refusal`."""
        return self._serving.refusal(variable) if self._serving else None

    def unread(self, variable: str, version: Version) -> str | None:
        """See `Engine.unread`; what AWS sets is left to AWS."""
        pinned = any(variable in one.environment for one in self._model.instance_types.values())
        return None if pinned or self._serving is None else self._serving.unread(variable, version)

    def keeps_prefixes(self, ctx: EngineContext) -> bool | None:
        """See `Engine.keeps_prefixes`."""
        return self._serving.keeps_prefixes(self._as_served(ctx)) if self._serving else None

    def max_body_bytes(self, ctx: EngineContext) -> int:
        """See `Engine.max_body_bytes`."""
        return self._serving.max_body_bytes(self._as_served(ctx)) if self._serving else MAX_BODY_BYTES

    def serving_facts(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> ServingFacts:
        """See `Engine.serving_facts`: what the engine in the container makes of its variables."""
        del fitted, memory
        if self._serving is None:
            return ServingFacts()
        served = self._as_served(ctx)
        return self._serving.serving_facts(served, served, None)

    def problems(self, ctx: EngineContext) -> Iterator[Problem]:
        """See `Engine.problems`."""
        if ctx.instance.name != UNDECIDED.name:
            yield from self._instance_problems(ctx.instance.name)
        for name, value in self._selection.environment.items():
            if isinstance(value, str) and (found := self._value_problem(name, value, ctx.version)):
                yield found

    def warnings(self, ctx: EngineContext) -> Iterator[PlanWarning]:
        """See `Engine.warnings`."""
        del ctx
        model = self._model
        again = f"Run `tgi-endpoint jumpstart add {model.model_id}` for the newest version, or choose another model."
        if model.deprecated:
            message = f"AWS has deprecated {model.model_id} {model.version}: {model.deprecated} {again}"
            yield PlanWarning("tgi-endpoint:jumpStartDeprecated", message)
        if model.vulnerabilities:
            yield PlanWarning(
                "tgi-endpoint:jumpStartVulnerable",
                f"The container of {model.model_id} {model.version} has known vulnerabilities"
                f" ({', '.join(model.vulnerabilities)}). {again}",
            )

    def _instance_problems(self, name: str) -> Iterator[Problem]:
        model, region, keyword = self._model, self._selection.region, "instance_type"
        pinned = model.instance_types.get(name)
        if pinned is None or (region is not None and region not in pinned.images):
            known = [each for each, one in model.instance_types.items() if region is None or region in one.images]
            where = f" in {region}" if region else ""
            message = f"is none on which {model.model_id} {model.version} is pinned{where}: {', '.join(known)}"
            fix = "Use one of them, or run `tgi-endpoint jumpstart add` again."
            yield Problem(keyword, name, message, fix)
            return
        first, fix = self._selection.instance, "Leave it out, or give it an endpoint of its own."
        if region is not None and pinned.images[region] != first.images.get(region):
            message = (
                f"runs another image than {self._selection.instance_type}, and the variants of an endpoint have one"
            )
            yield Problem(keyword, name, message, fix)
        if pinned.artifact != first.artifact:
            message = f"takes other weights than {self._selection.instance_type}, and an endpoint has those of one"
            yield Problem(keyword, name, message, fix)

    def _as_served(self, ctx: EngineContext) -> EngineContext:
        """The context of the engine in the container, with the options that its variables stand for."""
        pinned = self._model.instance_types.get(ctx.instance.name)
        variables: dict[str, object] = {**(pinned.environment if pinned else {}), **self._selection.environment}
        values, unknown = {}, {}
        for name, value in variables.items():
            option = self._option(name)
            if option is None:
                continue
            read = self._read(option, value, ctx.version) if isinstance(value, str) else None
            if read is None:
                unknown[option] = value
            else:
                values[option] = read
        return replace(ctx, engine=self._serving or ctx.engine, values=values, unknown=unknown)

    def _option(self, variable: str) -> str | None:
        """The option of the engine in the container that a variable stands for."""
        owner = self._serving.owner(variable) if self._serving else None
        if self._serving is None or owner is None or not owner.startswith(_OPTION):
            return None
        name = owner.removeprefix(_OPTION)
        return name if name in {one.name for one in fields(self._serving.options_type)} else None

    def _read(self, option: str, text: str, version: Version) -> object | None:
        """The value of an option that a variable's text stands for; None if it stands for none."""
        return next(
            (one for one in _readings(text) if not self._problems_of(option, one, version)),
            None,
        )

    def _problems_of(self, option: str, value: object, version: Version) -> tuple[Problem, ...]:
        if self._serving is None:
            return ()
        return self._serving.read_options(self._serving.options_type(**{option: value}), version).problems

    def _value_problem(self, name: str, text: str, version: Version) -> Problem | None:
        """What the engine in the container says against the value of a variable that is a number."""
        option = self._option(name)
        if option is None or self._serving is None or self._read(option, text, version) is not None:
            return None
        kinds = {one.name: one.type for one in fields(self._serving.options_type)}
        if kinds[option] not in _NUMBERS:  # what else a variable may be is not that of the option
            return None
        reading = _readings(text)[0]
        found = next(iter(self._problems_of(option, reading, version)), None)
        if found is None:
            return None
        message = f"{self._serving.display_name} reads {option} from it, which {found.message.partition(', not ')[0]}"
        fix = "Write a number in quotes." if reading == text else found.fix
        return Problem(f"environment[{name!r}]", text, message, fix)


def _readings(text: str) -> list[Any]:
    """What a variable's text can stand for, the most special first."""
    found: list[Any] = []
    if text.lower() in ("true", "false"):
        found.append(text.lower() == "true")
    for kind in (int, float):
        try:
            found.append(kind(text))
        except ValueError:
            continue
    return [*found, text]
