"""What people write in place of the names of SGLang's options: those of TGI, vLLM and others."""

from __future__ import annotations

from constructs_lib.planning.engines.unknown_names import COMMON_ELSEWHERE, OtherNames

_MEANT = {
    "tp": "tp_size",
    "tensor_parallel_size": "tp_size",
    "tensor_parallel_degree": "tp_size",
    "num_shard": "tp_size",
    "sm_num_gpus": "tp_size",
    "num_gpus": "tp_size",
    "data_parallel_size": "dp_size",
    "max_model_len": "context_length",
    "max_length": "context_length",
    "gpu_memory_utilization": "mem_fraction_static",
    "cuda_memory_fraction": "mem_fraction_static",
    "max_num_seqs": "max_running_requests",
    "max_batch_size": "max_running_requests",
    "max_rolling_batch_size": "max_running_requests",
    "max_concurrent_requests": "max_queued_requests",
    "max_num_batched_tokens": "chunked_prefill_size",
    "max_batch_prefill_tokens": "chunked_prefill_size",
    "max_batch_total_tokens": "max_total_tokens",
    "quantize": "quantization",
    "torch_dtype": "dtype",
    "enforce_eager": "disable_cuda_graph",
    "prefix_caching": "disable_radix_cache",
    "enable_prefix_caching": "disable_radix_cache",
    "lora_modules": "lora_paths",
    "lora_adapters": "lora_paths",
    "generation_config": "sampling_defaults",
}

OTHER_NAMES = OtherNames(
    options="SglangOptions",
    meant=_MEANT,
    elsewhere={
        **COMMON_ELSEWHERE,
        "max_input_tokens": "SGLang does not have: a prompt may have context_length less the answer",
    },
)
