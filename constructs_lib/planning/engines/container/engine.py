"""A container of the caller's own as planning sees it: `CONTAINERS` has an engine for each protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from constructs_lib.planning.engine import (
    Engine,
    EngineContext,
    Environment,
    HardwareSupport,
    OptionNames,
    OptionValues,
    Settings,
)
from constructs_lib.planning.engines.container.images import OwnImages
from constructs_lib.planning.engines.container.options import ContainerOptions, ContainerProtocol
from constructs_lib.planning.engines.unplanned import UnplannedMemory
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES
from constructs_lib.planning.serving_limits import ServingFacts, facts_problems
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Integer, OneOf, Rule, String, problem
from constructs_lib.planning.validation.unknown import Unknown

_BODY = Integer(1, MAX_BODY_BYTES)
_SERVING_RULES: Mapping[str, Rule] = {"dtype": String(longest=32), "quantize": String(longest=64)}


class ContainerEngine:
    """See `Engine`; nothing but what the caller declares is known of the container.

    Args:
        protocol: What the container answers, whose name the front door knows.
    """

    display_name = "your container"
    images = OwnImages()
    hardware = HardwareSupport(
        accelerators="any hardware", is_gpu=True, example="InstanceType.G5_2XLARGE", any_instance=True
    )
    options_type = ContainerOptions
    token_variables = ("HF_TOKEN",)
    variables: frozenset[str] = frozenset()
    memory_model = UnplannedMemory(OptionNames(shards="", compression="", sizes=()))
    serving_rules = _SERVING_RULES

    def __init__(self, protocol: ContainerProtocol) -> None:
        self.name = protocol.value

    def read_options(self, options: ContainerOptions, version: Version) -> OptionValues:
        """See `Engine.read_options`."""
        problems = [*_protocol_problems(options.protocol), *_serving_problems(options.serving)]
        body: object = options.max_body_bytes
        if not isinstance(body, Unknown) and (found := problem("max_body_bytes", body, _BODY)):
            problems.append(found)
        wrong = {found.keyword.partition(".")[0] for found in problems}
        given = {
            "protocol": options.protocol,
            "serving": options.serving,
            "max_body_bytes": options.max_body_bytes,
        }
        return OptionValues(
            values={name: value for name, value in given.items() if name not in wrong}, problems=tuple(problems)
        )

    def environment(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> Environment:
        """See `Engine.environment`: the names that Hugging Face's images read, for a model of the hub."""
        model = ctx.model
        if model.source != "hub":
            # Libraries of the hub would wait for it in vain; where the weights are is the image's to know.
            return {"HF_HUB_OFFLINE": "1"} if model.is_staged else {}
        variables: dict[str, object] = {"HF_MODEL_ID": model.hub_id, "HF_MODEL_REVISION": model.revision}
        return {
            name: value if isinstance(value, Unknown) else str(value)
            for name, value in variables.items()
            if value is not None
        }

    def published_compression(self, values: Settings) -> str | None:
        """See `Engine.published_compression`."""
        return None

    def owner(self, variable: str) -> str | None:
        """See `Engine.owner`."""
        return None

    def refusal(self, variable: str) -> str | None:
        """See `Engine.refusal`."""
        return None

    def unread(self, variable: str, version: Version) -> str | None:
        """See `Engine.unread`."""
        return None

    def keeps_prefixes(self, ctx: EngineContext) -> bool | None:
        """See `Engine.keeps_prefixes`."""
        return None

    def max_body_bytes(self, ctx: EngineContext) -> int:
        """See `Engine.max_body_bytes`."""
        return ctx.number("max_body_bytes") or MAX_BODY_BYTES

    def serving_facts(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> ServingFacts:
        """See `Engine.serving_facts`: what the caller declares."""
        declared = ctx.values.get("serving")
        return declared if isinstance(declared, ServingFacts) else ServingFacts()

    def problems(self, ctx: EngineContext) -> Iterator[Problem]:
        """See `Engine.problems`."""
        return iter(())

    def warnings(self, ctx: EngineContext) -> Iterator[PlanWarning]:
        """See `Engine.warnings`."""
        if ctx.instance.is_gpu and not _declares_cuda(ctx):
            yield PlanWarning(
                "tgi-endpoint:imageCudaUnknown",
                f"{ctx.instance.name} has GPUs, and nothing says which CUDA release the image has: SageMaker's default"
                " host has an old driver on some families, and the container then fails without a log line. Declare"
                " it: OwnImage.from_ecr_repository(…, cuda='12.4').",
            )


def _declares_cuda(ctx: EngineContext) -> bool:
    return isinstance(ctx.images, OwnImages) and ctx.images.declares_cuda


def _protocol_problems(protocol: object) -> Iterator[Problem]:
    if isinstance(protocol, Unknown):
        message = "must be known at synth, because the front door speaks it"
        yield Problem("protocol", protocol, message, "Write ContainerProtocol.OPENAI or ContainerProtocol.TGI.")
    elif found := problem("protocol", protocol, OneOf(ContainerProtocol)):
        yield found


def _serving_problems(serving: object) -> Iterator[Problem]:
    if not isinstance(serving, ServingFacts):
        message = f"must be ServingFacts, not {type(serving).__name__}"
        yield Problem("serving", serving, message, "Write ServingFacts(max_total_tokens=…).")
        return
    for found in facts_problems(serving, _SERVING_RULES):
        yield Problem(f"serving.{found.keyword}", found.value, found.message, found.fix)


CONTAINERS: Mapping[str, Engine] = {protocol.value: ContainerEngine(protocol) for protocol in ContainerProtocol}
"""The engine of a container by its protocol."""
