"""Which variable takes which option of the launcher, what it may be, and which versions have it.

Sources: TGI `launcher/src/main.rs`, struct Args, at each tag from v0.6.0 to v3.3.7; for variables that are no launcher
option, `server/text_generation_server/models/globals.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from constructs_lib.planning.engines.tgi.options import (
    Attention,
    Dtype,
    KvCacheDtype,
    LogLevel,
    Quantization,
    RopeScaling,
    UsageStats,
)
from constructs_lib.planning.images.version import Version
from constructs_lib.planning.validation.rules import PATH, Boolean, Integer, ListOf, Number, OneOf, Rule, String

_OLDEST = (0, 0, 0)


@dataclass(frozen=True)
class LauncherOption:
    """One option.

    Args:
        keyword: Its name in `TgiOptions`.
        check: What it may be.
        since: First version that has it.
        until: Last version that has it; None for all later ones.
        absent: First and last version of a time in which it was gone.
        variable: Its environment variable. Default: the keyword in capitals.
        older: Another name of the variable, and the first version that has the present one.
    """

    keyword: str
    check: Rule
    since: Version = _OLDEST
    until: Version | None = None
    absent: tuple[Version, Version] | None = None
    variable: str = ""
    older: tuple[str, Version] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "variable", self.variable or self.keyword.upper())

    def name_in(self, version: Version) -> str:
        """The variable's name in that version."""
        return self.older[0] if self.older and version < self.older[1] else self.variable

    def is_in(self, version: Version) -> bool:
        """Whether that version has the option."""
        gone = self.absent is not None and self.absent[0] <= version <= self.absent[1]
        return version >= self.since and (self.until is None or version <= self.until) and not gone


_PORT = Integer(1, 65535)
_COUNT = Integer(1)
_LINE = String()
_ASCII = String("printable ASCII characters without spaces", r"[!-~]+")
_POSITIVE = Number("above 0", above=0)
_ADAPTER = String(
    "an adapter: id, id@revision, name=/path or name=/path@revision", r"[^=@,\s]+(=[^=@,\s]+)?(@[^=@,\s]+)?"
)

OPTIONS: tuple[LauncherOption, ...] = (
    LauncherOption("num_shard", _COUNT, variable="SM_NUM_GPUS"),
    LauncherOption("sharded", Boolean()),
    LauncherOption("quantize", OneOf(Quantization), variable="HF_MODEL_QUANTIZE"),
    LauncherOption("dtype", OneOf(Dtype), since=(0, 9, 0)),
    LauncherOption("kv_cache_dtype", OneOf(KvCacheDtype), since=(2, 4, 0)),
    LauncherOption("speculate", Integer(0), since=(1, 3, 0)),
    LauncherOption(
        "trust_remote_code",
        Boolean(),
        since=(0, 7, 0),
        variable="HF_MODEL_TRUST_REMOTE_CODE",
        older=("TRUST_REMOTE_CODE", (0, 9, 3)),
    ),
    LauncherOption("max_input_tokens", _COUNT, older=("MAX_INPUT_LENGTH", (2, 0, 0))),
    LauncherOption("max_total_tokens", Integer(2)),
    LauncherOption("max_batch_prefill_tokens", _COUNT, since=(0, 9, 0)),
    LauncherOption("max_batch_total_tokens", _COUNT, since=(0, 7, 0)),
    LauncherOption("max_batch_size", _COUNT, absent=((0, 9, 0), (1, 4, 0))),
    LauncherOption("max_concurrent_requests", _COUNT),
    LauncherOption("max_waiting_tokens", Integer(0)),
    LauncherOption("waiting_served_ratio", Number("0 or more", inclusive_minimum=0), since=(0, 7, 0)),
    LauncherOption("max_best_of", _COUNT),
    LauncherOption("max_stop_sequences", Integer(0)),
    LauncherOption("max_top_n_tokens", Integer(0), since=(1, 0, 3)),
    LauncherOption("max_client_batch_size", _COUNT, since=(2, 0, 1)),
    LauncherOption("validation_workers", _COUNT, since=(0, 9, 2)),
    LauncherOption("cuda_graphs", ListOf(_COUNT, when_empty="0"), since=(2, 0, 0)),
    LauncherOption(
        "cuda_memory_fraction", Number("above 0 and at most 1", above=0, inclusive_maximum=1), since=(0, 9, 4)
    ),
    LauncherOption("tgi_wiggle_room", Number("between 0 and 1, both excluded", above=0, below=1), since=(2, 3, 0)),
    LauncherOption("attention", OneOf(Attention), since=(2, 3, 0)),
    LauncherOption("prefix_caching", Boolean(), since=(2, 3, 0), older=("USE_PREFIX_CACHING", (2, 4, 0))),
    LauncherOption("prefill_chunking", Boolean(), since=(2, 4, 0)),
    LauncherOption("disable_custom_kernels", Boolean()),
    LauncherOption("rope_scaling", OneOf(RopeScaling), since=(1, 0, 1)),
    LauncherOption("rope_factor", _POSITIVE, since=(1, 0, 1)),
    LauncherOption("lora_adapters", ListOf(_ADAPTER), since=(2, 1, 0)),
    LauncherOption("disable_grammar_support", Boolean(), since=(1, 4, 1)),
    LauncherOption("enable_prefill_logprobs", Boolean(), since=(3, 0, 0)),
    LauncherOption("tokenizer_config_path", _LINE, since=(1, 4, 0)),
    LauncherOption("payload_limit", _COUNT, since=(2, 4, 1)),
    LauncherOption("messages_api_enabled", Boolean(), since=(1, 4, 0), until=(2, 3, 1)),
    LauncherOption("usage_stats", OneOf(UsageStats), since=(2, 2, 0)),
    LauncherOption("watermark_gamma", Number("between 0 and 1, both excluded", above=0, below=1)),
    LauncherOption("watermark_delta", Number("a finite number")),
    LauncherOption("huggingface_hub_cache", PATH),
    LauncherOption("weights_cache_override", PATH),
    LauncherOption("json_output", Boolean()),
    LauncherOption("log_level", OneOf(LogLevel)),
    LauncherOption("otlp_endpoint", _ASCII),
    LauncherOption("otlp_service_name", _LINE, since=(2, 1, 0)),
    LauncherOption("cors_allow_origin", _ASCII),
    LauncherOption("prometheus_port", _PORT, since=(3, 3, 0)),
    LauncherOption("graceful_termination_timeout", Integer(0, unit="seconds"), since=(3, 2, 2)),
    LauncherOption("shard_uds_path", PATH),
    LauncherOption("master_addr", _ASCII),
    LauncherOption("master_port", _PORT),
)

QUANTIZATION_SINCE: dict[Quantization, Version] = {
    Quantization.BITSANDBYTES: _OLDEST,
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
