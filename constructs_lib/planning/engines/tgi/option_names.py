"""What people write in place of the names of options, and which option they mean.

Sources: the launcher's arguments and their older names (TGI `launcher/src/main.rs` at v1.4.5 and v3.3.6), the variables
of SageMaker's entrypoint (`sagemaker-entrypoint.sh`), the parameters of a request (`router/src/lib.rs`).
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

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


def unknown_names(names: Iterable[str], known: Iterable[str]) -> str | None:
    """What to write instead of names that are no options, as one text; None if all of them are."""
    options = list(known)
    texts = [_explain(name, options) for name in names if name not in options]
    return f"TgiOptions has no {'; no '.join(texts)}" if texts else None


def _explain(name: str, options: list[str]) -> str:
    lower = name.lower().replace("-", "_")
    if lower in _ELSEWHERE:
        return f"{name}, which {_ELSEWHERE[lower]}"
    meant = [_OTHER_NAMES[lower]] if lower in _OTHER_NAMES else get_close_matches(lower, options, n=1, cutoff=0.7)
    return f"{name}: did you mean {meant[0]}?" if meant else f"{name}"
