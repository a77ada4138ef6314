"""What people write in place of the names of options, and which option they mean.

Sources: the launcher's arguments and their older names (TGI `launcher/src/main.rs` at v1.4.5 and v3.3.6), the variables
of SageMaker's entrypoint (`sagemaker-entrypoint.sh`), the parameters of a request (`router/src/lib.rs`).
"""

from __future__ import annotations

from constructs_lib.planning.engines.unknown_names import OtherNames

_OTHER_NAMES = {
    "max_input_length": "max_input_tokens",
    "max_length": "max_total_tokens",
    "max_model_len": "max_total_tokens",
    "sm_num_gpus": "num_shard",
    "num_gpus": "num_shard",
    "number_of_gpu": "num_shard",
    "tensor_parallel_size": "num_shard",
    "tensor_parallel_degree": "num_shard",
    "hf_model_quantize": "quantize",
    "quantization": "quantize",
    "torch_dtype": "dtype",
    "hf_model_trust_remote_code": "trust_remote_code",
    "use_prefix_caching": "prefix_caching",
    "max_num_seqs": "max_batch_size",
    "max_num_batched_tokens": "max_batch_prefill_tokens",
    "gpu_memory_utilization": "cuda_memory_fraction",
    "hf_home": "huggingface_hub_cache",
    "disable_usage_stats": "usage_stats",
}
_ELSEWHERE = {
    "model_id": "is Model.from_hub(…)",
    "hf_model_id": "is Model.from_hub(…)",
    "revision": "is Model.from_hub(…, revision=…)",
    "hf_model_revision": "is Model.from_hub(…, revision=…)",
    "hf_token": "is Model.from_hub(…, token=secret)",
    "hugging_face_hub_token": "is Model.from_hub(…, token=secret)",
    "port": "is SageMaker's",
    "hostname": "is SageMaker's",
    "max_new_tokens": "is a parameter of a request",
    "temperature": "is a parameter of a request",
    "environment": "is an argument of TgiEndpoint",
}

OTHER_NAMES = OtherNames(options="TgiOptions", meant=_OTHER_NAMES, elsewhere=_ELSEWHERE)
