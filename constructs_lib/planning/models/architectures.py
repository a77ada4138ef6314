"""What is known of each architecture: one row per `model_type` of a config.json.

Sources: `get_model` of TGI 3.3.6 `server/text_generation_server/models/__init__.py` and its launcher's `src/main.rs`;
for what TGI leaves to transformers, the classes of transformers 4.51.0 that have `_supports_attention_backend`; for
layers, the model classes of the same transformers; config_defaults.json has the defaults of their configurations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from constructs_lib.planning.models.architecture import (
    Architecture,
    Backend,
    ConfigJson,
    Implementation,
    Layers,
    TgiSupport,
)

if TYPE_CHECKING:
    from constructs_lib.planning.images.catalogue import Version
    from constructs_lib.planning.models.facts import ModelFacts


def architecture(model_type: str) -> Architecture:
    """The row of a `model_type`; for one that has none, what TGI and transformers do with an unknown architecture."""
    return _ROWS.get(model_type) or Architecture(model_type=model_type, tgi=TgiSupport(implementations=(_FALLBACK,)))


def model_type_of(hub_id: str, config: Mapping[str, Any]) -> str:
    """The row that a model belongs to: `model_type`, but for what TGI tells apart by the hub id."""
    model_type = str(config.get("model_type"))
    return "gpt_bigcode" if model_type == "gpt2" and hub_id.startswith("bigcode/") else model_type


def implementation(facts: ModelFacts, version: Version) -> Implementation:
    """What a version of TGI runs a model with; TGI recognizes Galactica by its hub id."""
    if facts.hub_id.startswith("facebook/galactica"):
        return Implementation(name="CausalLM+OPT (id-matched, no flash)", backend=Backend.OWN, flash=False)
    if facts.alibi and facts.model_type in _FALCONS:
        return _FALLBACK
    return architecture(facts.model_type).tgi.implementation(version)


def _flash(name: str, **rest: Any) -> TgiSupport:
    return TgiSupport(implementations=(Implementation(name=name, backend=Backend.OWN, flash=True),), **rest)


def _static(name: str, **rest: Any) -> TgiSupport:
    runs_with = Implementation(name=f"{name} (no flash)", backend=Backend.OWN, flash=False)
    return TgiSupport(implementations=(runs_with,), **rest)


def _vision(name: str, **rest: Any) -> TgiSupport:
    return _flash(f"VlmCausalLM {name} (no chunking)", chunks_prefill=False, launcher_reads_sizes=False, **rest)


def _bfloat16(name: str, **rest: Any) -> TgiSupport:
    return _flash(f"{name} (default bf16)", bfloat16=True, **rest)


_FALCONS = ("falcon", "RefinedWeb", "RefinedWebModel")
_FALLBACK = Implementation(name="CausalLM fallback (no flash)", backend=Backend.CAUSAL_LM, flash=False)
_TRANSFORMERS = TgiSupport(
    implementations=(Implementation(name="TransformersFlash fallback", backend=Backend.TRANSFORMERS_FLASH, flash=True),)
)
_LLAMA = Layers(kind="llama")
_DEEPSEEK = ConfigJson(cached_head=192)  # from fields that no config.json has (get_model), so always their defaults
_REFINED_WEB = {"max_position_embeddings": 2048, "tie_word_embeddings": True}

_ROWS = {
    row.model_type: row
    for row in (
        Architecture(model_type="baichuan", tgi=_flash("FlashLlama")),
        Architecture(
            model_type="bloom",
            tgi=_static("CausalLM+Bloom", launcher_reads_sizes=False, launcher_reads_positions=False),
            config=ConfigJson(defaults={"seq_length": 2048}),
            layers=Layers(kind="bloom"),
            gated=False,
            positions="alibi",
        ),
        Architecture(
            model_type="cohere",
            tgi=_flash("FlashCohere"),
            layers=Layers(kind="llama", norms=1, head_norms="use_qk_norm"),
        ),
        Architecture(model_type="cohere2", tgi=_TRANSFORMERS, layers=Layers(kind="llama", norms=1)),
        Architecture(
            model_type="dbrx",
            tgi=_flash("FlashDbrx", launcher_reads_sizes=False, bfloat16=True),
            layers=_LLAMA,
        ),
        Architecture(
            model_type="deepseek_v2",
            tgi=_flash("FlashDeepseekV2", bfloat16=True),
            config=_DEEPSEEK,
            layers=Layers(kind="deepseek"),
        ),
        Architecture(
            model_type="deepseek_v3",
            tgi=_flash("FlashDeepseekV3", bfloat16=True),
            config=_DEEPSEEK,
            layers=Layers(kind="deepseek"),
        ),
        Architecture(
            model_type="falcon",
            tgi=_flash("FlashRW", launcher_reads_sizes=False),
            config=ConfigJson(kv_heads="falcon"),
            layers=Layers(kind="falcon"),
            gated=False,
        ),
        Architecture(
            model_type="gemma",
            tgi=_bfloat16("FlashGemma"),
            layers=_LLAMA,
        ),
        Architecture(
            model_type="gemma2",
            tgi=_bfloat16("FlashGemma2", softcap=True),
            layers=Layers(kind="llama", norms=4),
        ),
        Architecture(
            model_type="gemma3",
            tgi=_vision("Gemma3", default_prefill=8000, bfloat16=True, masks_images=True),
            vision_tower="siglip",
        ),
        Architecture(
            model_type="gemma3_text",
            tgi=_bfloat16("FlashGemma3"),
            config=ConfigJson(stretch_included=True),
            layers=Layers(kind="llama", norms=4, head_norms="per_head_dim"),
        ),
        Architecture(model_type="glm", tgi=_TRANSFORMERS),
        Architecture(
            model_type="gpt2",
            tgi=_flash("FlashGPT2", launcher_reads_sizes=False),
            layers=Layers(kind="gpt2"),
            gated=False,
            positions="learned",
        ),
        Architecture(
            model_type="gpt_bigcode",
            tgi=_flash("FlashSantacoder", launcher_reads_sizes=False, replicates_kv_heads=True),
            config=ConfigJson(kv_heads="bigcode"),
            layers=Layers(kind="gpt2"),
            gated=False,
            positions="learned",
        ),
        Architecture(
            model_type="gpt_neox",
            tgi=_flash("FlashGPTNeoX"),
            layers=Layers(kind="neox"),
            gated=False,
        ),
        Architecture(
            model_type="gptj",
            tgi=_flash("FlashGPTJ", launcher_reads_sizes=False),
            layers=Layers(kind="gptj"),
            gated=False,
        ),
        Architecture(model_type="granite", tgi=_flash("FlashLlama"), layers=_LLAMA),
        Architecture(model_type="helium", tgi=_TRANSFORMERS),
        Architecture(model_type="idefics2", tgi=_vision("Idefics2")),
        Architecture(model_type="idefics3", tgi=_vision("Idefics3")),
        Architecture(model_type="llama", tgi=_flash("FlashLlama"), layers=_LLAMA),
        Architecture(model_type="llama4", tgi=_TRANSFORMERS),
        Architecture(model_type="llava_next", tgi=_vision("LlavaNext")),
        Architecture(model_type="mamba", tgi=_static("Mamba", launcher_reads_sizes=False), positions="relative"),
        Architecture(
            model_type="mistral",
            tgi=_flash("FlashMistral"),
            layers=_LLAMA,
        ),
        Architecture(
            model_type="mixtral",
            tgi=_flash("FlashMixtral"),
            layers=_LLAMA,
        ),
        Architecture(model_type="mllama", tgi=_vision("Mllama", bfloat16=True), vision_tower="mllama"),
        Architecture(
            model_type="mpt",
            tgi=_static("CausalLM+MPT", launcher_reads_sizes=False, ends_at_positions=True),
            layers=Layers(kind="mpt"),
            gated=False,
            positions="alibi",
        ),
        Architecture(model_type="olmo", tgi=_TRANSFORMERS),
        Architecture(model_type="olmo2", tgi=_TRANSFORMERS),
        Architecture(
            model_type="opt",
            tgi=_static("CausalLM+OPT", launcher_reads_sizes=False),
            layers=Layers(kind="opt"),
            gated=False,
            positions="learned",
        ),
        Architecture(model_type="paligemma", tgi=_vision("PaliGemma")),
        Architecture(model_type="phi", tgi=_flash("FlashPhi"), layers=Layers(kind="phi")),
        Architecture(model_type="phi3", tgi=_flash("FlashLlama"), layers=_LLAMA),
        Architecture(model_type="phimoe", tgi=_flash("FlashLlama")),
        Architecture(
            model_type="qwen2", tgi=_flash("Qwen2ForCausalLM (flash)"), layers=Layers(kind="llama", qkv_bias=True)
        ),
        Architecture(model_type="qwen2_5_vl", tgi=_vision("Qwen2.5VL", default_prefill=10_000)),
        Architecture(model_type="qwen2_vl", tgi=_vision("Qwen2VL", default_prefill=10_000, bfloat16=True)),
        Architecture(
            model_type="qwen3",
            tgi=_TRANSFORMERS,
            layers=Layers(kind="llama", head_norms="per_head_dim"),
        ),
        Architecture(model_type="qwen3_moe", tgi=_TRANSFORMERS, layers=Layers(kind="llama", head_norms="per_head_dim")),
        Architecture(
            model_type="RefinedWeb",  # Falcon 40B before transformers had it
            tgi=_flash("FlashRW"),
            config=ConfigJson(defaults={**_REFINED_WEB, "new_decoder_architecture": True}, kv_heads="falcon"),
            layers=Layers(kind="falcon"),
        ),
        Architecture(
            model_type="RefinedWebModel",  # Falcon 7B before transformers had it
            tgi=_flash("FlashRW"),
            config=ConfigJson(defaults=_REFINED_WEB, kv_heads="falcon"),
            layers=Layers(kind="falcon"),
        ),
        Architecture(
            model_type="starcoder2",
            tgi=_flash("FlashStarcoder2"),
            layers=Layers(kind="neox"),
        ),
        Architecture(
            model_type="t5",
            tgi=_static("Seq2SeqLM+T5", launcher_reads_sizes=False, decodes_from_one_token=True),
            config=ConfigJson(defaults={"n_positions": 512}, layers=("num_decoder_layers",)),
            layers=Layers(kind="t5"),
            positions="relative",
        ),
    )
}
"""By `model_type`."""
