"""Which variable takes which option of the launcher, what it may be, and which versions have it.

Sources: TGI `launcher/src/main.rs`, struct Args, at each tag from v0.6.0 to v3.3.7; for variables that are no launcher
option, `server/text_generation_server/models/globals.py`.
"""

from __future__ import annotations

from constructs_lib.planning.engines.option_table import OLDEST, EngineOption
from constructs_lib.planning.engines.tgi.options import (
    Attention,
    Dtype,
    KvCacheDtype,
    LogLevel,
    Quantization,
    RopeScaling,
    UsageStats,
)
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.validation.rules import PATH, Boolean, Integer, ListOf, Number, OneOf, String

_PORT = Integer(1, 65535)
_COUNT = Integer(1)
_LINE = String()
_ASCII = String("printable ASCII characters without spaces", r"[!-~]+")
_POSITIVE = Number("above 0", above=0)
_ADAPTER = String(
    "an adapter: id, id@revision, name=/path or name=/path@revision", r"[^=@,\s]+(=[^=@,\s]+)?(@[^=@,\s]+)?"
)

MESSAGES_API_ALWAYS: Version = (2, 4, 0)
"""First version that takes chat requests at /invocations without being told to (`router/src/sagemaker.rs`)."""

_DTYPES = {
    "fp16": Dtype.FLOAT16,
    "half": Dtype.FLOAT16,
    "torch.float16": Dtype.FLOAT16,
    "bf16": Dtype.BFLOAT16,
    "torch.bfloat16": Dtype.BFLOAT16,
}
_QUANTIZATIONS = {
    "true": Quantization.BITSANDBYTES,  # what 0.6.0 has in its variable
    "bnb": Quantization.BITSANDBYTES,
    "int8": Quantization.BITSANDBYTES,
    "8bit": Quantization.BITSANDBYTES,
    "bnb-nf4": Quantization.BITSANDBYTES_NF4,
    "nf4": Quantization.BITSANDBYTES_NF4,
    "bitsandbytes-4bit": Quantization.BITSANDBYTES_NF4,
    "int4": Quantization.BITSANDBYTES_NF4,
    "4bit": Quantization.BITSANDBYTES_NF4,
    "bnb-fp4": Quantization.BITSANDBYTES_FP4,
    "fp4": Quantization.BITSANDBYTES_FP4,
    "fbgemm-fp8": Quantization.FP8,
}

QUANTIZATION_SINCE: dict[Quantization, Version] = {
    Quantization.BITSANDBYTES: OLDEST,
    Quantization.GPTQ: (0, 8, 0),
    Quantization.BITSANDBYTES_NF4: (1, 0, 1),
    Quantization.BITSANDBYTES_FP4: (1, 0, 1),
    Quantization.AWQ: (1, 1, 0),
    Quantization.EETQ: (1, 1, 0),
    Quantization.FP8: (2, 0, 0),
    Quantization.EXL2: (2, 1, 0),
    Quantization.MARLIN: (2, 1, 0),
    Quantization.COMPRESSED_TENSORS: (2, 4, 1),
}

QUANTIZE, DTYPE = OneOf(Quantization, _QUANTIZATIONS), OneOf(Dtype, _DTYPES)

OPTIONS: tuple[EngineOption, ...] = (
    EngineOption("num_shard", _COUNT, variable="SM_NUM_GPUS"),
    EngineOption("sharded", Boolean()),
    EngineOption(
        "quantize",
        QUANTIZE,
        variable="HF_MODEL_QUANTIZE",
        values_since={str(kind): since for kind, since in QUANTIZATION_SINCE.items()},
    ),
    EngineOption("dtype", DTYPE, since=(0, 9, 0)),
    EngineOption("kv_cache_dtype", OneOf(KvCacheDtype), since=(2, 4, 0)),
    EngineOption("speculate", Integer(0), since=(1, 3, 0)),
    EngineOption(
        "trust_remote_code",
        Boolean(),
        since=(0, 7, 0),
        variable="HF_MODEL_TRUST_REMOTE_CODE",
        older=("TRUST_REMOTE_CODE", (0, 9, 3)),
    ),
    EngineOption("max_input_tokens", _COUNT, older=("MAX_INPUT_LENGTH", (2, 0, 0))),
    EngineOption("max_total_tokens", Integer(2)),
    EngineOption("max_batch_prefill_tokens", _COUNT, since=(0, 9, 0)),
    EngineOption("max_batch_total_tokens", _COUNT, since=(0, 7, 0)),
    EngineOption("max_batch_size", _COUNT, absent=((0, 9, 0), (1, 4, 0))),
    EngineOption("max_concurrent_requests", _COUNT),
    EngineOption("max_waiting_tokens", Integer(0)),
    EngineOption("waiting_served_ratio", Number("0 or more", inclusive_minimum=0), since=(0, 7, 0)),
    EngineOption("max_best_of", _COUNT),
    EngineOption("max_stop_sequences", Integer(0)),
    EngineOption("max_top_n_tokens", Integer(0), since=(1, 0, 3)),
    EngineOption("max_client_batch_size", _COUNT, since=(2, 0, 1)),
    EngineOption("validation_workers", _COUNT, since=(0, 9, 2)),
    EngineOption("cuda_graphs", ListOf(_COUNT, when_empty="0"), since=(2, 0, 0)),
    EngineOption(
        "cuda_memory_fraction", Number("above 0 and at most 1", above=0, inclusive_maximum=1), since=(0, 9, 4)
    ),
    EngineOption("tgi_wiggle_room", Number("between 0 and 1, both excluded", above=0, below=1), since=(2, 3, 0)),
    EngineOption("attention", OneOf(Attention), since=(2, 3, 0)),
    EngineOption("prefix_caching", Boolean(), since=(2, 3, 0), older=("USE_PREFIX_CACHING", (2, 4, 0))),
    EngineOption("prefill_chunking", Boolean(), since=(2, 4, 0)),
    EngineOption("disable_custom_kernels", Boolean()),
    EngineOption("rope_scaling", OneOf(RopeScaling), since=(1, 0, 1)),
    EngineOption("rope_factor", _POSITIVE, since=(1, 0, 1)),
    EngineOption("lora_adapters", ListOf(_ADAPTER), since=(2, 1, 0)),
    EngineOption("disable_grammar_support", Boolean(), since=(1, 4, 1)),
    EngineOption("enable_prefill_logprobs", Boolean(), since=(3, 0, 0)),
    EngineOption("tokenizer_config_path", _LINE, since=(1, 4, 0)),
    EngineOption("payload_limit", _COUNT, since=(2, 4, 1)),
    EngineOption("messages_api_enabled", Boolean(), since=(1, 4, 0), obsolete_since=MESSAGES_API_ALWAYS),
    EngineOption("usage_stats", OneOf(UsageStats), since=(2, 2, 0)),
    EngineOption("watermark_gamma", Number("from 0 to 1", inclusive_minimum=0, inclusive_maximum=1)),
    EngineOption("watermark_delta", Number("a finite number")),
    EngineOption("huggingface_hub_cache", PATH),
    EngineOption("weights_cache_override", PATH),
    EngineOption("json_output", Boolean()),
    EngineOption("log_level", OneOf(LogLevel)),
    EngineOption("otlp_endpoint", _ASCII),
    EngineOption("otlp_service_name", _LINE, since=(2, 1, 0)),
    EngineOption("cors_allow_origin", _ASCII),
    EngineOption("prometheus_port", _PORT, since=(3, 3, 0)),
    EngineOption("graceful_termination_timeout", Integer(0, unit="seconds"), since=(3, 2, 2)),
    EngineOption("shard_uds_path", PATH),
    EngineOption("master_addr", _ASCII),
    EngineOption("master_port", _PORT),
)
