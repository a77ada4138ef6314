"""The options of vLLM that decide about memory, with vLLM's own defaults by version and GPU.

Sources: vLLM `vllm/engine/arg_utils.py` and `vllm/config/{cache,scheduler}.py` (before 0.9 `vllm/config.py`) at 0.4.3
to 0.33.0: `_set_default_args`, `get_batch_defaults`, `CacheConfig.gpu_memory_utilization`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.hardware.gpu_memory import GIB, visible_bytes
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.models.facts import ModelFacts

LARGER_UTILIZATION_SINCE = (0, 20, 0)
"""From then on vLLM fills 92 % of the GPU instead of 90 %, and counts its CUDA graphs among them."""

_V1_EXISTS_SINCE, _V1_SINCE, _V1_ALONE_SINCE = (0, 6, 6), (0, 8, 0), (0, 11, 0)
_MEASURES_LENGTH = (0, 5, 4)
"""From then on V0 splits prompts by itself where a request may be longer than 32768 tokens."""

_LARGE_GPU, _LARGEST_GPU = 70 * GIB, 160 * GIB
_KNOWS_LARGE_SINCE, _A100_IS_SMALL_SINCE, _LARGEST_SINCE = (0, 8, 3), (0, 9, 0), (0, 28, 0)
FOUR_BYTES = ("float32", "fp32", "float")
_ONE_BYTE = ("fp8", "fp8_e4m3", "fp8_e5m2", "fp8_inc", "int8")


@dataclass(frozen=True, kw_only=True)
class VllmOptionNames:
    """What a container calls the options of vLLM that decide about memory. Default: vLLM's own names.

    Args:
        tensor_parallel: GPUs that share each layer.
        pipeline_parallel: Groups of layers on GPUs of their own.
        length: Longest prompt and answer together.
        sequences: Requests that run at one time.
        batched: Tokens of one step.
        utilization: Share of the GPU's memory that vLLM fills.
        cache_bytes: Bytes of the cache, instead of that share.
        cache_dtype: Type of the keys and values.
        quantization: Compression of the weights.
        eager: Whether CUDA graphs are switched off.
        chunked: Whether prompts are split over several steps.
        data_parallel: Copies of the model on GPUs of their own.
        dtype: Type of weights and activations.
        offload: GiB of the weights of each GPU that stay on the host.
        lora: Whether there is room for LoRA adapters.
        loras: How many adapters are on the GPU at one time.
        lora_rank: Their rank, at most.
        same_layers: What makes every layer keep all tokens, if it is set: a switch, or a connector of the cache.
    """

    tensor_parallel: str = "tensor_parallel_size"
    pipeline_parallel: str = "pipeline_parallel_size"
    length: str = "max_model_len"
    sequences: str = "max_num_seqs"
    batched: str = "max_num_batched_tokens"
    utilization: str = "gpu_memory_utilization"
    cache_bytes: str = "kv_cache_memory_bytes"
    cache_dtype: str = "kv_cache_dtype"
    quantization: str = "quantization"
    eager: str = "enforce_eager"
    chunked: str = "enable_chunked_prefill"
    data_parallel: str = "data_parallel_size"
    dtype: str = "dtype"
    offload: str = "cpu_offload_gb"
    lora: str = "enable_lora"
    loras: str = "max_loras"
    lora_rank: str = "max_lora_rank"
    same_layers: tuple[str, ...] = ("disable_hybrid_kv_cache_manager", "kv_transfer_config", "lmcache")

    @property
    def every(self) -> frozenset[str]:
        """All of them."""
        single = (value for value in vars(self).values() if isinstance(value, str))
        return frozenset((*single, *self.same_layers))


@dataclass(frozen=True, kw_only=True)
class VllmContainer:
    """What differs between containers that run vLLM.

    Args:
        names: What they call its options.
        version: vLLM's version in an image of theirs. Default: the image has vLLM's own version.
        sequences: Requests that run at one time if the options say nothing. Default: vLLM's own number.
        batched: Tokens of one step if the options say nothing. Default: as vLLM's server, by the GPU.
        v1: Whether it runs vLLM's V1 engine where both exist (0.6.6 to 0.10). Default: as vLLM chooses.
    """

    names: VllmOptionNames = VllmOptionNames()
    version: Callable[[Version], Version] = lambda version: version
    sequences: int | None = None
    batched: int | None = None
    v1: bool | None = None


@dataclass(frozen=True, kw_only=True)
class VllmSettings:
    """What vLLM runs with, its own defaults included.

    Args:
        version: Its version.
        v1: Whether it runs the V1 engine.
        tensor_parallel: GPUs that share each layer.
        pipeline_parallel: Groups of layers on GPUs of their own.
        length: Longest prompt and answer together, in tokens.
        sequences: Requests that run at one time, at most.
        batched: Tokens of one step, at most.
        utilization: Share of the GPU's memory that it fills.
        cache_bytes: Bytes of the cache, instead of that share; None for what is left.
        cache_dtype: Type of the keys and values, as given; None for the model's.
        graphs: Whether it captures CUDA graphs.
        chunked: Whether long prompts are split over several steps.
        value_bytes: Bytes of a number in the model's type.
        offloaded: Bytes of the weights that stay on the host.
        adapters: LoRA adapters for which there is room.
        adapter_rank: Their rank, at most.
        same_layers: Whether every layer keeps all tokens, whatever its kind.
    """

    version: Version
    v1: bool
    tensor_parallel: int
    pipeline_parallel: int
    length: int
    sequences: int
    batched: int
    utilization: float
    cache_bytes: int | None
    cache_dtype: str | None
    graphs: bool
    chunked: bool
    value_bytes: int = 2
    offloaded: int = 0
    adapters: int = 0
    adapter_rank: int = 16
    same_layers: bool = False

    @property
    def shared(self) -> bool:
        """Whether several GPUs share the model."""
        return self.tensor_parallel * self.pipeline_parallel > 1

    @property
    def cache_value_bytes(self) -> float:
        """Bytes of one value in the cache."""
        if self.cache_dtype in (None, "auto"):
            return self.value_bytes
        return 1 if self.cache_dtype in _ONE_BYTE else 2


def tensor_parallel(ctx: EngineContext, container: VllmContainer) -> int:
    """GPUs that share each layer: as requested, else every GPU of the instance that pipeline and copies leave."""
    requested = ctx.number(container.names.tensor_parallel)
    if requested is not None:
        return requested
    copies = pipeline_parallel(ctx, container) * data_parallel(ctx, container)
    return max(1, (ctx.instance.accelerator_count or 1) // copies)


def pipeline_parallel(ctx: EngineContext, container: VllmContainer) -> int:
    """Groups of layers on GPUs of their own: as requested, else one."""
    return ctx.number(container.names.pipeline_parallel) or 1


def data_parallel(ctx: EngineContext, container: VllmContainer) -> int:
    """Copies of the model on GPUs of their own: as requested, else one."""
    return ctx.number(container.names.data_parallel) or 1


def read_settings(ctx: EngineContext, facts: ModelFacts, visible: int, container: VllmContainer) -> VllmSettings:
    """What vLLM runs with.

    Args:
        ctx: The context.
        facts: The model.
        visible: Memory of one GPU as CUDA reports it, in bytes.
        container: The container.
    """
    names, version = container.names, container.version(ctx.version)
    both = _V1_EXISTS_SINCE <= version < _V1_ALONE_SINCE
    v1 = container.v1 if both and container.v1 is not None else _runs_v1(ctx, version)
    length = ctx.number(names.length) or facts.max_positions
    chunked = _is_chunked(ctx, version, length, names, v1=v1)
    large = _is_large(ctx, visible, version)
    sequences = ctx.number(names.sequences) or container.sequences or _sequences(version, v1=v1, large=large)
    default_step = container.batched or _batched(visible, version, v1=v1, large=large, length=length, chunked=chunked)
    batched = ctx.number(names.batched) or (min(default_step, sequences * length) if v1 else default_step)
    default = 0.92 if version >= LARGER_UTILIZATION_SINCE else 0.90
    return VllmSettings(
        version=version,
        v1=v1,
        tensor_parallel=tensor_parallel(ctx, container),
        pipeline_parallel=pipeline_parallel(ctx, container),
        length=length,
        sequences=min(sequences, batched),
        batched=batched,
        utilization=ctx.fraction(names.utilization, default),
        cache_bytes=ctx.number(names.cache_bytes),
        cache_dtype=ctx.text(names.cache_dtype),
        graphs=ctx.values.get(names.eager) is not True,
        chunked=chunked,
        value_bytes=4 if ctx.text(names.dtype) in FOUR_BYTES else 2,
        offloaded=int(ctx.fraction(names.offload, 0.0) * GIB),
        adapters=(ctx.number(names.loras) or 1) if ctx.values.get(names.lora) is True else 0,
        adapter_rank=ctx.number(names.lora_rank) or 16,
        same_layers=any(ctx.values.get(name) not in (None, False) for name in names.same_layers),
    )


def default_sequences(ctx: EngineContext) -> int:
    """Requests that vLLM runs at one time, at most, if the options say nothing."""
    visible = visible_bytes(ctx.instance) if ctx.instance.memory_gib and ctx.instance.accelerator_count else 0
    return _sequences(ctx.version, v1=_runs_v1(ctx, ctx.version), large=_is_large(ctx, visible, ctx.version))


def _runs_v1(ctx: EngineContext, version: Version) -> bool:
    """V1 is the default from 0.8 on, up to 0.10 not on GPUs older than Ampere (`_is_v1_supported_oracle`)."""
    old = (ctx.instance.compute_capability or (8, 0)) < (8, 0)
    return version >= _V1_ALONE_SINCE or (version >= _V1_SINCE and not old)


def _is_chunked(ctx: EngineContext, version: Version, length: int, names: VllmOptionNames, *, v1: bool) -> bool:
    given = ctx.values.get(names.chunked)
    if isinstance(given, bool):
        return given
    return v1 or (version >= _MEASURES_LENGTH and length > 32_768)


def _is_large(ctx: EngineContext, visible: int, version: Version) -> bool:
    is_a100 = ctx.instance.accelerator.startswith("A100")
    small = version < _KNOWS_LARGE_SINCE or (is_a100 and version >= _A100_IS_SMALL_SINCE)
    return visible >= _LARGE_GPU and not small


def _batched(visible: int, version: Version, *, v1: bool, large: bool, length: int, chunked: bool) -> int:
    """Tokens of one step, of vLLM's server; more if prompts are not split."""
    if not v1:
        if not chunked:
            return max(length, 2048)
        return 512 if version < (0, 6, 5) else 2048
    default = 8192 if large else 2048
    if version >= _LARGEST_SINCE and visible >= _LARGEST_GPU:
        default = 16_384
    return default if chunked else max(default, length)


def _sequences(version: Version, *, v1: bool, large: bool) -> int:
    if not v1:
        return 256
    return 1024 if large or version < _KNOWS_LARGE_SINCE else 256
