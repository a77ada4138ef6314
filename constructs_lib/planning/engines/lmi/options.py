"""The options of DJL LMI, as typed keywords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from constructs_lib.planning.engines.lmi.option_names import OTHER_NAMES


class LmiDtype(StrEnum):
    """Type in which the model computes."""

    FLOAT16 = "fp16"
    BFLOAT16 = "bf16"
    FLOAT32 = "fp32"


class LmiKvCacheDtype(StrEnum):
    """Type of the key-value cache's entries; `FP8` is the one of the two that vLLM prefers."""

    FP8 = "fp8"
    FP8_E4M3 = "fp8_e4m3"
    FP8_E5M2 = "fp8_e5m2"


class LmiQuantization(StrEnum):
    """How the weights are compressed.

    `FP8` and `BITSANDBYTES` compress weights while they are loaded. The others need weights that were published in that
    format, for which vLLM needs no option: it reads config.json, and chooses the fastest kernels.
    """

    AWQ = "awq"
    AWQ_MARLIN = "awq_marlin"
    BITSANDBYTES = "bitsandbytes"
    COMPRESSED_TENSORS = "compressed-tensors"
    FP8 = "fp8"
    GPTQ = "gptq"
    GPTQ_MARLIN = "gptq_marlin"


@dataclass(frozen=True, kw_only=True)
class LmiOptions:
    """Options of DJL LMI and of the vLLM in it; one that is left out (None) has the default that is described with it.

    Options are variables here (`OPTION_MAX_MODEL_LEN`). A serving.properties beside the weights wins over them. Source
    of the meanings and defaults: deepjavalibrary/djl-serving serving/docs/lmi and
    `engines/python/setup/djl_python/properties_manager/vllm_rb_properties.py` at 0.36, vLLM `vllm/engine/arg_utils.py`.

    Args:
        tensor_parallel_degree: GPUs that share the model. With less than the instance has, LMI runs as many copies of
            the model as the GPUs have room for. Default: every GPU of the instance; the number must divide the model's
            attention heads.
        max_model_len: Longest prompt and answer together, in tokens. Default: what the model's config.json says, or
            less if the memory plan says that the cache cannot hold that: vLLM would not start.
        max_rolling_batch_size: Most requests that run at one time (vLLM's max_num_seqs). Default: 256 (LMI's own is
            32), or less if the memory plan says so.
        max_rolling_batch_prefill_tokens: Most tokens in one step (vLLM's max_num_batched_tokens). Default: by the GPU's
            memory, 2048 to 16384.
        gpu_memory_utilization: Share of the GPU's memory that vLLM fills, above 0 up to 1. Default: 0.9, from LMI 25 on
            0.92.
        kv_cache_memory_bytes: Bytes of the cache instead of that share. LMI 16 and later. Default: none.
        kv_cache_dtype: Type of the key-value cache. Default: the model's.
        dtype: Type in which the model computes. Default: float16 for weights in float32 and float16, else bfloat16.
        quantize: Compression of the weights. Default: that of the checkpoint's config.json, if any.
        enforce_eager: Runs without CUDA graphs: a faster start, slower answers. Default: False.
        enable_prefix_caching: Keeps the cache of prompts for later ones that begin the same. Default: True.
        enable_chunked_prefill: Splits long prompts over several steps. Default: True.
        load_format: Format of the weights' files. Default: safetensors, else PyTorch's.
        trust_remote_code: Runs Python code of the model's repository inside the container. Default: False.
        hf_overrides: Changes of the model's config.json, as a JSON object. Default: none.
        limit_mm_per_prompt: Most images and other media of a prompt, as a JSON object. Default: vLLM's.
        generation_config: Where sampling parameters come from that a request leaves out. `vllm`: those of OpenAI's
            API, as with TGI, temperature 1 among them. `auto`: the model's generation_config.json, so that another
            model may answer at another temperature. Default: vllm (vLLM's own is auto).
        chat_template: Path of a template, or its text. Default: the model's.
        tool_call_parser: How the model writes tool calls, such as `llama3_json` or `hermes`; the model may then choose
            tools by itself. Without it a front door refuses requests with tools. Default: none.
        reasoning_parser: How the model marks its thoughts, such as `deepseek_r1` or `qwen3`. Default: none, they are
            part of the answer.
        speculative_config: How tokens are guessed ahead, as a JSON object. Default: not at all.
        max_logprobs: Largest top_logprobs of a request. Default: 20.
        cpu_offload_gb: Gigabytes of weights on each GPU that stay in the host's memory. Default: 0.
        enable_lora: Takes LoRA adapters: those in the folder `adapters` beside the weights. LMI then runs one copy of
            the model only. Default: False.
        max_loras: Most adapters in one batch. Default: 4.
        max_lora_rank: Largest rank of an adapter. Default: 16.
        max_cpu_loras: Most adapters in the host's memory. Default: max_loras.
        lmcache_auto_config: Keeps parts of the cache in the host's memory and on its disk, with sizes that LMI chooses.
            LMI 19 and later. Default: False.
        model_loading_timeout: Seconds until the model must be loaded; not more than `startup_timeout` of the endpoint.
            Default: that time (LMI's own is 1200).
        predict_timeout: Seconds that a request may take where LMI waits for a whole answer, such as that of a
            `model.py` of your own. Default: 480, as long as SageMaker keeps a stream open (LMI's own is 240).
        chunked_read_timeout: Seconds that a request may wait for its first token, or between two of them; after that
            LMI cuts the connection. Default: 480 (LMI's own is 120).
        extra_args: Further arguments of vLLM's engine by their names with underscores, such as `{"seed": "7"}`. One
            that an option covers is refused, and so is one that the vLLM of this version does not have, as LMI drops it
            without a word. Everything is printed to the container's log. Clients of TGI get its log probabilities with
            `{"logprobs_mode": "processed_logprobs"}`. Default: none.
    """

    tensor_parallel_degree: int | None = None
    max_model_len: int | None = None
    max_rolling_batch_size: int | None = None
    max_rolling_batch_prefill_tokens: int | None = None
    gpu_memory_utilization: float | None = None
    kv_cache_memory_bytes: int | None = None
    kv_cache_dtype: LmiKvCacheDtype | None = None
    dtype: LmiDtype | None = None
    quantize: LmiQuantization | None = None
    enforce_eager: bool | None = None
    enable_prefix_caching: bool | None = None
    enable_chunked_prefill: bool | None = None
    load_format: str | None = None
    trust_remote_code: bool | None = None
    hf_overrides: str | None = None
    limit_mm_per_prompt: str | None = None
    generation_config: str | None = None
    chat_template: str | None = None
    tool_call_parser: str | None = None
    reasoning_parser: str | None = None
    speculative_config: str | None = None
    max_logprobs: int | None = None
    cpu_offload_gb: int | None = None
    enable_lora: bool | None = None
    max_loras: int | None = None
    max_lora_rank: int | None = None
    max_cpu_loras: int | None = None
    lmcache_auto_config: bool | None = None
    model_loading_timeout: int | None = None
    predict_timeout: int | None = None
    chunked_read_timeout: int | None = None
    extra_args: Mapping[str, str] | None = None

    def __new__(cls, *_: object, **options: object) -> Self:
        """Explain all names that are no options at once; Python itself would only say which one is the first.

        Raises:
            TypeError: There is no option of that name.
        """
        if explained := OTHER_NAMES.explain(options, cls.__dataclass_fields__):
            raise TypeError(explained)
        return super().__new__(cls)
