"""Decoders of text that TGI runs with paged attention."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from constructs_lib.planning.models.architecture import Architecture, ConfigJson, Layers, NeuronSupport, TgiSupport
from constructs_lib.planning.models.architectures.support import (
    GPTQ_FIRST,
    HIDDEN_BY_HEADS,
    LLAMA,
    LLAMA_READS,
    bfloat16,
    flash,
    own,
)
from constructs_lib.planning.models.fallbacks import NOTHING

_DEEPSEEK = ConfigJson(cached_head=192)  # from fields that no config.json has (get_model), so always their defaults
_FALCON: dict[str, Any] = {"reads": GPTQ_FIRST, "with_alibi": False}
_REFINED_WEB = {"max_position_embeddings": 2048, "tie_word_embeddings": True}

ROWS = (
    Architecture(
        model_type="baichuan",
        tgi=TgiSupport(
            implementations=(
                own((1, 1, 0), "FlashLlama"),
                own((2, 0, 2), "FlashLlama", remote_config=True),  # by AutoConfig, which does not have it
            ),
            reads=HIDDEN_BY_HEADS,
        ),
    ),
    Architecture(
        model_type="cohere",
        tgi=flash((1, 4, 4), "FlashCohere", reads=HIDDEN_BY_HEADS),
        layers=Layers(kind="llama", norms=1, head_norms="use_qk_norm"),
    ),
    Architecture(model_type="dbrx", tgi=bfloat16((1, 4, 5), "FlashDbrx", launcher_reads_sizes=False), layers=LLAMA),
    Architecture(
        model_type="deepseek_v2",
        tgi=bfloat16((2, 2, 0), "FlashDeepseekV2", needs_flashdecoding=True),
        config=_DEEPSEEK,
        layers=Layers(kind="deepseek"),
    ),
    Architecture(
        model_type="deepseek_v3",
        tgi=bfloat16((3, 1, 0), "FlashDeepseekV3"),
        config=_DEEPSEEK,
        layers=Layers(kind="deepseek"),
    ),
    Architecture(
        model_type="falcon",
        tgi=flash((0, 9, 4), "FlashRW", launcher_reads_sizes=False, needs_flashdecoding=True, **_FALCON),
        config=ConfigJson(kv_heads="falcon"),
        layers=Layers(kind="falcon"),
        gated=False,
    ),
    Architecture(
        model_type="gemma",
        tgi=bfloat16((1, 4, 2), "FlashGemma"),
        layers=LLAMA,
    ),
    Architecture(
        model_type="gemma2",
        tgi=bfloat16((2, 1, 0), "FlashGemma2", softcap=True),
        layers=Layers(kind="llama", norms=4),
    ),
    Architecture(
        model_type="gemma3_text",
        tgi=bfloat16((3, 2, 0), "FlashGemma3", always_windowed=True),
        config=ConfigJson(stretch_included=True),
        layers=Layers(kind="llama", norms=4, head_norms="per_head_dim"),
    ),
    Architecture(
        model_type="gpt2",
        tgi=flash((2, 0, 3), "FlashGPT2", launcher_reads_sizes=False),
        neuron=NeuronSupport(until=(0, 2, 0)),
        layers=Layers(kind="gpt2"),
        gated=False,
        positions="learned",
    ),
    Architecture(
        model_type="gpt_bigcode",
        tgi=flash(
            (0, 7, 0),
            "FlashSantacoder",
            reads=GPTQ_FIRST,
            launcher_reads_sizes=False,
            replicates_kv_heads=True,
        ),
        config=ConfigJson(kv_heads="bigcode"),
        layers=Layers(kind="gpt2"),
        gated=False,
        positions="learned",
    ),
    Architecture(
        model_type="gpt_neox",
        tgi=flash((0, 4, 1), "FlashGPTNeoX", reads=GPTQ_FIRST),
        layers=Layers(kind="neox"),
        gated=False,
    ),
    Architecture(
        model_type="gptj",
        tgi=flash((2, 3, 0), "FlashGPTJ", launcher_reads_sizes=False),
        layers=Layers(kind="gptj"),
        gated=False,
    ),
    Architecture(
        model_type="granite",
        tgi=flash((2, 4, 0), "FlashLlama", reads=LLAMA_READS),
        neuron=NeuronSupport(since=(0, 0, 28), converts_heads_since=(0, 3, 0)),
        layers=LLAMA,
    ),
    Architecture(
        model_type="llama",
        tgi=flash((0, 5, 0), "FlashLlama", reads=LLAMA_READS),
        neuron=NeuronSupport(converts_heads_since=(0, 2, 0)),
        layers=LLAMA,
    ),
    Architecture(
        model_type="mistral",
        tgi=flash((1, 1, 0), "FlashMistral", reads={"head_dim": (2, 2, 0)}, windowed=True),
        neuron=NeuronSupport(until=(0, 2, 0)),
        layers=LLAMA,
    ),
    Architecture(
        model_type="mixtral",
        tgi=flash((1, 3, 0), "FlashMixtral", reads={**HIDDEN_BY_HEADS, "quantize": (1, 3, 2)}, windowed=True),
        neuron=NeuronSupport(since=(0, 0, 22), converts_heads_since=(0, 2, 0)),
        layers=LLAMA,
    ),
    Architecture(
        model_type="phi",
        tgi=flash((1, 4, 0), "FlashPhi", reads=HIDDEN_BY_HEADS),
        layers=Layers(kind="phi"),
        gated=False,
    ),
    Architecture(
        model_type="phi-msft",
        tgi=TgiSupport(
            implementations=(
                replace(NOTHING, since=(1, 4, 0), fault='"Legacy phi-msft is not supported with Flash Attention"'),
            )
        ),
        layers=Layers(kind="phi"),
        gated=False,
    ),
    Architecture(
        model_type="phi3",
        tgi=TgiSupport(
            implementations=(
                own((2, 0, 2), "FlashLlama", remote_config=True),  # transformers has it from 4.41 on
                own((2, 0, 3), "FlashLlama"),
            ),
            reads=LLAMA_READS,
        ),
        neuron=NeuronSupport(since=(0, 2, 0), converts_heads_since=(0, 3, 0)),
        layers=LLAMA,
    ),
    Architecture(model_type="phimoe", tgi=flash((2, 3, 1), "FlashLlama", reads=LLAMA_READS)),
    Architecture(
        model_type="qwen2",
        tgi=flash(
            (1, 4, 3),
            "Qwen2ForCausalLM (flash)",
            reads={**HIDDEN_BY_HEADS, "tied_embeddings": (2, 3, 0)},
            windowed=True,
        ),
        neuron=NeuronSupport(since=(0, 0, 27), converts_heads_since=(0, 3, 0)),
        layers=Layers(kind="llama", qkv_bias=True),
    ),
    Architecture(
        model_type="RefinedWeb",  # Falcon 40B before transformers had it
        tgi=flash((0, 8, 0), "FlashRW", **_FALCON),
        config=ConfigJson(defaults={**_REFINED_WEB, "new_decoder_architecture": True}, kv_heads="falcon"),
        layers=Layers(kind="falcon"),
        gated=False,
    ),
    Architecture(
        model_type="RefinedWebModel",  # Falcon 7B before transformers had it
        tgi=flash((0, 8, 0), "FlashRW", **_FALCON),
        config=ConfigJson(defaults=_REFINED_WEB, kv_heads="falcon"),
        layers=Layers(kind="falcon"),
        gated=False,
    ),
    Architecture(
        model_type="starcoder2",
        tgi=flash((1, 4, 3), "FlashStarcoder2", reads=HIDDEN_BY_HEADS, windowed=True),
        layers=Layers(kind="neox"),
        gated=False,
    ),
)
