"""How large weights are in a GPU, by the way they are compressed."""

from __future__ import annotations

from constructs_lib.planning.engines.tgi.options import Quantization
from constructs_lib.planning.models.facts import BITS_PER_PARAMETER, ModelFacts

ON_THE_FLY = frozenset(
    {
        Quantization.BITSANDBYTES,
        Quantization.BITSANDBYTES_NF4,
        Quantization.BITSANDBYTES_FP4,
        Quantization.EETQ,
        Quantization.FP8,
    }
)
"""Kinds that TGI makes itself while it loads; the others need weights that were published so."""


def quantization_of(facts: ModelFacts, asked: str | None) -> Quantization | None:
    """How the weights are compressed in the GPU: as the options say, else as they were published."""
    kind = asked or facts.quantization or ("fp8" if facts.checkpoint_dtype == "float8" else None)
    return Quantization(kind) if kind in list(Quantization) else None


def bits_per_parameter(kind: Quantization | None) -> float:
    """Bits of one parameter of a linear layer; the embeddings keep 16."""
    return 16.0 if kind is None else BITS_PER_PARAMETER[kind]
