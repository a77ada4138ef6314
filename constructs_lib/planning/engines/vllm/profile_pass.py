"""What vLLM's profile pass measures beside the weights, and keeps out of the cache.

vLLM runs one step of as many tokens and requests as its options allow, and takes the peak of torch's allocator. Two
moments compete for it: the widest layer, and the sampling from the logits of every request.

Sources: `profile_run` and `_dummy_sampler_run` in vLLM `vllm/v1/worker/gpu_model_runner.py`, `vllm/worker/worker.py`
and `vllm/worker/model_runner.py` (V0), `vllm/utils/mem_utils.py` at 0.4.3 to 0.33.0. The factors 9.5 and 4 of the
logits and 3 of the layers are read off the logs in docs/memory.md.
"""

from __future__ import annotations

import math

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.vllm.memory_settings import LARGER_UTILIZATION_SINCE, VllmSettings
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import HALF_BYTES, inner_width, vocabulary

_LOGIT_BYTES = 4
_V0_LOGITS, _V1_LOGITS = 9.5, 4.0
"""Copies of the logits, in float32, that sampling holds at one time."""

_ALONE, _PCIE, _NVLINK = 0.2 * GIB, 0.4 * GIB, 1.1 * GIB
"""CUDA's context with the kernels' workspaces, without and with NCCL's buffers between GPUs."""

_LINKED = ("A100", "A800", "H100", "H200", "H800", "B200", "B300", "GB200", "V100")
"""GPUs that SageMaker's instances connect by NVLink."""

_GRAPHS = 0.5 * GIB


def activations(settings: VllmSettings, facts: ModelFacts) -> int:
    """The peak of the profile pass, in bytes."""
    return math.ceil(max(_layer(settings, facts), _logits(settings, facts)))


def _layer(settings: VllmSettings, facts: ModelFacts) -> float:
    inner = inner_width(facts) / settings.tensor_parallel
    width = 3 * inner + 3 * facts.hidden
    if facts.experts > 1:
        width += facts.experts_per_token * (3 * inner + facts.hidden)
    return settings.batched * width * HALF_BYTES


def _logits(settings: VllmSettings, facts: ModelFacts) -> float:
    """Logits of every request, which each GPU holds whole; a V0 step of split prompts samples nothing."""
    if not settings.v1 and settings.chunked:
        return 0
    copies = _V1_LOGITS if settings.v1 else _V0_LOGITS
    return copies * settings.sequences * vocabulary(facts) * _LOGIT_BYTES


def runtime(ctx: EngineContext, settings: VllmSettings) -> int:
    """What is neither weights nor torch's, with the CUDA graphs where vLLM counts them, in bytes."""
    graphs = _GRAPHS if settings.graphs and settings.version >= LARGER_UTILIZATION_SINCE else 0
    if settings.tensor_parallel * settings.pipeline_parallel == 1:
        return math.ceil(_ALONE + graphs)
    linked = ctx.instance.accelerator.startswith(_LINKED)
    return math.ceil((_NVLINK if linked else _PCIE) + graphs)
