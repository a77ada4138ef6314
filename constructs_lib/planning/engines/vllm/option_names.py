"""What people write in place of the names of vLLM's options: those of TGI, SGLang and others."""

from __future__ import annotations

from constructs_lib.planning.engines.unknown_names import COMMON_ELSEWHERE, OtherNames

_MEANT = {
    "tp": "tensor_parallel_size",
    "tp_size": "tensor_parallel_size",
    "tensor_parallel_degree": "tensor_parallel_size",
    "num_shard": "tensor_parallel_size",
    "sm_num_gpus": "tensor_parallel_size",
    "num_gpus": "tensor_parallel_size",
    "dp_size": "data_parallel_size",
    "max_total_tokens": "max_model_len",
    "context_length": "max_model_len",
    "max_length": "max_model_len",
    "mem_fraction_static": "gpu_memory_utilization",
    "cuda_memory_fraction": "gpu_memory_utilization",
    "max_running_requests": "max_num_seqs",
    "max_batch_size": "max_num_seqs",
    "max_rolling_batch_size": "max_num_seqs",
    "max_concurrent_requests": "max_num_queued_reqs",
    "max_queued_requests": "max_num_queued_reqs",
    "chunked_prefill_size": "max_num_batched_tokens",
    "max_batch_prefill_tokens": "max_num_batched_tokens",
    "quantize": "quantization",
    "torch_dtype": "dtype",
    "disable_cuda_graph": "enforce_eager",
    "prefix_caching": "enable_prefix_caching",
    "use_prefix_caching": "enable_prefix_caching",
    "disable_radix_cache": "enable_prefix_caching",
    "prefill_chunking": "enable_chunked_prefill",
    "lora_adapters": "lora_modules",
    "lora_paths": "lora_modules",
    "speculate": "speculative_config",
    "rope_scaling": "hf_overrides",
    "json_model_override_args": "hf_overrides",
    "sampling_defaults": "generation_config",
    "max_top_n_tokens": "max_logprobs",
    "tokenizer_config_path": "chat_template",
}

OTHER_NAMES = OtherNames(
    options="VllmOptions",
    meant=_MEANT,
    elsewhere={
        **COMMON_ELSEWHERE,
        "max_input_tokens": "vLLM does not have: a prompt may have max_model_len less the answer",
        "adapters": "is an argument of VllmEndpoint",
    },
)
