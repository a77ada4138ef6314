"""The options of SGLang's server, as typed keywords."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from constructs_lib.planning.engines.sglang.option_names import OTHER_NAMES


class SglangDtype(StrEnum):
    """Type in which the model computes."""

    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"


class SglangKvCacheDtype(StrEnum):
    """Type of the key-value cache's entries."""

    FP8_E4M3 = "fp8_e4m3"
    FP8_E5M2 = "fp8_e5m2"


class SglangQuantization(StrEnum):
    """How the weights are compressed.

    `FP8`, `W8A8_FP8` and `BITSANDBYTES` compress weights while they are loaded. The others need weights that were
    published in that format, for which SGLang needs no option: it reads config.json.
    """

    AWQ = "awq"
    AWQ_MARLIN = "awq_marlin"
    BITSANDBYTES = "bitsandbytes"
    COMPRESSED_TENSORS = "compressed-tensors"
    FP8 = "fp8"
    GGUF = "gguf"
    GPTQ = "gptq"
    GPTQ_MARLIN = "gptq_marlin"
    MODELOPT = "modelopt"
    MODELOPT_FP4 = "modelopt_fp4"
    MODELOPT_FP8 = "modelopt_fp8"
    MOE_WNA16 = "moe_wna16"
    MXFP4 = "mxfp4"
    W4AFP8 = "w4afp8"
    W8A8_FP8 = "w8a8_fp8"
    W8A8_INT8 = "w8a8_int8"


class SamplingDefaults(StrEnum):
    """Where sampling parameters come from that a request leaves out.

    `MODEL`: the model's generation_config.json, so that another model, or another revision, may answer at another
    temperature. `OPENAI`: temperature 1 and top_p 1, as OpenAI's API and TGI have them.
    """

    MODEL = "model"
    OPENAI = "openai"


class SglangLogLevel(StrEnum):
    """How much SGLang logs."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class SglangOptions:
    """Options of SGLang's server; one that is left out (None) has SGLang's own default, which is described with it.

    An option that the chosen version does not have is a problem at synth. Source of the meanings and defaults: SGLang
    0.5.20 `python/sglang/srt/arg_groups/fields/*.py`, before 0.5.19 `python/sglang/srt/server_args.py`.

    Args:
        tp_size: GPUs that share the model (tensor parallelism). Default: every GPU of the instance (SGLang's own is 1,
            which leaves the others idle); the number must divide the model's attention heads.
        dp_size: Copies of the model on the instance, each on `tp_size` GPUs, which then has to be given. Default: 1.
        context_length: Longest prompt and answer together, in tokens. Default: what the model's config.json says, or
            less if the memory plan says that the cache cannot hold that.
        mem_fraction_static: Share of the GPU's free memory for weights and cache, above 0 and below 1; what a prefill
            and the CUDA graphs take has to fit in the rest. Default: by version and GPU, 0.76 to 0.91.
        max_running_requests: Most requests that run at one time. Default: by the size of the cache.
        max_queued_requests: Most requests that wait; more get 503 "The request queue is full.". Default: 128 (SGLang's
            own: no limit).
        max_total_tokens: Most tokens in the cache. Default: what the memory holds.
        max_prefill_tokens: Most prompt tokens in one prefill, or the longest context if that is more. Default: 16384.
        chunked_prefill_size: Longest part of a prompt in one prefill, in tokens; -1 does not split prompts. Default: by
            the GPU's memory, 2048 to 16384.
        cuda_graph_max_bs: Most requests in a CUDA graph. Default: by the GPU's memory and tp_size, 8 to 512.
        disable_cuda_graph: Runs without CUDA graphs: a faster start, slower answers. Default: False.
        disable_radix_cache: Does not keep the cache of prompts for later ones that begin the same. Default: False.
        kv_cache_dtype: Type of the key-value cache. Default: the model's.
        dtype: Type in which the model computes. Default: float16 for weights in float32 and float16, else bfloat16.
        quantization: Compression of the weights. Default: that of the checkpoint's config.json, if any.
        load_format: Format of the weights' files. Default: safetensors, else PyTorch's.
        trust_remote_code: Runs Python code of the model's repository inside the container. Default: False.
        json_model_override_args: Changes of the model's config.json, as a JSON object. Default: none.
        attention_backend: Attention kernels, such as `flashinfer`, `fa3` or `triton`. Default: by GPU and model.
        grammar_backend: What answers in a given format are made with: `xgrammar`, `outlines`, `llguidance` or `none`.
            Default: xgrammar.
        chat_template: Name of a template that SGLang has, or path of a file. Default: the model's.
        tool_call_parser: How the model writes tool calls, such as `llama3`, `qwen25` or `auto`; without it a front door
            refuses requests with tools. Default: none.
        reasoning_parser: How the model marks its thoughts, such as `deepseek-r1` or `qwen3`, which then are
            `reasoning_content` of an answer. Default: none, they are part of the answer.
        sampling_defaults: Where sampling parameters come from that a request leaves out. Default: openai, as with TGI
            (SGLang's own is model).
        schedule_policy: Order of the waiting requests, such as `fcfs` or `lpm` (longest common prefix first). Default:
            fcfs.
        schedule_conservativeness: How much room is kept for the rest of running answers; higher if requests are often
            interrupted for want of memory. Default: 1.
        stream_interval: Tokens in one event of a stream. Default: 1.
        lora_paths: A LoRA adapter to load, as `name=/path` or `name=hub-id`, at most one: the entrypoint of the image
            passes one on. Requests choose it as model `<model>:name`. Default: none.
        max_loras_per_batch: Most adapters in one batch, the base model counts as one. Default: 8.
        max_lora_rank: Largest rank of an adapter. Default: that of the adapter.
        speculative_algorithm: How tokens are guessed ahead, such as `EAGLE` or `NGRAM`. Default: not at all.
        speculative_draft_model_path: Hub id or path of the model that guesses. Default: none.
        speculative_num_steps: Steps that it guesses ahead. Default: SGLang's, by model.
        speculative_eagle_topk: Guesses for each step. Default: SGLang's, by model.
        speculative_num_draft_tokens: Tokens that are checked at one time. Default: SGLang's, by model.
        cpu_offload_gb: Gigabytes of weights that stay in the host's memory. Default: 0.
        random_seed: Seed of the server. Default: random.
        watchdog_timeout: Seconds that one step may take; then SGLang stops, and SageMaker starts the container again.
            It is all that ends a hang, as the health check of this server always answers. Default: 300.
        enable_metrics: Writes metrics for Prometheus at /metrics, of which SageMaker's detailed observability reads
            tokens and queues. Default: True (SGLang's own is False).
        log_level: How much SGLang logs. Default: info.
        extra_args: Further arguments of the server by their names with underscores, such as
            `{"max_loaded_loras": "4"}`; `"true"` or an empty text for a flag. One that an option covers, or that the
            version does not have, is refused. Default: none.
    """

    tp_size: int | None = None
    dp_size: int | None = None
    context_length: int | None = None
    mem_fraction_static: float | None = None
    max_running_requests: int | None = None
    max_queued_requests: int | None = None
    max_total_tokens: int | None = None
    max_prefill_tokens: int | None = None
    chunked_prefill_size: int | None = None
    cuda_graph_max_bs: int | None = None
    disable_cuda_graph: bool | None = None
    disable_radix_cache: bool | None = None
    kv_cache_dtype: SglangKvCacheDtype | None = None
    dtype: SglangDtype | None = None
    quantization: SglangQuantization | None = None
    load_format: str | None = None
    trust_remote_code: bool | None = None
    json_model_override_args: str | None = None
    attention_backend: str | None = None
    grammar_backend: str | None = None
    chat_template: str | None = None
    tool_call_parser: str | None = None
    reasoning_parser: str | None = None
    sampling_defaults: SamplingDefaults | None = None
    schedule_policy: str | None = None
    schedule_conservativeness: float | None = None
    stream_interval: int | None = None
    lora_paths: Sequence[str] | None = None
    max_loras_per_batch: int | None = None
    max_lora_rank: int | None = None
    speculative_algorithm: str | None = None
    speculative_draft_model_path: str | None = None
    speculative_num_steps: int | None = None
    speculative_eagle_topk: int | None = None
    speculative_num_draft_tokens: int | None = None
    cpu_offload_gb: int | None = None
    random_seed: int | None = None
    watchdog_timeout: float | None = None
    enable_metrics: bool | None = None
    log_level: SglangLogLevel | None = None
    extra_args: Mapping[str, str] | None = None

    def __new__(cls, *_: object, **options: object) -> Self:
        """Explain all names that are no options at once; Python itself would only say which one is the first.

        Raises:
            TypeError: There is no option of that name.
        """
        if explained := OTHER_NAMES.explain(options, cls.__dataclass_fields__):
            raise TypeError(explained)
        return super().__new__(cls)
