"""How TGI 3.3 runs an architecture.

Source: `get_model` of TGI 3.3.6 `server/text_generation_server/models/__init__.py`, and for what it leaves to
transformers, the classes of transformers 4.51.0 that have `_supports_attention_backend`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FLASH = {
    "baichuan": "FlashLlama",
    "cohere": "FlashCohere",
    "dbrx": "FlashDbrx",
    "deepseek_v2": "FlashDeepseekV2",
    "deepseek_v3": "FlashDeepseekV3",
    "gemma": "FlashGemma (default bf16)",
    "gemma2": "FlashGemma2 (default bf16)",
    "gemma3_text": "FlashGemma3 (default bf16)",
    "gpt2": "FlashGPT2",
    "gpt_bigcode": "FlashSantacoder",
    "gpt_neox": "FlashGPTNeoX",
    "gptj": "FlashGPTJ",
    "granite": "FlashLlama",
    "llama": "FlashLlama",
    "mistral": "FlashMistral",
    "mixtral": "FlashMixtral",
    "phi": "FlashPhi",
    "phi3": "FlashLlama",
    "phimoe": "FlashLlama",
    "qwen2": "Qwen2ForCausalLM (flash)",
    "starcoder2": "FlashStarcoder2",
    "gemma3": "VlmCausalLM Gemma3 (no chunking)",
    "idefics2": "VlmCausalLM Idefics2 (no chunking)",
    "idefics3": "VlmCausalLM Idefics3 (no chunking)",
    "llava_next": "VlmCausalLM LlavaNext (no chunking)",
    "mllama": "VlmCausalLM Mllama (no chunking)",
    "paligemma": "VlmCausalLM PaliGemma (no chunking)",
    "qwen2_vl": "VlmCausalLM Qwen2VL (no chunking)",
    "qwen2_5_vl": "VlmCausalLM Qwen2.5VL (no chunking)",
}
_STATIC = {
    "bloom": "CausalLM+Bloom (no flash)",
    "mamba": "Mamba (no flash)",
    "mpt": "CausalLM+MPT (no flash)",
    "opt": "CausalLM+OPT (no flash)",
    "t5": "Seq2SeqLM+T5 (no flash)",
}
_TRANSFORMERS_FLASH = ("cohere2", "glm", "helium", "llama4", "olmo", "olmo2", "qwen3", "qwen3_moe")
_FALCON = ("falcon", "RefinedWeb", "RefinedWebModel")


def implementation(hub_id: str, config: Mapping[str, Any]) -> tuple[str, bool]:
    """What TGI runs a model with, and whether that has paged attention.

    Args:
        hub_id: Repository on the hub; TGI knows Galactica and SantaCoder by it.
        config: Its config.json.
    """
    kind = str(config.get("model_type"))
    if hub_id.startswith("facebook/galactica"):
        return "CausalLM+OPT (id-matched, no flash)", False
    if kind == "gpt2" and hub_id.startswith("bigcode/"):
        return _FLASH["gpt_bigcode"], True
    if kind in _FALCON:
        return ("CausalLM fallback (no flash)", False) if config.get("alibi") else ("FlashRW", True)
    if kind in _FLASH:
        return _FLASH[kind], True
    if kind in _STATIC:
        return _STATIC[kind], False
    if kind in _TRANSFORMERS_FLASH:
        return "none → TransformersFlash fallback", True
    return "none → CausalLM fallback (no flash)", False
