"""One stack per model, each with only its differences.

Each model runs as published, not quantized, on the cheapest instance type per hour that has a tenth of its memory to
spare by the plan of `python -m constructs_lib plan`. GPUs older than Ampere are excluded, as TGI falls back to slower
kernels on them, and Blackwell GPUs, as TGI was never built for them.

The limits keep a single request from using the entire KV cache, which TGI would allow. The models without paged
attention (BLOOM, FLAN-T5, Galactica, OPT) need all four limits: TGI measures nothing for them, and would allow batches
of 16000 tokens.
"""

from __future__ import annotations

from typing import Final

from constructs_lib import InstanceType, TgiOptions
from stacks.preset import Preset, PresetStack
from stacks.vllm_presets import VLLM_PRESETS


class BloomTgiStack(PresetStack):
    """BLOOM, 176 billion parameters: 329 GiB on eight A100 with 80 GB."""

    preset = Preset(
        name="bloom",
        model_id="bigscience/bloom",
        instance_type=InstanceType.P4DE_24XLARGE,
        # Each token of a batch takes 3.8 MiB over all GPUs, and twice that while a step copies it.
        options=TgiOptions(
            max_input_tokens=1024, max_total_tokens=2048, max_batch_prefill_tokens=2048, max_batch_total_tokens=8192
        ),
    )


class FlanT5TgiStack(PresetStack):
    """FLAN-T5 XXL, 11 billion parameters, an encoder-decoder model, on one L40S with 48 GB."""

    preset = Preset(
        name="flan-t5",
        model_id="google/flan-t5-xxl",
        instance_type=InstanceType.G6E_XLARGE,
        # From 2.4.1 on TGI does not start encoder-decoder models with limits.
        version="2.4.0",
        # Its positions are relative, so prompts may exceed the 512 tokens to which TGI would limit them.
        options=TgiOptions(
            max_input_tokens=1024, max_total_tokens=1536, max_batch_prefill_tokens=2048, max_batch_total_tokens=8192
        ),
    )


class GalacticaTgiStack(PresetStack):
    """Galactica, 120 billion parameters, on eight A100 with 40 GB. Its licence prohibits commercial use."""

    preset = Preset(
        name="galactica",
        model_id="facebook/galactica-120b",
        instance_type=InstanceType.P4D_24XLARGE,
        # The weights leave 4 GiB of each GPU: enough for one request of full length or several short ones.
        options=TgiOptions(
            max_input_tokens=1024, max_total_tokens=2048, max_batch_prefill_tokens=1024, max_batch_total_tokens=2048
        ),
    )


class GptNeoxTgiStack(PresetStack):
    """GPT-NeoX 20B on four L4 with 24 GB."""

    preset = Preset(
        name="gpt-neox",
        model_id="EleutherAI/gpt-neox-20b",
        instance_type=InstanceType.G6_12XLARGE,
        options=TgiOptions(max_input_tokens=1536, max_total_tokens=2048),
    )


class LlamaTgiStack(PresetStack):
    """Llama 3.1 8B Instruct on one A10G with 24 GB."""

    preset = Preset(
        name="llama",
        model_id="meta-llama/Llama-3.1-8B-Instruct",
        # An L4 is a quarter cheaper, but has half the memory bandwidth, and so half the generation speed.
        instance_type=InstanceType.G5_2XLARGE,
        options=TgiOptions(max_input_tokens=12_288, max_total_tokens=16_384),
        gated=True,
    )


class OptTgiStack(PresetStack):
    """OPT 66B on four L40S with 48 GB. Its licence prohibits commercial use."""

    preset = Preset(
        name="opt",
        model_id="facebook/opt-66b",
        instance_type=InstanceType.G6E_12XLARGE,
        # As for Galactica: one request of full length or several short ones.
        options=TgiOptions(
            max_input_tokens=1024, max_total_tokens=2048, max_batch_prefill_tokens=1024, max_batch_total_tokens=2048
        ),
    )


class SantacoderTgiStack(PresetStack):
    """SantaCoder, 1.1 billion parameters for code, on one L4 with 24 GB."""

    preset = Preset(
        name="santacoder",
        model_id="bigcode/santacoder",
        instance_type=InstanceType.G6_XLARGE,
        options=TgiOptions(max_input_tokens=1536, max_total_tokens=2048),
    )


class StarcoderTgiStack(PresetStack):
    """StarCoder, 15.5 billion parameters for code, on one L40S with 48 GB."""

    preset = Preset(
        name="starcoder",
        model_id="bigcode/starcoder",
        instance_type=InstanceType.G6E_XLARGE,
        options=TgiOptions(max_input_tokens=6144, max_total_tokens=8192),
        gated=True,
    )


class Falcon7bTgiStack(PresetStack):
    """Falcon 7B on one L4 with 24 GB; its 71 attention heads cannot be divided among GPUs."""

    preset = Preset(
        name="falcon-7b",
        model_id="tiiuae/falcon-7b",
        instance_type=InstanceType.G6_XLARGE,
        options=TgiOptions(max_input_tokens=1536, max_total_tokens=2048),
    )


class Falcon40bTgiStack(PresetStack):
    """Falcon 40B on four L40S with 48 GB."""

    preset = Preset(
        name="falcon-40b",
        model_id="tiiuae/falcon-40b",
        instance_type=InstanceType.G6E_12XLARGE,
        options=TgiOptions(max_input_tokens=1536, max_total_tokens=2048),
    )


class MistralTgiStack(PresetStack):
    """Mistral 7B Instruct on one L4 with 24 GB."""

    preset = Preset(
        name="mistral",
        model_id="mistralai/Mistral-7B-Instruct-v0.3",
        instance_type=InstanceType.G6_XLARGE,
        options=TgiOptions(max_input_tokens=12_288, max_total_tokens=16_384),
        # The hub has required contact details for some revisions; a missing secret fails sooner than a download.
        gated=True,
    )


class QwenTgiStack(PresetStack):
    """Qwen2.5 7B Instruct on one L4 with 24 GB."""

    preset = Preset(
        name="qwen",
        model_id="Qwen/Qwen2.5-7B-Instruct",
        instance_type=InstanceType.G6_XLARGE,
        options=TgiOptions(max_input_tokens=12_288, max_total_tokens=16_384),
    )


class GemmaTgiStack(PresetStack):
    """Gemma 2 9B on one L40S with 48 GB; with 24 GB its 256000 embeddings leave too little memory for a prompt."""

    preset = Preset(
        name="gemma",
        model_id="google/gemma-2-9b-it",
        instance_type=InstanceType.G6E_XLARGE,
        options=TgiOptions(max_input_tokens=6144, max_total_tokens=8192),
        gated=True,
    )


class Phi4TgiStack(PresetStack):
    """Phi-4, 14.7 billion parameters, on one L40S with 48 GB; 4 or 8 GPUs cannot divide its 10 key-value heads."""

    preset = Preset(
        name="phi-4",
        model_id="microsoft/phi-4",
        instance_type=InstanceType.G6E_XLARGE,
        options=TgiOptions(max_input_tokens=12_288, max_total_tokens=16_384),
    )


class Llama70bTgiStack(PresetStack):
    """Llama 3.3 70B Instruct on four L40S with 48 GB."""

    preset = Preset(
        name="llama-70b",
        model_id="meta-llama/Llama-3.3-70B-Instruct",
        instance_type=InstanceType.G6E_12XLARGE,
        options=TgiOptions(max_input_tokens=6144, max_total_tokens=8192),
        gated=True,
    )


PRESETS: Final[tuple[type[PresetStack], ...]] = (
    BloomTgiStack,
    FlanT5TgiStack,
    GalacticaTgiStack,
    GptNeoxTgiStack,
    LlamaTgiStack,
    OptTgiStack,
    SantacoderTgiStack,
    StarcoderTgiStack,
    Falcon7bTgiStack,
    Falcon40bTgiStack,
    MistralTgiStack,
    QwenTgiStack,
    GemmaTgiStack,
    Phi4TgiStack,
    Llama70bTgiStack,
    *VLLM_PRESETS,
)
"""All presets, those of the article first, those on another engine than TGI last."""
