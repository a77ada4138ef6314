"""What vLLM's profile pass measures beside the weights, and keeps out of the cache.

vLLM runs one step of as many tokens and requests as its options allow, and takes the peak of torch's allocator. Two
moments compete for it: the widest layer, and the sampling from the logits of every request.

Sources: `profile_run` and `_dummy_sampler_run` in vLLM `vllm/v1/worker/gpu_model_runner.py`, `vllm/worker/worker.py`
and `vllm/worker/model_runner.py` (V0), `vllm/utils/mem_utils.py` at 0.4.3 to 0.33.0. The factors 9.5 and 4 of the
logits and 3 of the layers are read off the logs in docs/memory.md.
"""

from __future__ import annotations

import math

from constructs_lib.planning.engines.vllm.memory_settings import LARGER_UTILIZATION_SINCE, VllmSettings
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.sizing.memory import HALF_BYTES, inner_width, vocabulary

_LOGIT_BYTES = 4
_V0_LOGITS, _V1_LOGITS = 9.5, 4.0
"""Copies of the logits, in float32, that sampling holds at one time."""

_EXPERT_COPIES = 3
"""Copies that the kernels for experts hold of what they compute: sorted, as computed, and multiplied."""

_EXPERT_TOKENS = 65_536
"""Tokens that they take at a time (VLLM_FUSED_MOE_CHUNK_SIZE)."""

_ALONE, _PCIE, _NVLINK = 0.2 * GIB, 0.4 * GIB, 1.1 * GIB
"""CUDA's context with the kernels' workspaces, without and with NCCL's buffers between GPUs."""

_LINKED = ("A100", "A800", "H100", "H200", "H800", "B200", "B300", "GB200", "V100")
"""GPUs that SageMaker's instances connect by NVLink."""

_GRAPHS = 0.5 * GIB

_KEEPS_SUMS_UNTIL = (0, 2, 6)
"""Until then the sums over GPUs, two in each layer, stay allocated to the end of the pass, because NCCL's stream used
them (TORCH_NCCL_AVOID_RECORD_STREAMS in `vllm/worker/worker.py`)."""

_COUNTS_CACHED_UNTIL, _CACHED_SHARE = (0, 5, 0), 0.25
"""Until then the pass of several GPUs counts what torch's allocator has cached; the share is fitted to one report."""

_SAMPLES_NOTHING_SINCE = (0, 6, 4)
"""From then on V0 samples nothing in a step of split prompts."""


def activations(settings: VllmSettings, facts: ModelFacts) -> int:
    """The peak of the profile pass, in bytes."""
    peak = max(_layer(settings, facts), _logits(settings, facts)) + _experts(settings, facts)
    if settings.tensor_parallel > 1 and settings.version < _KEEPS_SUMS_UNTIL:
        peak += 2 * facts.layers * settings.batched * facts.hidden * HALF_BYTES
    return math.ceil(peak)


def _layer(settings: VllmSettings, facts: ModelFacts) -> float:
    inner = inner_width(facts) / settings.tensor_parallel
    return settings.batched * (3 * inner + 3 * facts.hidden) * HALF_BYTES


def _experts(settings: VllmSettings, facts: ModelFacts) -> float:
    """Workspaces of the kernels for experts, which stay allocated."""
    if facts.experts == 1:
        return 0
    width = facts.experts_per_token * (3 * inner_width(facts) / settings.tensor_parallel + facts.hidden)
    return _EXPERT_COPIES * min(settings.batched, _EXPERT_TOKENS) * width * HALF_BYTES


def _logits(settings: VllmSettings, facts: ModelFacts) -> float:
    """Logits of every request, which each GPU holds whole."""
    if not settings.v1 and settings.chunked and settings.version >= _SAMPLES_NOTHING_SINCE:
        return 0
    copies = _V1_LOGITS if settings.v1 else _V0_LOGITS
    return copies * settings.sequences * vocabulary(facts) * _LOGIT_BYTES


def runtime(settings: VllmSettings, accelerator: str, visible: int) -> int:
    """What is neither weights nor torch's, with the CUDA graphs where vLLM counts them, in bytes.

    Args:
        settings: What vLLM runs with.
        accelerator: Name of the GPU.
        visible: Its memory as CUDA reports it.
    """
    graphs = _GRAPHS if settings.graphs and settings.version >= LARGER_UTILIZATION_SINCE else 0
    if not settings.shared:
        return math.ceil(_ALONE + graphs)
    cached = _CACHED_SHARE * visible if _KEEPS_SUMS_UNTIL <= settings.version < _COUNTS_CACHED_UNTIL else 0
    return math.ceil((_NVLINK if accelerator.startswith(_LINKED) else _PCIE) + graphs + cached)


def uncertainty(settings: VllmSettings, facts: ModelFacts, visible: int) -> int:
    """How far the estimate may be off, in bytes.

    More for what the formulas know least about: the kernels for experts, encoders of images, and the pass of several
    GPUs in old versions.
    """
    share = 0.01
    if facts.experts > 1:
        share += 0.03
    if facts.reads_images:
        share += 0.02
    if settings.shared and settings.version < _COUNTS_CACHED_UNTIL:
        share += 0.15
    return math.ceil(0.5 * GIB + share * visible)
