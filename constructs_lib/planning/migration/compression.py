"""How weights stay compressed on another engine.

Sources: vLLM 0.20.0 to 0.30.0 `vllm/model_executor/layers/quantization` (what compresses while it loads;
bitsandbytes is 4 bits, nf4, there); SGLang 0.5.20 `srt/layers/quantization`; TGI 3.3.6 `server/.../layers`.
"""

from __future__ import annotations

from collections.abc import Callable

from constructs_lib.planning.engines.tgi.options import Quantization
from constructs_lib.planning.migration.outcome import Becomes, OptionRule, Origin, by_itself, lost, setting

_READ = "{engine} reads from config.json how the weights are compressed, and chooses the kernels."
_EIGHT_BITS = (Quantization.EETQ, Quantization.BITSANDBYTES)
_PUBLISHED = (Quantization.AWQ, Quantization.GPTQ, Quantization.MARLIN, Quantization.COMPRESSED_TENSORS)
_MARLIN = {Quantization.AWQ: "awq_marlin", Quantization.GPTQ: "gptq_marlin", Quantization.MARLIN: "gptq_marlin"}
_MARLIN_NEEDS = (8, 0)


def compression(
    name: str, *, eight_bits: Callable[[Origin], str], four_bits: Callable[[Origin], str | Becomes]
) -> OptionRule:
    """The compression of the weights, for an engine that calls it `name`.

    Args:
        name: The option.
        eight_bits: What compresses to 8 bits while it loads.
        four_bits: What compresses to 4 bits while it loads, or why nothing does.
    """

    def rule(value: str, origin: Origin) -> Becomes:
        kind = Quantization(value)
        published = origin.facts.published_quantization if origin.facts else None
        if kind in _PUBLISHED:
            return _published(name, kind, origin)
        if kind == Quantization.EXL2:
            return lost(f"Only TGI reads EXL2 here. {origin.engine} reads AWQ and GPTQ weights of as many bits.")
        if kind == Quantization.FP8:
            if published == "fp8":
                return by_itself(_READ.format(engine=origin.engine))
            return setting("", **{name: "fp8"})
        if kind in _EIGHT_BITS:
            reason = f"8 bits as well, rounded otherwise than {kind} does it: compare answers."
            return setting(reason, **{name: eight_bits(origin)})
        found = four_bits(origin)
        if isinstance(found, Becomes):
            return found
        reason = "" if kind == Quantization.BITSANDBYTES_NF4 else "4 bits as well, of bitsandbytes' other type, nf4."
        return setting(reason, **{name: found})

    return rule


def _published(name: str, kind: Quantization, origin: Origin) -> Becomes:
    if origin.own_compression is None:
        return by_itself(_READ.format(engine=origin.engine))
    fast = _MARLIN.get(kind) if origin.capability >= _MARLIN_NEEDS else None
    reason = "For the memory plan: the weights are your own, and no catalogue says how they are compressed."
    return setting(reason, **{name: fast or str(kind)})
