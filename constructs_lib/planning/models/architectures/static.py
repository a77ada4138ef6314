"""Models that TGI runs in static padded batches, with classes of its own."""

from __future__ import annotations

from dataclasses import replace

from constructs_lib.planning.models.architecture import Architecture, ConfigJson, Layers, NeuronSupport, TgiSupport
from constructs_lib.planning.models.architectures.support import GPTQ_FIRST, own, static
from constructs_lib.planning.models.fallbacks import ENCODER_DECODER_LIMITS_UNTIL, NOTHING

_GALACTICA = own((0, 4, 0), "CausalLM+OPT (id-matched, no flash)", flash=False)

GALACTICA = TgiSupport(
    implementations=(
        _GALACTICA,
        replace(NOTHING, since=(0, 9, 0), fault="its class gets a parameter that it does not take"),
        replace(_GALACTICA, since=(1, 0, 1)),
        replace(NOTHING, since=(1, 0, 3), fault="its batches lack top_n_tokens"),
        replace(_GALACTICA, since=(1, 1, 0)),
    )
)
"""What TGI runs the hub ids below facebook/galactica with; their model_type is opt."""

_IDEFICS = own((1, 0, 2), "IdeficsCausalLM (no flash)", flash=False, reads_images=True)

ROWS = (
    Architecture(
        model_type="bloom",
        tgi=static(
            (0, 4, 0),
            "CausalLM+Bloom",
            reads=GPTQ_FIRST,
            launcher_reads_sizes=False,
            launcher_reads_positions=False,
        ),
        neuron=NeuronSupport(until=(0, 2, 0)),
        config=ConfigJson(defaults={"seq_length": 2048}),
        layers=Layers(kind="bloom"),
        gated=False,
        positions="alibi",
    ),
    Architecture(model_type="idefics", tgi=TgiSupport(implementations=(_IDEFICS,), launcher_reads_sizes=False)),
    Architecture(
        model_type="mamba",
        tgi=static(
            (2, 4, 1), "Mamba", bfloat16=True, launcher_reads_sizes=False, most_shards=1, left_to_transformers=False
        ),
        # A state of one size instead of keys and values; its paper trains with 2,048 tokens.
        config=ConfigJson(defaults={"num_attention_heads": 1, "head_dim": 1, "max_position_embeddings": 2048}),
        positions="relative",
    ),
    Architecture(
        model_type="mpt",
        tgi=static((0, 9, 1), "CausalLM+MPT", reads=GPTQ_FIRST, launcher_reads_sizes=False, ends_at_positions=True),
        layers=Layers(kind="mpt"),
        gated=False,
        positions="alibi",
    ),
    Architecture(
        model_type="opt",
        tgi=static((0, 5, 0), "CausalLM+OPT", reads=GPTQ_FIRST, launcher_reads_sizes=False),
        neuron=NeuronSupport(until=(0, 2, 0)),
        layers=Layers(kind="opt"),
        gated=False,
        positions="learned",
    ),
    Architecture(
        model_type="t5",
        tgi=TgiSupport(
            implementations=(
                own((0, 4, 0), "Seq2SeqLM+T5 (no flash)", flash=False),
                own(ENCODER_DECODER_LIMITS_UNTIL, "Seq2SeqLM+T5 (no flash)", flash=False, takes_limits=False),
            ),
            launcher_reads_sizes=False,
            decodes_from_one_token=True,
        ),
        config=ConfigJson(defaults={"n_positions": 512}, layers=("num_decoder_layers",)),
        layers=Layers(kind="t5"),
        positions="relative",
    ),
)
