"""What people write in place of the names of LMI's options: those of TGI, vLLM and others."""

from __future__ import annotations

from constructs_lib.planning.engines.unknown_names import COMMON_ELSEWHERE, OtherNames

_MEANT = {
    "tensor_parallel_size": "tensor_parallel_degree",
    "num_shard": "tensor_parallel_degree",
    "sm_num_gpus": "tensor_parallel_degree",
    "num_gpus": "tensor_parallel_degree",
    "tp_size": "tensor_parallel_degree",
    "tp": "tensor_parallel_degree",
    "max_total_tokens": "max_model_len",
    "context_length": "max_model_len",
    "max_length": "max_model_len",
    "max_num_seqs": "max_rolling_batch_size",
    "max_batch_size": "max_rolling_batch_size",
    "max_running_requests": "max_rolling_batch_size",
    "max_num_batched_tokens": "max_rolling_batch_prefill_tokens",
    "max_batch_prefill_tokens": "max_rolling_batch_prefill_tokens",
    "chunked_prefill_size": "max_rolling_batch_prefill_tokens",
    "cuda_memory_fraction": "gpu_memory_utilization",
    "mem_fraction_static": "gpu_memory_utilization",
    "quantization": "quantize",
    "torch_dtype": "dtype",
    "prefix_caching": "enable_prefix_caching",
    "enable_auto_tool_choice": "tool_call_parser",
    "lora_modules": "enable_lora",
    "lora_adapters": "enable_lora",
    "lora_paths": "enable_lora",
    "startup_timeout": "model_loading_timeout",
}

OTHER_NAMES = OtherNames(
    options="LmiOptions",
    meant=_MEANT,
    elsewhere={
        **COMMON_ELSEWHERE,
        "max_input_tokens": "LMI does not have: a prompt may have max_model_len less the answer",
        "job_queue_size": "does not limit requests in the asynchronous mode",
    },
)
