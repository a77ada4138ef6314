"""The options of vLLM's server, as typed keywords."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from constructs_lib.planning.engines.vllm.option_names import OTHER_NAMES


class VllmDtype(StrEnum):
    """Type in which the model computes."""

    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"


class VllmQuantization(StrEnum):
    """How the weights are compressed.

    `FP8` and the names that begin with it, `INT8_PER_CHANNEL_WEIGHT_ONLY`, `MXFP8`, `EXPERTS_INT8` and `BITSANDBYTES`
    compress weights while they are loaded. The others need weights that were published in that format, for which vLLM
    needs no option: it reads config.json, and chooses the fastest kernels.
    """

    AWQ = "awq"
    AWQ_MARLIN = "awq_marlin"
    BITSANDBYTES = "bitsandbytes"
    COMPRESSED_TENSORS = "compressed-tensors"
    EXPERTS_INT8 = "experts_int8"
    FP8 = "fp8"
    FP8_PER_BLOCK = "fp8_per_block"
    FP8_PER_CHANNEL = "fp8_per_channel"
    FP8_PER_TENSOR = "fp8_per_tensor"
    GGUF = "gguf"
    GPTQ = "gptq"
    GPTQ_MARLIN = "gptq_marlin"
    INT8_PER_CHANNEL_WEIGHT_ONLY = "int8_per_channel_weight_only"
    MODELOPT = "modelopt"
    MODELOPT_FP4 = "modelopt_fp4"
    MOE_WNA16 = "moe_wna16"
    MXFP4 = "mxfp4"
    MXFP8 = "mxfp8"
    QUARK = "quark"
    TORCHAO = "torchao"


class VllmKvCacheDtype(StrEnum):
    """Type of the key-value cache's entries. `FP8` is `FP8_E4M3`."""

    BFLOAT16 = "bfloat16"
    FP8 = "fp8"
    FP8_E4M3 = "fp8_e4m3"
    FP8_E5M2 = "fp8_e5m2"


class LogprobsMode(StrEnum):
    """What the log probabilities of an answer are of.

    `RAW_…`: of the model, before temperature, penalties and the like. `PROCESSED_…`: of what the token was drawn from,
    as TGI reports them. `…_LOGITS`: scores that do not add up to 1.
    """

    RAW_LOGPROBS = "raw_logprobs"
    PROCESSED_LOGPROBS = "processed_logprobs"
    RAW_LOGITS = "raw_logits"
    PROCESSED_LOGITS = "processed_logits"


class VllmLogLevel(StrEnum):
    """How much vLLM, and the supervisor that may start it, log."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class ModelImplementation(StrEnum):
    """Whose code runs the model: vLLM's own class if there is one, vLLM's always, or that of transformers."""

    AUTO = "auto"
    VLLM = "vllm"
    TRANSFORMERS = "transformers"


class SchedulingPolicy(StrEnum):
    """Which waiting request is next: the first one, or the one whose `priority` is lowest."""

    FCFS = "fcfs"
    PRIORITY = "priority"


JsonObject = Mapping[str, Any]
"""A mapping that JSON can express."""


@dataclass(frozen=True, kw_only=True)
class VllmOptions:
    """Options of vLLM's server; one that is left out (None) has vLLM's own default, which is described with it.

    An option that the chosen version does not have is a problem at synth. The names are those of the server's
    arguments, with underscores; those from `allow_runtime_lora_updating` on are variables of the image, besides
    `extra_args`. Source of the meanings and defaults: vLLM 0.30.0 `vllm/engine/arg_utils.py`, `vllm/config`,
    `vllm/entrypoints/launchers/cli_args.py`.

    Args:
        tensor_parallel_size: GPUs that share each layer of the model. Default: every GPU of the instance (vLLM's own
            is 1, which leaves the others idle); the number must divide the model's attention heads.
        pipeline_parallel_size: Groups of layers on GPUs of their own. Default: 1.
        data_parallel_size: Copies of the model on the instance, each on `tensor_parallel_size` GPUs, which then has to
            be given. Default: 1.
        enable_expert_parallel: Whether each GPU holds whole experts instead of a part of every expert. Default: False.
        max_model_len: Longest prompt and answer together, in tokens. vLLM does not start unless its cache holds one
            such request. Default: the model's longest context, or less if the memory plan says that it does not fit.
        max_num_seqs: Most requests that run at one time. Default: 256, 1024 on GPUs of 70 GiB and more but the A100.
        max_num_batched_tokens: Most tokens in one step, at least max_num_seqs. Default: 2048 on GPUs below 70 GiB and
            the A100, else 8192; 16384 on GPUs of 160 GiB and more from 0.28 on.
        max_num_queued_reqs: Most requests that run or wait; more get 503. vLLM 0.29 and later; before, any number
            waits. Default: twice `max_num_seqs` (vLLM's own: no limit).
        max_num_queued_tokens: Most prompt tokens of requests that have no first token yet; more get 503. vLLM 0.29 and
            later. Default: no limit.
        gpu_memory_utilization: Share of the GPU's memory for weights, activations and cache, above 0 up to 1. Default:
            0.92, before 0.20 0.9.
        kv_cache_memory_bytes: Bytes of the cache on each GPU, instead of what that share leaves. Default: none.
        kv_cache_dtype: Type of the key-value cache. Default: the model's, or what its checkpoint says.
        block_size: Tokens of one block of the cache. Default: 16, or what the attention kernels need.
        cpu_offload_gb: GiB of each GPU's weights that stay in the host's memory. Default: 0.
        enforce_eager: Runs without CUDA graphs and compilation: a faster start, slower answers. Default: False.
        enable_prefix_caching: Keeps the cache of prompts for later ones that begin the same. Default: True, False for
            models with states (Mamba) and encoders.
        enable_chunked_prefill: Splits long prompts over several steps. Default: True.
        disable_hybrid_kv_cache_manager: Keeps as much of layers with a sliding window as of the others. Default: False,
            True with `kv_transfer_config` and `lmcache`.
        async_scheduling: Prepares the next step while one runs. Default: True where it is supported.
        scheduling_policy: Which waiting request is next. Default: fcfs.
        attention_backend: Attention kernels, such as `FLASH_ATTN` or `FLASHINFER`. Default: by GPU and model.
        compilation_config: Settings of compilation and CUDA graphs. Default: none.
        kv_transfer_config: A connector that keeps the cache elsewhere as well. Default: none.
        dtype: Type in which the model computes. Default: that of the checkpoint, float16 for one in float32 and on GPUs
            without bfloat16.
        quantization: Compression of the weights. Default: that of the checkpoint's config.json, if any.
        load_format: Format of the weights' files. Default: safetensors, else PyTorch's.
        trust_remote_code: Runs Python code of the model's repository inside the container. Default: False.
        code_revision: Commit, tag or branch of that code if it is in another repository. Default: its main branch.
        model_impl: Whose code runs the model. Default: auto.
        hf_overrides: Changes of the model's config.json, such as `{"rope_parameters": {…}}`. Default: none.
        tokenizer_mode: How the tokenizer is loaded, such as `auto` or `mistral`. Default: auto.
        config_format: How the configuration is written: `auto`, `hf` or `mistral`. Default: auto.
        seed: Seed of the server. Default: 0.
        limit_mm_per_prompt: Most items of a kind in a prompt, such as `{"image": 2}`. Default: as many as the model
            takes.
        mm_processor_kwargs: Settings of the processor of images, such as `{"max_pixels": 1003520}`. Default: none.
        language_model_only: Leaves out what reads images and the like. vLLM 0.17 and later. Default: False.
        generation_config: Where sampling parameters come from that a request leaves out. `vllm`: those of OpenAI's API,
            as with TGI, temperature 1 among them. `auto`: the model's generation_config.json, so that another model may
            answer at another temperature, and cut answers off at its max_new_tokens. Else a folder. Default: vllm
            (vLLM's own is auto).
        override_generation_config: Sampling parameters for requests that leave them out, such as
            `{"temperature": 0.6}`. Default: none.
        served_model_name: What the server itself calls the model. Clients of a front door do not see it. Default: its
            hub id, or the folder of the weights.
        chat_template: A chat template, or the path of a file with one. Default: the model's.
        chat_template_content_format: Whether the template takes the parts of a message, `openai`, or one `string`.
            Default: auto.
        default_chat_template_kwargs: Variables for the chat template, such as `{"enable_thinking": False}`; a request
            may change them. vLLM 0.14 and later. Default: none.
        tool_call_parser: How the model writes tool calls, such as `llama3_json`, `hermes` or `mistral`; without it a
            front door refuses requests with tools. Default: none.
        enable_auto_tool_choice: Whether the model may decide to call a tool. Default: True with a `tool_call_parser`
            (vLLM's own is False).
        tool_parser_plugin: Python file of the container with further parsers. Default: none.
        reasoning_parser: How the model marks its thoughts, such as `qwen3` or `openai_gptoss`, which then are a field
            of their own in an answer. Default: none, they are part of the answer.
        max_logprobs: Most log probabilities for a token; -1 for the whole vocabulary. Default: 20.
        logprobs_mode: What they are of. Clients of TGI get its numbers with processed_logprobs. Default: raw_logprobs.
        structured_outputs_config: Settings of answers in a given format, such as `{"backend": "xgrammar"}`. Default:
            none.
        speculative_config: How tokens are guessed ahead, such as `{"method": "ngram", "num_speculative_tokens": 4,
            "prompt_lookup_max": 4}`. Default: not at all.
        stream_interval: Tokens in one event of a stream. Default: 1.
        enable_lora: Whether adapters can be loaded. Default: True with `lora_modules` and adapters of the endpoint.
        lora_modules: LoRA adapters to load at the start, as `name=/path` or `name=hub-id`. Only images whose
            /invocations takes a route (`server-sagemaker-cuda-v…`) let a request choose one. Images before 0.28, and
            Hugging Face's, pass one on at most. Default: none.
        max_loras: Most adapters in one batch. Default: 1.
        max_lora_rank: Largest rank of an adapter: 1, 8, 16, 32, 64, 128, 256, 320 or 512. Default: 16.
        max_cpu_loras: Most adapters in the host's memory, at least `max_loras`. Default: `max_loras`.
        enable_log_requests: Logs the parameters of each request, with `log_level` debug the prompt as well. Default:
            False.
        enable_log_outputs: Logs each answer, which requires `enable_log_requests`. Default: False.
        disable_log_stats: Logs no throughput, and has no metrics. Default: False.
        otlp_traces_endpoint: OpenTelemetry collector for traces. Default: no traces.
        shutdown_timeout: Seconds to finish running requests when the container stops, of which SageMaker allows 30.
            vLLM 0.18 and later. Default: 0.
        allow_runtime_lora_updating: Whether adapters can be loaded while vLLM runs, as inference components of adapters
            need (`adapters` of `VllmEndpoint`). Default: False.
        log_level: How much vLLM logs. Default: info.
        usage_stats: Whether vLLM reports its use to its authors. Default: False (vLLM's own is True).
        process_auto_recovery: Whether the image's supervisor starts vLLM again whenever it has ended, for ever, also
            one that cannot start. Default: False (the image's own is True): a wrong option fails the deployment at
            once, and after a crash SageMaker replaces the container, because its health check fails.
        lmcache: Whether Hugging Face's image keeps the cache of prompts in half of the host's memory as well (LMCache),
            for which every layer keeps whole prompts, also those with a sliding window. Default: False (that image's
            own is True).
        extra_args: Further arguments of the server by their names with underscores, such as
            `{"mm_processor_cache_gb": "0"}`; `"true"` for a flag, and `{"no_…": "true"}` to switch one off that is on
            by default. One that an option covers, or that the version does not have, is refused. Default: none.
    """

    tensor_parallel_size: int | None = None
    pipeline_parallel_size: int | None = None
    data_parallel_size: int | None = None
    enable_expert_parallel: bool | None = None
    max_model_len: int | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    max_num_queued_reqs: int | None = None
    max_num_queued_tokens: int | None = None
    gpu_memory_utilization: float | None = None
    kv_cache_memory_bytes: int | None = None
    kv_cache_dtype: VllmKvCacheDtype | None = None
    block_size: int | None = None
    cpu_offload_gb: float | None = None
    enforce_eager: bool | None = None
    enable_prefix_caching: bool | None = None
    enable_chunked_prefill: bool | None = None
    disable_hybrid_kv_cache_manager: bool | None = None
    async_scheduling: bool | None = None
    scheduling_policy: SchedulingPolicy | None = None
    attention_backend: str | None = None
    compilation_config: JsonObject | None = None
    kv_transfer_config: JsonObject | None = None
    dtype: VllmDtype | None = None
    quantization: VllmQuantization | None = None
    load_format: str | None = None
    trust_remote_code: bool | None = None
    code_revision: str | None = None
    model_impl: ModelImplementation | None = None
    hf_overrides: JsonObject | None = None
    tokenizer_mode: str | None = None
    config_format: str | None = None
    seed: int | None = None
    limit_mm_per_prompt: JsonObject | None = None
    mm_processor_kwargs: JsonObject | None = None
    language_model_only: bool | None = None
    generation_config: str | None = None
    override_generation_config: JsonObject | None = None
    served_model_name: str | None = None
    chat_template: str | None = None
    chat_template_content_format: str | None = None
    default_chat_template_kwargs: JsonObject | None = None
    tool_call_parser: str | None = None
    enable_auto_tool_choice: bool | None = None
    tool_parser_plugin: str | None = None
    reasoning_parser: str | None = None
    max_logprobs: int | None = None
    logprobs_mode: LogprobsMode | None = None
    structured_outputs_config: JsonObject | None = None
    speculative_config: JsonObject | None = None
    stream_interval: int | None = None
    enable_lora: bool | None = None
    lora_modules: Sequence[str] | None = None
    max_loras: int | None = None
    max_lora_rank: int | None = None
    max_cpu_loras: int | None = None
    enable_log_requests: bool | None = None
    enable_log_outputs: bool | None = None
    disable_log_stats: bool | None = None
    otlp_traces_endpoint: str | None = None
    shutdown_timeout: int | None = None
    allow_runtime_lora_updating: bool | None = None
    log_level: VllmLogLevel | None = None
    usage_stats: bool | None = None
    process_auto_recovery: bool | None = None
    lmcache: bool | None = None
    extra_args: Mapping[str, str] | None = None

    def __new__(cls, *_: object, **options: object) -> Self:
        """Explain all names that are no options at once; Python itself would only say which one is the first.

        Raises:
            TypeError: There is no option of that name.
        """
        if explained := OTHER_NAMES.explain(options, cls.__dataclass_fields__):
            raise TypeError(explained)
        return super().__new__(cls)
