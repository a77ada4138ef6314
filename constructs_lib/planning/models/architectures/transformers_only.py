"""Models that TGI has no class for, as far as more is known of them than transformers.json says.

Those without a cache of keys and values cannot be run at all: `CausalLM` in `server/text_generation_server/models/
causal_lm.py` reads past_key_values of the output, and the classes of transformers for these keep states instead.
"""

from __future__ import annotations

from constructs_lib.planning.models.architecture import Architecture, Layers, NeuronSupport, TgiSupport

_STATES = TgiSupport(left_to_transformers=False)

ROWS = (
    Architecture(model_type="cohere2", tgi=TgiSupport(), layers=Layers(kind="llama", norms=1)),
    Architecture(model_type="falcon_mamba", tgi=_STATES),
    Architecture(model_type="gpt_neo", tgi=TgiSupport(), gated=False, positions="learned"),
    Architecture(model_type="mamba2", tgi=_STATES),
    Architecture(
        model_type="qwen3",
        tgi=TgiSupport(),
        neuron=NeuronSupport(since=(0, 3, 0), converts_heads_since=(0, 3, 0)),
        layers=Layers(kind="llama", head_norms="per_head_dim"),
    ),
    Architecture(model_type="qwen3_moe", tgi=TgiSupport(), layers=Layers(kind="llama", head_norms="per_head_dim")),
    Architecture(model_type="recurrent_gemma", tgi=_STATES),
    Architecture(model_type="rwkv", tgi=_STATES),
)
