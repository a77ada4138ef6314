"""TGI's own rules about its environment, written independently of the library.

Sources: the launcher and the router of TGI 3.3.6 (`launcher/src/main.rs`, `backends/v3/src/main.rs`), its server
(`cli.py`, `models/__init__.py`) and the value syntax of clap 4.5. For 3.x only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

BOOLEANS = ("SHARDED", "HF_MODEL_TRUST_REMOTE_CODE", "DISABLE_CUSTOM_KERNELS", "JSON_OUTPUT", "DISABLE_GRAMMAR_SUPPORT")
BOOLEANS += ("ENABLE_PREFILL_LOGPROBS",)
NUMBERS = ("SM_NUM_GPUS", "SPECULATE", "MAX_CONCURRENT_REQUESTS", "MAX_INPUT_TOKENS", "MAX_TOTAL_TOKENS")
NUMBERS += (
    "MAX_BATCH_PREFILL_TOKENS",
    "MAX_BATCH_TOTAL_TOKENS",
    "MAX_WAITING_TOKENS",
    "MAX_BATCH_SIZE",
    "PAYLOAD_LIMIT",
)
CHOICES = {
    "HF_MODEL_QUANTIZE": "awq compressed-tensors eetq exl2 gptq marlin fp8 bitsandbytes bitsandbytes-nf4"
    " bitsandbytes-fp4",
    "DTYPE": "float16 bfloat16",
    "KV_CACHE_DTYPE": "fp8_e4m3fn fp8_e5m2",
    "ROPE_SCALING": "linear dynamic",
    "USAGE_STATS": "on off no-stack",
    "ATTENTION": "flashinfer flashdecoding paged",
}
NO_FLASH = ("bloom", "mpt", "opt", "t5", "mamba")
VISION = ("gemma3", "qwen2_vl", "qwen2_5_vl", "mllama")
ENCODES_AND_DECODES = ("t5",)
KEEPS_ONE_KV_HEAD = ("gpt_bigcode",)


def faults(environment: Mapping[str, str], model_type: str, heads: int, kv_heads: int, gpus: int) -> list[str]:
    """Why TGI 3 would not start with that environment.

    Args:
        environment: The container's variables.
        model_type: That of config.json.
        heads: Attention heads.
        kv_heads: Key-value heads.
        gpus: GPUs of the instance.
    """
    found = list(_syntax(environment))
    return found or [
        *_limits(environment, model_type),
        *_kinds(environment),
        *_shards(environment, model_type, heads, kv_heads, gpus),
    ]


def _syntax(environment: Mapping[str, str]) -> Iterator[str]:
    for name in BOOLEANS:
        if environment.get(name, "true") not in ("true", "false"):
            yield f"{name} is no boolean of clap"
    for name in NUMBERS:
        if not re.fullmatch(r"[0-9]{1,10}", environment.get(name, "1")):
            yield f"{name} is no number"
    for name, allowed in CHOICES.items():
        if name in environment and environment[name] not in allowed.split():
            yield f"{name} is none of {allowed}"
    if "MAX_INPUT_LENGTH" in environment:
        yield "MAX_INPUT_LENGTH is deprecated"
    if not environment.get("HF_MODEL_ID"):
        yield "HF_MODEL_ID is missing"


def chunks(environment: Mapping[str, str], model_type: str) -> bool:
    """Whether TGI splits long prompts."""
    off = environment.get("PREFILL_CHUNKING", "true") == "false" or environment.get("ATTENTION") == "paged"
    return not (off or int(environment.get("SPECULATE", "0")) > 0 or model_type in (*NO_FLASH, *VISION))


def _limits(environment: Mapping[str, str], model_type: str) -> Iterator[str]:
    number = {name: int(environment[name]) for name in NUMBERS if name in environment}
    total, longest = number.get("MAX_TOTAL_TOKENS"), number.get("MAX_INPUT_TOKENS")
    prefill, batch = number.get("MAX_BATCH_PREFILL_TOKENS"), number.get("MAX_BATCH_TOTAL_TOKENS")
    if total and longest and longest >= total:
        yield "max_input_tokens must be < max_total_tokens"
    if total and longest is None and not (prefill and prefill < total and chunks(environment, model_type)):
        yield "max_total_tokens without max_input_tokens wraps around in the warm-up, whose prompt is a whole prefill"
    if longest and total is None and not chunks(environment, model_type):
        yield "max_input_tokens without max_total_tokens leaves that to the prompt of the warm-up"
    if (total or longest) and model_type in ENCODES_AND_DECODES:
        yield "the warm-up of Seq2SeqLM returns None, which is unpacked when a limit is set"
    if batch and total and total > batch:
        yield "max_total_tokens must be <= max_batch_total_tokens"
    if batch and prefill and prefill > batch and model_type in NO_FLASH:  # for the others the batch is measured
        yield "max_batch_prefill_tokens must be <= max_batch_total_tokens"
    if longest and not chunks(environment, model_type) and (prefill is None or prefill < longest):
        yield "max_batch_prefill_tokens must be >= max_input_tokens without chunking"


def _kinds(environment: Mapping[str, str]) -> Iterator[str]:
    quantize, dtype = environment.get("HF_MODEL_QUANTIZE"), environment.get("DTYPE")
    if dtype and quantize and not quantize.startswith("bitsandbytes"):
        yield "DTYPE excludes QUANTIZE"
    if quantize == "exl2" and int(environment["SM_NUM_GPUS"]) > 1:
        yield "exl2 cannot be sharded"
    if environment.get("PREFIX_CACHING") == "true" and environment.get("ATTENTION") == "paged":
        yield "prefix caching needs flashinfer"
    if "KV_CACHE_DTYPE" in environment and environment.get("ATTENTION") == "flashdecoding":
        yield "an FP8 cache needs flashinfer or paged attention"
    if "API_KEY" in environment or "NGROK" in environment:
        yield "SageMaker has no header for it"


def _shards(environment: Mapping[str, str], model_type: str, heads: int, kv_heads: int, gpus: int) -> Iterator[str]:
    shards = int(environment["SM_NUM_GPUS"])
    if not 1 <= shards <= gpus:
        yield "each process is one GPU"
    elif heads % shards or (kv_heads % shards and model_type not in KEEPS_ONE_KV_HEAD):
        yield "heads must be divisible by shards"
    if environment.get("SHARDED") == "true" and shards < 2:
        yield "sharded needs more than one shard"
