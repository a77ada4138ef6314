"""What is certain at synth about how TGI for Neuron will serve."""

from __future__ import annotations

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.served_model import revision_of
from constructs_lib.planning.engines.tgi.serving import limit_of
from constructs_lib.planning.engines.tgi_neuron.options import AutoCastType
from constructs_lib.planning.engines.tgi_neuron.sizes import has_shape, longest_input
from constructs_lib.planning.engines.tgi_neuron.versions import with_tgi_version
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.serving_limits import ServingFacts

_DTYPES = {AutoCastType.FP16: "float16", AutoCastType.BF16: "bfloat16"}


def serving_facts(ctx: EngineContext) -> ServingFacts:
    """What clients may ask for, and the sizes if they are given."""
    like_tgi = with_tgi_version(ctx)
    kind, batch, total = ctx.text("auto_cast_type"), ctx.number("max_batch_size"), ctx.number("max_total_tokens")
    return ServingFacts(
        version=format_version(like_tgi.version),
        revision=revision_of(ctx),
        dtype=_DTYPES[AutoCastType(kind)] if kind else None,
        max_input_tokens=longest_input(ctx) if has_shape(ctx) else ctx.number("max_input_tokens"),
        max_total_tokens=total,
        max_batch_total_tokens=batch * total if batch and total else None,
        max_concurrent_requests=limit_of(like_tgi, "max_concurrent_requests"),
        max_stop_sequences=limit_of(like_tgi, "max_stop_sequences"),
        max_client_batch_size=limit_of(like_tgi, "max_client_batch_size"),
        max_best_of=1,
        max_top_n_tokens=0,
        enable_prefill_logprobs=False,
        reads_images=False,
        tools=False,
    )
