"""Variables that other servers read and TGI does not, and those that only some versions of TGI read.

A deployment that was written for another container keeps its variables, and nothing complains: TGI ignores what it does
not know. So each of them gets a warning, which names the argument that it stands for.

Sources: TGI at each tag from v0.6.0 to v3.3.7 (`std::env::var` in launcher, router and backends, `os.getenv` and
`os.environ` in server); deepjavalibrary/djl-serving serving/docs/lmi (OPTION_, SERVING_); aws/deep-learning-containers
scripts/docker/{vllm,sglang} (SM_VLLM_, SM_SGLANG_); aws/sagemaker-huggingface-inference-toolkit and
aws/sagemaker-inference-toolkit README.md (HF_, SAGEMAKER_, MMS_); pytorch/serve docs/configuration.md (TS_);
awslabs/llm-hosting-container huggingface/optimum (Neuron).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from constructs_lib.planning.images.catalogue import Version, format_version

_ARGUMENTS = {
    "DTYPE": "options.dtype",
    "KV_CACHE_DTYPE": "options.kv_cache_dtype",
    "MAX_LORAS": "options.lora_adapters",
    "ENABLE_LORA": "options.lora_adapters",
    "LORA_MODULES": "options.lora_adapters",
    "LORA_PATHS": "options.lora_adapters",
    "MAX_MODEL_LEN": "options.max_total_tokens",
    "CONTEXT_LENGTH": "options.max_total_tokens",
    "SEQUENCE_LENGTH": "options.max_total_tokens",
    "MAX_NUM_SEQS": "options.max_batch_size",
    "MAX_ROLLING_BATCH_SIZE": "options.max_batch_size",
    "BATCH_SIZE": "options.max_batch_size",
    "MAX_NUM_BATCHED_TOKENS": "options.max_batch_prefill_tokens",
    "MAX_ROLLING_BATCH_PREFILL_TOKENS": "options.max_batch_prefill_tokens",
    "GPU_MEMORY_UTILIZATION": "options.cuda_memory_fraction",
    "MEM_FRACTION_STATIC": "options.cuda_memory_fraction",
    "MODEL": "Model.from_hub(…)",
    "MODEL_ID": "Model.from_hub(…)",
    "MODEL_PATH": "Model.from_s3(…)",
    "REVISION": "Model.from_hub(…, revision=…)",
    "MODEL_LOADING_TIMEOUT": "startup_timeout",
    "QUANTIZE": "options.quantize",
    "QUANTIZATION": "options.quantize",
    "TENSOR_PARALLEL_DEGREE": "options.num_shard",
    "TENSOR_PARALLEL_SIZE": "options.num_shard",
    "TP": "options.num_shard",
    "TP_SIZE": "options.num_shard",
    "NUM_CORES": "options.num_shard",
    "AUTO_CAST_TYPE": "options.dtype",
    "TRUST_REMOTE_CODE": "options.trust_remote_code",
}
"""By the name that follows a server's prefix."""


_SERVERS = (
    ("AWS's LMI container (DJL Serving)", r"(?:OPTION|SERVING|DJL|LMI)_(.+)|((?:TENSOR|PIPELINE)_PARALLEL_DEGREE)"),
    ("vLLM", r"(?:SM_)?VLLM_(.+)|(MAX_MODEL_LEN|GPU_MEMORY_UTILIZATION|TENSOR_PARALLEL_SIZE|MAX_NUM_SEQS)"),
    ("SGLang", r"(?:SM_)?SGLANG_(.+)"),
    ("TGI's image for Neuron", r"HF_(NUM_CORES|AUTO_CAST_TYPE|BATCH_SIZE|SEQUENCE_LENGTH)|NEURON_(.+)"),
    ("Hugging Face's inference toolkit", r"HF_(TASK|TRUST_REMOTE_CODE|FRAMEWORK|MODEL_DIR|OPTIMUM_.+)"),
    ("SageMaker's inference toolkit", r"SAGEMAKER_(.+)|MODEL_CACHE_ROOT|ENDPOINT_SERVER_TIMEOUT"),
    ("Multi Model Server", r"MMS_(.+)"),
    ("TorchServe", r"TS_(.+)"),
    ("Amazon's own image for FalconLite", r"DNTK_ALPHA_SCALER"),
)
"""Who reads a variable, by its whole name; a group is what follows the prefix."""

_NOBODYS = (
    (r"(?:NUM(?:BER)?_?(?:OF_)?|N_?)GPUS?(?:_PER_REPLICA)?|GPU_COUNT|DEVICE_MAP", "options.num_shard"),
    (r"TORCH_DTYPE", "options.dtype"),
    (r"LOAD_IN_[48]BIT", "options.quantize"),
)
"""Names that no server reads, such as arguments of transformers' from_pretrained, and what is meant by them."""

_OF_SOME_VERSIONS: dict[str, tuple[Version, Version | None]] = {
    "GPTQ_BITS": ((0, 9, 2), (0, 9, 3)),
    "GPTQ_GROUPSIZE": ((0, 9, 2), (0, 9, 3)),
    "USE_FLASH_ATTENTION": ((0, 9, 0), None),
    "DISABLE_EXLLAMA": ((0, 9, 4), None),
    "EXLLAMA_VERSION": ((1, 2, 0), None),
    "ENABLE_CUDA_GRAPHS": ((1, 4, 1), (1, 4, 5)),
    "COMPUTE_TYPE": ((1, 4, 1), None),
    "LOG_COLORIZE": ((2, 0, 0), None),
    "DISABLE_SGMV": ((2, 1, 0), None),
    "FLASH_DECODING": ((2, 1, 1), (2, 2, 0)),
    "REQUEST_LOGPROBS": ((3, 0, 0), None),
}
"""First and last version that reads a variable, of those that no option covers."""


READ = frozenset(_OF_SOME_VERSIONS)
"""Variables that some version of TGI reads although no option covers them."""


def unread(variable: str, version: Version) -> str | None:
    """Why that version of TGI ignores a variable, and what to use instead, as sentences; None if it may read it.

    Args:
        variable: The name in capitals.
        version: Version of TGI.
    """
    return next(_reasons(variable, version), None)


def _reasons(variable: str, version: Version) -> Iterator[str]:
    for reader, pattern in _SERVERS:
        found = re.fullmatch(pattern, variable)
        if found:
            suffix = next((group for group in found.groups() if group), "")
            yield f"TGI does not read it; {reader} does.{_instead(_ARGUMENTS.get(suffix))}"
    for pattern, argument in _NOBODYS:
        if re.fullmatch(pattern, variable):
            yield f"TGI does not read it.{_instead(argument)}"
    first, last = _OF_SOME_VERSIONS.get(variable, (version, None))
    if version < first or (last is not None and version > last):
        others = f"{format_version(first)} is the first that does"
        if last is not None:
            others = f"only {format_version(first)} to {format_version(last)} do"
        yield f"TGI {format_version(version)} does not read it; {others}."


def _instead(argument: str | None) -> str:
    return f" Use {argument} instead." if argument else ""
