"""What SGLang takes beside weights and cache, out of the share that mem_fraction_static leaves.

SGLang measures none of it: a share that is too large fails when graphs are captured, or at the first long prompt.

Sources: SGLang `python/sglang/srt/mem_cache/memory_pool.py` (`ReqToTokenPool`), `model_executor/model_runner.py`
(`resolve_max_num_reqs`), `model_executor/cuda_graph_runner.py` at 0.2.15 to 0.5.20.
"""

from __future__ import annotations

import math

from constructs_lib.planning.engines.sglang.memory_settings import SglangSettings
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import HALF_BYTES, inner_width

_REQUESTS = 2048
"""Rows of the table of requests, at least."""

_GRAPHS = 0.5 * GIB
_INDEX_BYTES = 4


def beside_the_cache(settings: SglangSettings, facts: ModelFacts) -> int:
    """The widest layer of a prefill, CUDA graphs and the table of requests, in bytes."""
    inner = inner_width(facts) / settings.tensor_parallel
    width = 3 * inner + 3 * facts.hidden
    if facts.experts > 1:
        width += facts.experts_per_token * (3 * inner + facts.hidden)
    layer = settings.prefill * width * HALF_BYTES
    table = (settings.requests or _REQUESTS) * settings.length * _INDEX_BYTES
    return math.ceil(layer + table + (_GRAPHS if settings.graph_batch else 0))
