"""Models that see images besides text."""

from __future__ import annotations

from dataclasses import replace

from constructs_lib.planning.models.architecture import Architecture, TgiSupport
from constructs_lib.planning.models.architectures.support import vision
from constructs_lib.planning.models.fallbacks import TRANSFORMERS_FLASH

_CHUNKS_SINCE = (3, 3, 0)
"""From then on `VlmCausalLM` splits prompts unless `get_model` says otherwise for the model."""

ROWS = (
    Architecture(
        model_type="gemma3",
        tgi=vision((3, 2, 0), "Gemma3", default_prefill=8000, bfloat16=True, masks_images=True, always_windowed=True),
        vision_tower="siglip",
    ),
    Architecture(model_type="idefics2", tgi=vision((2, 0, 2), "Idefics2", chunks_since=_CHUNKS_SINCE)),
    Architecture(model_type="idefics3", tgi=vision((3, 0, 2), "Idefics3", chunks_since=_CHUNKS_SINCE, bfloat16=True)),
    Architecture(
        model_type="llama4",  # named since v3.2.2, whose transformers 4.49.0 does not have it
        tgi=TgiSupport(
            implementations=(replace(TRANSFORMERS_FLASH, since=(3, 2, 3), reads_images=True),), bfloat16=True
        ),
    ),
    Architecture(model_type="llava_next", tgi=vision((2, 0, 0), "LlavaNext", chunks_since=_CHUNKS_SINCE)),
    Architecture(model_type="mllama", tgi=vision((2, 3, 1), "Mllama", bfloat16=True), vision_tower="mllama"),
    Architecture(model_type="paligemma", tgi=vision((2, 0, 3), "PaliGemma", chunks_since=_CHUNKS_SINCE, bfloat16=True)),
    Architecture(model_type="qwen2_5_vl", tgi=vision((3, 1, 1), "Qwen2.5VL", default_prefill=10_000, bfloat16=True)),
    Architecture(model_type="qwen2_vl", tgi=vision((2, 4, 1), "Qwen2VL", default_prefill=10_000, bfloat16=True)),
)
