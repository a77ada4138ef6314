"""The options of TGI's launcher, as typed keywords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from constructs_lib.planning.engines.tgi.option_names import OTHER_NAMES


class Quantization(StrEnum):
    """How the weights are compressed.

    `AWQ`, `GPTQ`, `MARLIN`, `EXL2` and `COMPRESSED_TENSORS` need weights that were published in that format. The others
    compress while loading, so the full weights are still downloaded and read.
    """

    AWQ = "awq"
    COMPRESSED_TENSORS = "compressed-tensors"
    EETQ = "eetq"
    EXL2 = "exl2"
    GPTQ = "gptq"
    MARLIN = "marlin"
    BITSANDBYTES = "bitsandbytes"
    BITSANDBYTES_NF4 = "bitsandbytes-nf4"
    BITSANDBYTES_FP4 = "bitsandbytes-fp4"
    FP8 = "fp8"


BITSANDBYTES = (Quantization.BITSANDBYTES, Quantization.BITSANDBYTES_NF4, Quantization.BITSANDBYTES_FP4)

ON_THE_FLY = frozenset(
    {
        Quantization.BITSANDBYTES,
        Quantization.BITSANDBYTES_NF4,
        Quantization.BITSANDBYTES_FP4,
        Quantization.EETQ,
        Quantization.FP8,
    }
)
"""Kinds that TGI makes itself while it loads; the others need weights that were published in that format."""


class Dtype(StrEnum):
    """Type in which the model computes."""

    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"


class KvCacheDtype(StrEnum):
    """Type of the key-value cache's entries."""

    FP8_E4M3FN = "fp8_e4m3fn"
    FP8_E5M2 = "fp8_e5m2"


class RopeScaling(StrEnum):
    """How rotary positions are stretched for prompts longer than the model was trained for."""

    LINEAR = "linear"
    DYNAMIC = "dynamic"


class UsageStats(StrEnum):
    """What TGI reports to Hugging Face about its use; `NO_STACK` leaves out stack traces of crashes."""

    ON = "on"
    OFF = "off"
    NO_STACK = "no-stack"


class Attention(StrEnum):
    """Attention kernels. `PAGED` is the one that runs on GPUs older than Ampere."""

    FLASHINFER = "flashinfer"
    FLASHDECODING = "flashdecoding"
    PAGED = "paged"


class LogLevel(StrEnum):
    """How much TGI logs."""

    WARN = "warn"
    INFO = "info"
    DEBUG = "debug"


@dataclass(frozen=True, kw_only=True)
class TgiOptions:
    """Options of TGI's launcher; one that is left out (None) has TGI's own default, which is described with it.

    An option that the chosen version does not have is a problem at synth. Source of the meanings and defaults: TGI
    3.3 `launcher/src/main.rs`; for older versions, the same file at their tags.

    Args:
        num_shard: GPUs that share the model (tensor parallelism). Default: every GPU of the instance; the number must
            divide the model's attention heads.
        sharded: True insists on more than one shard; False means one shard. Default: as num_shard says.
        quantize: Compression of the weights. Default: that of the checkpoint's config.json, if any.
        dtype: Type in which the model computes; not together with quantize, bitsandbytes excepted. Default: float16,
            bfloat16 for gemma, deepseek, dbrx, qwen2-vl and mllama.
        kv_cache_dtype: Type of the key-value cache. Default: the model's. TGI 2.4.0 and later.
        speculate: Tokens to guess ahead, by the model's medusa heads, else from n-grams. Switches prefill chunking
            off. Default: 0, or what the model's heads offer.
        trust_remote_code: Runs Python code of the model's repository inside the container. Default: False.
        max_input_tokens: Longest prompt, in tokens; set it together with max_total_tokens. Default: max_total_tokens
            less 1 from 3.0 on, at most 4095 from 2.0 on, 1024 from 0.9 on, 1000 before.
        max_total_tokens: Longest prompt and answer together, in tokens. Default: what fits the GPU's memory and the
            model from 3.0 on, at most 4096 from 2.0 on, 2048 from 0.9 on, 1512 before.
        max_batch_prefill_tokens: Maximum number of prompt tokens in one prefill. TGI 0.9 and later. Default: by the
            GPU's speed and free memory from 3.0 on, max_input_tokens and 50 more from 2.0 on, 4096 before; where a
            prompt has to fit one prefill we set at least max_input_tokens, which TGI requires.
        max_batch_total_tokens: Maximum number of tokens in one batch; models with flash attention ignore it from 0.9.4
            on. Default: what fits the GPU's memory; 16000 in 0.9.3, 32000 before.
        max_batch_size: Maximum number of requests in one batch. Default: no limit.
        max_concurrent_requests: Concurrent requests in the container; more get 429 "Model is overloaded". Default: 128.
        max_waiting_tokens: Tokens to decode before waiting requests interrupt the batch. Default: 20.
        waiting_served_ratio: Ratio of waiting to running requests at which the batch is interrupted. Default: 0.3, or
            1.2 before 2.0.2.
        max_best_of: Largest best_of of a request. Default: 2.
        max_stop_sequences: Maximum number of stop sequences of a request. Default: 4.
        max_top_n_tokens: Largest top_n_tokens, and top_logprobs of a chat. Default: 5.
        max_client_batch_size: Maximum number of prompts in one /v1/completions request. Default: 4.
        validation_workers: Threads that tokenize and check requests. Default: 2.
        cuda_graphs: Batch sizes to capture as CUDA graphs; empty for none. Default: 1, 2, 4, 8, 16, 32; none with
            bitsandbytes, exl2 and LoRA.
        cuda_memory_fraction: Share of the GPU's memory to use, above 0 up to 1. Default: 1.0.
        tgi_wiggle_room: Share of that memory that TGI fills, between 0 and 1. Default: 0.90.
        attention: Attention kernels. Default: flashinfer, or what the model's head size needs; we set `paged` for
            GPUs older than Ampere, such as T4.
        prefix_caching: Keeps the key-value cache of prompts for later ones that begin the same. Default: True,
            False for vision models, T5, LoRA and paged attention.
        prefill_chunking: Splits long prompts over several batches. Default: True from 3.0 on.
        disable_custom_kernels: Leaves out the hand-written kernels of BLOOM and GPT-NeoX. Default: False.
        rope_scaling: How positions are stretched. Default: not at all, or linearly if rope_factor is set.
        rope_factor: By how much. Default: 1.0.
        lora_adapters: Adapters to load: `id`, `id@revision`, `name=/path`. A request picks one by adapter_id or, in a
            chat, by model; an unknown name is silently answered by the base model. Default: none.
        disable_grammar_support: Refuses guided generation (`grammar`, `response_format`). Default: False.
        enable_prefill_logprobs: Computes log probabilities of the prompt's tokens, which costs memory. Default: False.
        tokenizer_config_path: File or hub id with the tokenizer_config.json whose chat_template is used. Default: the
            model's.
        payload_limit: Largest request body, in bytes. Default: 6291456, SageMaker's own limit (TGI's is 2000000).
            Before 2.4.1 fixed to 2097152.
        messages_api_enabled: Makes the endpoint accept only chat requests. Default: False. TGI 1.4.0 to 2.3.1; later
            versions accept all kinds of requests, with or without it.
        usage_stats: What TGI reports to Hugging Face. Default: off (TGI's is on).
        watermark_gamma: Share of the vocabulary that a watermark favours. Default: 0.5.
        watermark_delta: How strongly it favours them. Default: 2.0.
        huggingface_hub_cache: Folder for downloaded weights. Default: /tmp, the instance's storage volume.
        weights_cache_override: Folder with weights that were downloaded before. Default: none.
        json_output: Logs as JSON. Default: False.
        log_level: How much TGI logs. Default: info.
        otlp_endpoint: OpenTelemetry collector for traces, such as `http://collector:4317`. Default: no traces.
        otlp_service_name: Service name in those traces. Default: text-generation-inference.router.
        cors_allow_origin: Origin that browsers may call the container from; SageMaker callers never see it. Default:
            any.
        prometheus_port: Second port of the metrics. Default: 9000.
        graceful_termination_timeout: Seconds to finish running requests when the container stops. Default: 90.
        shard_uds_path: Prefix of the sockets between router and shards. Default: /tmp/text-generation-server.
        master_addr: Address at which the shards meet. Default: localhost.
        master_port: Its port. Default: 29500.
    """

    num_shard: int | None = None
    sharded: bool | None = None
    quantize: Quantization | None = None
    dtype: Dtype | None = None
    kv_cache_dtype: KvCacheDtype | None = None
    speculate: int | None = None
    trust_remote_code: bool | None = None
    max_input_tokens: int | None = None
    max_total_tokens: int | None = None
    max_batch_prefill_tokens: int | None = None
    max_batch_total_tokens: int | None = None
    max_batch_size: int | None = None
    max_concurrent_requests: int | None = None
    max_waiting_tokens: int | None = None
    waiting_served_ratio: float | None = None
    max_best_of: int | None = None
    max_stop_sequences: int | None = None
    max_top_n_tokens: int | None = None
    max_client_batch_size: int | None = None
    validation_workers: int | None = None
    cuda_graphs: Sequence[int] | None = None
    cuda_memory_fraction: float | None = None
    tgi_wiggle_room: float | None = None
    attention: Attention | None = None
    prefix_caching: bool | None = None
    prefill_chunking: bool | None = None
    disable_custom_kernels: bool | None = None
    rope_scaling: RopeScaling | None = None
    rope_factor: float | None = None
    lora_adapters: Sequence[str] | None = None
    disable_grammar_support: bool | None = None
    enable_prefill_logprobs: bool | None = None
    tokenizer_config_path: str | None = None
    payload_limit: int | None = None
    messages_api_enabled: bool | None = None
    usage_stats: UsageStats | None = None
    watermark_gamma: float | None = None
    watermark_delta: float | None = None
    huggingface_hub_cache: str | None = None
    weights_cache_override: str | None = None
    json_output: bool | None = None
    log_level: LogLevel | None = None
    otlp_endpoint: str | None = None
    otlp_service_name: str | None = None
    cors_allow_origin: str | None = None
    prometheus_port: int | None = None
    graceful_termination_timeout: int | None = None
    shard_uds_path: str | None = None
    master_addr: str | None = None
    master_port: int | None = None

    def __new__(cls, *_: object, **options: object) -> Self:
        """Explain all names that are no options at once; Python itself would only say which one is the first.

        Raises:
            TypeError: There is no option of that name.
        """
        if explained := OTHER_NAMES.explain(options, cls.__dataclass_fields__):
            raise TypeError(explained)
        return super().__new__(cls)
