"""One stack per model that is better served by vLLM than by TGI, or by vLLM alone.

Instances are chosen as in `stacks.presets`, but for Blackwell GPUs, on which vLLM runs.
"""

from __future__ import annotations

from typing import Final

from constructs_lib import InstanceType, VllmOptions
from stacks.preset import Preset, PresetStack

_VLLM = "VllmEndpoint"


class LlamaVllmStack(PresetStack):
    """Llama 3.1 8B Instruct on one A10G with 24 GB, as `LlamaTgiStack`: for comparing both, and for the way on."""

    preset = Preset(
        name="llama",
        model_id="meta-llama/Llama-3.1-8B-Instruct",
        instance_type=InstanceType.G5_2XLARGE,
        endpoint=_VLLM,
        options=VllmOptions(max_model_len=16_384, tool_call_parser="llama3_json"),
        gated=True,
    )


class GptOssVllmStack(PresetStack):
    """gpt-oss 20B on one L4 with 24 GB. TGI cannot run it: neither TGI nor its transformers has the architecture."""

    preset = Preset(
        name="gpt-oss",
        model_id="openai/gpt-oss-20b",
        instance_type=InstanceType.G6_XLARGE,
        endpoint=_VLLM,
        options=VllmOptions(max_model_len=32_768, tool_call_parser="openai", reasoning_parser="openai_gptoss"),
    )


class MistralSmallVllmStack(PresetStack):
    """Mistral Small 3.2 24B, which reads images, on one RTX PRO 6000 with 96 GB.

    TGI cannot run it: it does not have the architecture mistral3, and the repository has no tokenizer but Mistral's
    own.
    """

    preset = Preset(
        name="mistral-small",
        model_id="mistralai/Mistral-Small-3.2-24B-Instruct-2506",
        instance_type=InstanceType.G7E_2XLARGE,
        endpoint=_VLLM,
        options=VllmOptions(
            max_model_len=32_768,
            tokenizer_mode="mistral",
            config_format="mistral",
            load_format="mistral",
            tool_call_parser="mistral",
            limit_mm_per_prompt={"image": 4},
        ),
    )


class Qwen3VllmStack(PresetStack):
    """Qwen3 8B on one L40S with 48 GB.

    TGI runs it as well. vLLM is the better engine for it: it tells thoughts from answers, which TGI gives as one text,
    and it reads the model's own tool calls, where TGI's grammar leaves no room for thoughts before a call.
    """

    preset = Preset(
        name="qwen3",
        model_id="Qwen/Qwen3-8B",
        instance_type=InstanceType.G6E_XLARGE,
        endpoint=_VLLM,
        options=VllmOptions(max_model_len=32_768, tool_call_parser="hermes", reasoning_parser="qwen3"),
    )


VLLM_PRESETS: Final[tuple[type[PresetStack], ...]] = (
    LlamaVllmStack,
    GptOssVllmStack,
    MistralSmallVllmStack,
    Qwen3VllmStack,
)
"""All presets on vLLM."""
