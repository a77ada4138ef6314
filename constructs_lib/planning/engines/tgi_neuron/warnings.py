"""What is legal but risky: what a compiled model has to be like, which nobody knows at synth."""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.launcher_options import MESSAGES_API_ALWAYS
from constructs_lib.planning.engines.tgi.warnings import messages_api_warning
from constructs_lib.planning.engines.tgi_neuron.sizes import has_shape
from constructs_lib.planning.engines.tgi_neuron.versions import contents_of, with_tgi_version
from constructs_lib.planning.validation.problem import PlanWarning
from constructs_lib.planning.validation.unknown import Unknown


def neuron_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    """Every warning of the engine's own (see `Engine.warnings`)."""
    yield _not_exported(ctx) if ctx.model.source == "s3" else _not_cached(ctx)
    like_tgi = with_tgi_version(ctx)
    if ctx.values.get("messages_api_enabled") is True and like_tgi.version < MESSAGES_API_ALWAYS:
        yield messages_api_warning(like_tgi)


def _not_cached(ctx: EngineContext) -> PlanWarning:
    """Source: TGI v3.3.6 `backends/neuron/server/text_generation_server/model.py`, fetch_model and is_cached."""
    model: object = ctx.model.hub_id
    shown = "<model>" if isinstance(model, Unknown) else str(model)
    chosen = "" if has_shape(ctx) else ", the one with the most cores first, then the largest batch"
    return PlanWarning(
        "tgi-endpoint:neuronCache",
        f"The container compiles nothing. Unless {shown} is an exported model (with a neuron_config.json), it starts"
        f" only if the hub's cache aws-neuron/optimum-neuron-cache has an entry for {_wanted(ctx)}{chosen}, compiled"
        f" with neuronx-cc {contents_of(ctx.version).compiler}. Look it up: optimum-cli neuron cache lookup {shown}",
    )


def _not_exported(ctx: EngineContext) -> PlanWarning:
    return PlanWarning(
        "tgi-endpoint:neuronExport",
        f"Weights in S3 must be an exported model for {_wanted(ctx)}, because the hub's cache of compiled models has no"
        " entry for a folder. Export it with: optimum-cli export neuron --model <model> --task text-generation"
        f" {_export_arguments(ctx)} <folder>",
    )


def _wanted(ctx: EngineContext) -> str:
    """The compiled model that has to exist."""
    if not has_shape(ctx):
        available = ctx.instance.unit_count
        return f"at most {available} cores" if available else "as many cores as the instance has"
    sizes = [f"{ctx.shown('num_cores')} cores", f"a batch of {ctx.shown('max_batch_size')}"]
    return f"{', '.join(sizes)}, {ctx.shown('max_total_tokens')} tokens and {ctx.shown('auto_cast_type')}"


def _export_arguments(ctx: EngineContext) -> str:
    arguments = {
        "num_cores": "num_cores",
        "batch_size": "max_batch_size",
        "sequence_length": "max_total_tokens",
        "auto_cast_type": "auto_cast_type",
    }
    known = has_shape(ctx)
    return " ".join(f"--{name} {ctx.shown(keyword) if known else '…'}" for name, keyword in arguments.items())
