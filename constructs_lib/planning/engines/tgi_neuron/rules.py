"""What is wrong between image, model, options and cores, apart from the memory of a core."""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi_neuron.sizes import has_shape, size_problems
from constructs_lib.planning.engines.tgi_neuron.versions import OLDEST_SUPPORTED, contents_of
from constructs_lib.planning.hardware.gpu_memory import GIB, visible_bytes
from constructs_lib.planning.images.catalogue import format_version, parse_version
from constructs_lib.planning.models.architecture import NeuronSupport
from constructs_lib.planning.models.architectures import architecture, types_on_neuron
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import HALF_BYTES
from constructs_lib.planning.validation.problem import Problem


def neuron_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Every problem of the engine's own (see `Engine.problems`)."""
    if ctx.version < OLDEST_SUPPORTED:
        yield _too_old(ctx)
        return
    yield from size_problems(ctx)
    if ctx.facts:
        yield from _model_problems(ctx, ctx.facts)
        yield from _weight_problems(ctx, ctx.facts)


def _too_old(ctx: EngineContext) -> Problem:
    version, newest = format_version(ctx.version), ctx.engine.images.newest
    tgi = format_version(contents_of(ctx.version).tgi)
    return Problem(
        "image",
        version,
        f"has TGI {tgi}, which takes no batch size, so that it cannot fill a compiled model's batch",
        f"Use {newest!r}, or {format_version(OLDEST_SUPPORTED)} or newer.",
    )


def _model_problems(ctx: EngineContext, facts: ModelFacts) -> Iterator[Problem]:
    support, version = architecture(facts.model_type).neuron, format_version(ctx.version)
    if support is None or not support.runs_in(ctx.version):
        other = _image_that_runs(ctx, support) if support else None
        which = f"Use image {other}, which does, or a" if other else "Use a"
        yield Problem(
            "model",
            facts.hub_id,
            f"{ctx.engine.display_name} {version} does not know {facts.model_type} models",
            f"{which} model of the types {', '.join(types_on_neuron(ctx.version))}.",
        )
    if facts.published_quantization:
        yield Problem(
            "model",
            facts.hub_id,
            f"its weights were published as {facts.published_quantization}, but Neuron runs weights in half precision"
            " only",
            "Use the repository with the uncompressed weights.",
        )


def _image_that_runs(ctx: EngineContext, support: NeuronSupport) -> str | None:
    """The newest image that runs an architecture."""
    images = reversed(ctx.engine.images.versions)
    return next((image for image in images if (parsed := parse_version(image)) and support.runs_in(parsed)), None)


def _weight_problems(ctx: EngineContext, facts: ModelFacts) -> Iterator[Problem]:
    """That not even the weights fit all cores, where the container chooses the sizes and so nothing more is known."""
    instance, cores = ctx.instance, ctx.instance.unit_count
    if has_shape(ctx) or instance.is_gpu or not cores or not instance.memory_gib:
        return
    weights, memory = facts.parameters * HALF_BYTES, visible_bytes(instance) * cores
    if weights > memory:
        yield Problem(
            "instance_type",
            instance.name,
            f"cannot hold {facts.hub_id}: its weights are {weights / GIB:.0f} GiB, but the {cores} cores have"
            f" {memory / GIB:.0f} GiB",
            "Use a larger instance, or a smaller model.",
        )
