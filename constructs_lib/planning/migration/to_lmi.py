"""What becomes of options of TGI on DJL LMI; by the names of `TgiOptions`.

Sources: deepjavalibrary/djl-serving serving/docs/lmi and
`engines/python/setup/djl_python/properties_manager/vllm_rb_properties.py` at 0.36.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from constructs_lib.planning.engines.lmi.options import LmiDtype
from constructs_lib.planning.engines.tgi.options import Dtype
from constructs_lib.planning.migration.common_options import gpus, sharded
from constructs_lib.planning.migration.compression import compression
from constructs_lib.planning.migration.outcome import (
    Becomes,
    OptionRule,
    Origin,
    becomes_option,
    by_hand,
    by_itself,
    falls_away,
    lost,
    setting,
)
from constructs_lib.planning.migration.to_vllm import RUNS_VLLM, ngrams, step_tokens

_DTYPES = {Dtype.FLOAT16: LmiDtype.FLOAT16, Dtype.BFLOAT16: LmiDtype.BFLOAT16}


def _requests(_: int, __: Origin) -> Becomes:
    return lost("LMI has no limit that holds: it takes all requests, and under overload they wait until they time out.")


def _adapters(_: Sequence[str], __: Origin) -> Becomes:
    return by_hand("`enable_lora=True` loads those in a folder `adapters` beside the weights, which then come from S3.")


def _traces(value: str, _: Origin) -> Becomes:
    return setting(extra_args={"otlp_traces_endpoint": value})


def _log_level(value: str, _: Origin) -> Becomes:
    if value == "info":
        return by_itself("It is LMI's own level.")
    return falls_away("LMI has no option for its level.")


RULES: dict[str, OptionRule] = RUNS_VLLM | {
    "num_shard": gpus("tensor_parallel_degree"),
    "sharded": sharded("tensor_parallel_degree"),
    "quantize": compression("quantize", eight_bits=lambda _: "fp8", four_bits=lambda _: "bitsandbytes"),
    "dtype": lambda value, _: setting(dtype=str(_DTYPES[Dtype(value)])),
    "speculate": ngrams(json.dumps),
    "max_batch_prefill_tokens": step_tokens("max_rolling_batch_prefill_tokens"),
    "max_batch_size": becomes_option("max_rolling_batch_size"),
    "max_concurrent_requests": _requests,
    "lora_adapters": _adapters,
    "log_level": _log_level,
    "otlp_endpoint": _traces,
}
