"""The memory of one of the GPUs that share a model: what an engine makes of it, and the plan.

`EngineMemory` and `CacheLayout` come from an engine, `MemoryPlan` is what `sizing.memory` computes from them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CacheLayout:
    """How an engine keeps the keys and values of tokens on one GPU: the same number of bytes for each token, in blocks.

    An engine whose layers keep different numbers of tokens (sliding windows, states) overrides both methods.

    Args:
        bytes_per_token: This GPU's share of one token's keys and values.
        block_size: Tokens that are allocated together.
    """

    bytes_per_token: int
    block_size: int = 1

    @property
    def least_bytes(self) -> int:
        """What the cache has to have at least, whatever the requests are."""
        return 0

    def request_bytes(self, tokens: int) -> int:
        """What one request of that many tokens takes."""
        return -(-tokens // self.block_size) * self.block_size * self.bytes_per_token

    def max_tokens(self, available: int) -> int:
        """The tokens whose keys and values fit that many bytes, over all requests; an override may take one request."""
        return max(0, available) // (self.block_size * self.bytes_per_token) * self.block_size


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightFormat:
    """How an engine holds the weights.

    Args:
        bits_per_parameter: Bits of one parameter of a linear layer; the embeddings always have 16.
        copies_tied_embeddings: Whether an output layer that is the input's embeddings is held a second time.
        output_bits: Bits of one parameter of the output layer. Default: 16.
    """

    bits_per_parameter: float
    copies_tied_embeddings: bool
    output_bits: float = 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuShare:
    """One of the GPUs that share a model.

    Args:
        shards: GPUs that share it.
        visible: Memory of the GPU as CUDA reports it, in bytes.
        weights: Its share of the weights, in bytes.
    """

    shards: int
    visible: int
    weights: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineMemory:
    """What an engine makes of one GPU's memory; sizes in bytes.

    Args:
        gpu_memory: What the engine may take of the GPU at any time.
        usable: What it fills with weights, runtime, activations and cache together.
        runtime: CUDA's context and kernels, workspaces, CUDA graphs, buffers for the traffic between GPUs.
        activations: What the largest prefill leaves allocated, which the engine keeps out of the cache.
        peak: What of that is in use at one time, at most: an allocator that runs out of memory first returns the rest.
        prefill_tokens: Prompt tokens of that prefill.
        cache: How it keeps keys and values.
        uncertainty: How far such an estimate may be off: a model that lacks less is not refused, one that has less
            to spare is not recommended.
        warm_up_tokens: Tokens that its warm-up holds at once. Default: 0, no warm-up.
        min_tokens: Tokens that it serves however little is left, because its warm-up held them. Default: 0.
        asked_tokens: Tokens that have to fit at least: with less, serving makes no sense or the engine does not start.
        max_request_tokens: Longest request, in tokens, if memory does not limit it.
        static: Whether batches are padded, without paged attention. Default: False.
        margin: What has to be to spare before the plan leaves the engine's own settings as they are. Default: 0.
        most_requests: Requests that run at one time, at most, however short they are. Default: as memory allows.
    """

    gpu_memory: int
    usable: int
    runtime: int
    activations: int
    peak: int
    prefill_tokens: int
    cache: CacheLayout
    uncertainty: int
    warm_up_tokens: int = 0
    min_tokens: int = 0
    asked_tokens: int
    max_request_tokens: int
    static: bool = False
    margin: int = 0
    most_requests: int | None = None


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """The memory of one of the GPUs that share a model; sizes in bytes.

    Args:
        gpu_memory: What the engine may take of the GPU.
        usable: What it fills of that.
        weights: This GPU's share of the weights.
        runtime: CUDA's context and kernels, workspaces, and the buffers for the traffic between GPUs.
        prefill: What the largest prefill leaves allocated.
        peak: What of that is in use at one time, at most.
        prefill_tokens: Prompt tokens of that prefill.
        warm_up_tokens: Tokens whose keys and values the engine's warm-up allocates at once.
        min_tokens: Tokens that are served however little is left, because the warm-up held them.
        cache: How keys and values are kept.
        max_tokens: Tokens whose keys and values fit, over all requests.
        context: Longest prompt and answer together that one request may have.
        asked_tokens: Tokens that have to fit at least.
        loading_peak: Most memory of the GPU while the weights are loaded.
        host_peak: Memory of the host that loading takes.
        download: Size of the published weights, which the instance's storage has to hold.
        uncertainty: How far the estimate may be off.
        static: Whether batches are padded, without paged attention.
        margin: What has to be to spare before the plan leaves the engine's own settings as they are.
        most_requests: Requests that run at one time, at most, however short they are; None if memory alone limits them.
    """

    gpu_memory: int
    usable: int
    weights: int
    runtime: int
    prefill: int
    peak: int
    prefill_tokens: int
    warm_up_tokens: int
    min_tokens: int
    cache: CacheLayout
    max_tokens: int
    context: int
    asked_tokens: int
    loading_peak: int
    host_peak: int
    download: int
    uncertainty: int
    static: bool
    margin: int = 0
    most_requests: int | None = None

    @property
    def kv_bytes_per_token(self) -> int:
        """This GPU's share of one token's keys and values."""
        return self.cache.bytes_per_token

    @property
    def fixed(self) -> int:
        """What is taken whatever the requests are."""
        return self.weights + self.runtime + self.prefill

    @property
    def free_for_tokens(self) -> int:
        """What is left for keys and values; negative if the rest does not fit."""
        return self.usable - self.fixed

    @property
    def low_tokens(self) -> int:
        """The tokens whose keys and values fit even if the estimate is as far too high as it may be."""
        return self._tokens_with(-self.uncertainty)

    @property
    def high_tokens(self) -> int:
        """The tokens whose keys and values fit if the estimate is as far too low as it may be."""
        return self._tokens_with(self.uncertainty)

    def _tokens_with(self, more: int) -> int:
        return max(self.cache.max_tokens(self.free_for_tokens + more), self.min_tokens)

    @property
    def needed(self) -> int:
        """What the model takes with the keys and values of the tokens that have to fit."""
        return self.fixed + self._asked_bytes

    @property
    def slack(self) -> int:
        """What is left where memory is scarcest: while loading, in the warm-up, or for the tokens that have to fit.

        Negative if the estimate does not fit. Loading and the warm-up may take what the engine otherwise leaves free;
        tokens that the warm-up held need no room of their own.
        """
        request_bytes = self.cache.request_bytes
        warm_up = self.weights + self.runtime + self.peak + request_bytes(self.warm_up_tokens)
        taken = [self.loading_peak, warm_up]
        if self.min_tokens >= self.asked_tokens:
            return self.gpu_memory - max(taken)
        return min(self.gpu_memory - max(taken), self.free_for_tokens - self._asked_bytes)

    @property
    def _asked_bytes(self) -> int:
        return max(self.cache.request_bytes(self.asked_tokens), self.cache.least_bytes)

    @property
    def shortfall(self) -> int:
        """What is missing; 0 if the model loads, warms up, and serves what is required."""
        return max(0, -self.slack)

    @property
    def fits(self) -> bool:
        """Whether the model loads, warms up, and one request of the required length can be served."""
        return self.slack >= 0

    @property
    def is_too_large(self) -> bool:
        """Whether more is missing than the estimate may be off."""
        return self.shortfall > self.uncertainty

    @property
    def is_tight(self) -> bool:
        """Whether the model may or may not fit: it is missing, or has to spare, less than the estimate may be off."""
        return not self.is_too_large and self.slack < self.uncertainty

    @property
    def spare(self) -> float:
        """Share of the usable memory that is left beside the tokens that have to fit; may be negative."""
        return (self.usable - self.needed) / self.usable

    def concurrent_requests(self, tokens: int) -> int:
        """How many requests of that many tokens (prompt and answer together) are served concurrently."""
        if not 0 < tokens <= self.context:
            return 0
        available = max(self.free_for_tokens, self.cache.request_bytes(self.max_tokens))
        fitting = available // self.cache.request_bytes(tokens)
        return fitting if self.most_requests is None else min(fitting, self.most_requests)

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values, with the range of its tokens, and the cache as `kv_bytes_per_token`."""
        values: dict[str, Any] = {}
        for name, value in asdict(self).items():
            if name in ("margin", "most_requests"):  # what the options decide
                continue
            values |= {"kv_bytes_per_token": self.kv_bytes_per_token} if name == "cache" else {name: value}
        return values | {"low_tokens": self.low_tokens, "high_tokens": self.high_tokens}
