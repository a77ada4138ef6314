"""A second engine for the tests, whose memory is divided as vLLM divides it; no container of it exists.

Formula, defaults and constants are those of vLLM 0.19 and 0.20 (`vllm/v1/worker/gpu_worker.py`,
`vllm/v1/core/kv_cache_utils.py`, `vllm/engine/arg_utils.py`), as far as planning has to have room for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from constructs_lib.planning.engine import (
    Engine,
    EngineContext,
    Environment,
    HardwareSupport,
    OptionNames,
    OptionValues,
    Reduction,
    Settings,
)
from constructs_lib.planning.engines.option_table import EngineOption, option_variables, read_options
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageFamily, Version, format_version
from constructs_lib.planning.memory_plan import CacheLayout, EngineMemory, GpuShare, MemoryPlan, WeightFormat
from constructs_lib.planning.models.facts import BITS_PER_PARAMETER, ModelFacts
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES
from constructs_lib.planning.serving_limits import ServingFacts
from constructs_lib.planning.sizing.memory import HALF_BYTES, inner_width, kv_heads_per_gpu, vocabulary
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Boolean, Integer, Number, Rule, String
from constructs_lib.planning.validation.unknown import Unknown

BLOCK = 16
LARGE_GPU = 70 * GIB
GRAPHS = int(0.5 * GIB)
MLA_WIDTH = 576
WINDOW = 4096


@dataclass(frozen=True, kw_only=True)
class PagedOptions:
    tensor_parallel_size: int | None = None
    gpu_memory_utilization: float | None = None
    max_model_len: int | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    enforce_eager: bool | None = None
    quantization: str | None = None


OPTIONS = (
    EngineOption("tensor_parallel_size", Integer(1), variable="SM_PAGED_TENSOR_PARALLEL_SIZE"),
    EngineOption("gpu_memory_utilization", Number("above 0 and at most 1", above=0, inclusive_maximum=1)),
    EngineOption("max_model_len", Integer(1), variable="SM_PAGED_MAX_MODEL_LEN"),
    EngineOption("max_num_seqs", Integer(1)),
    EngineOption("max_num_batched_tokens", Integer(1)),
    EngineOption("enforce_eager", Boolean(), since=(0, 20, 0)),
    EngineOption("quantization", String()),
)


class OwnTable(ImageFamily):
    """Images that images.json does not have."""

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [
            {"version": "0.19.1", "repository": "paged", "tag": "0.19.1-gpu-py312-cu124", "accounts": "set-1"},
            {"version": "0.20.0", "repository": "paged", "tag": "0.20.0-gpu-py312-cu130", "accounts": "set-1"},
        ]


@dataclass(frozen=True, slots=True)
class SlidingCache(CacheLayout):
    """Half of the layers keep all tokens, half of them only a window: two groups of blocks in one pool."""

    def request_bytes(self, tokens: int) -> int:
        full, window = math.ceil(tokens / BLOCK), math.ceil(min(tokens, WINDOW) / BLOCK)
        return (full + window) * BLOCK * self.bytes_per_token // 2

    def max_tokens(self, available: int) -> int:
        blocks = max(0, available) // (BLOCK * self.bytes_per_token // 2)
        window = WINDOW // BLOCK
        return (blocks // 2 if blocks < 2 * window else blocks - window) * BLOCK


class PagedMemory:
    """total * utilization - weights - non_torch - activation peak [- CUDA graphs, from 0.20]."""

    options = frozenset(("tensor_parallel_size", "gpu_memory_utilization", "max_model_len", "quantization"))
    option_names = OptionNames(
        shards="tensor_parallel_size", compression="quantization", sizes=("max_num_seqs", "max_model_len")
    )

    def shards(self, ctx: EngineContext) -> int:
        return ctx.number("tensor_parallel_size") or 1

    def shard_problems(self, ctx: EngineContext) -> Iterator[Problem]:
        shards = self.shards(ctx)
        if ctx.facts and ctx.facts.heads % shards:
            message = f"must divide the {ctx.facts.heads} attention heads of {ctx.facts.hub_id}"
            yield Problem("options.tensor_parallel_size", shards, message, "Choose another number.")

    def weight_format(self, ctx: EngineContext, facts: ModelFacts) -> WeightFormat:
        kind = ctx.text("quantization") or facts.published_quantization
        bits = BITS_PER_PARAMETER[kind] if kind else 16.0
        return WeightFormat(bits_per_parameter=bits, copies_tied_embeddings=False)

    def compresses_while_loading(self, ctx: EngineContext) -> bool:
        return ctx.text("quantization") == "fp8"

    def memory(self, ctx: EngineContext, facts: ModelFacts, gpu: GpuShare) -> EngineMemory:
        large = gpu.visible >= LARGE_GPU
        batched = ctx.number("max_num_batched_tokens") or (8192 if large else 2048)
        sequences = ctx.number("max_num_seqs") or (1024 if large else 256)
        layers = batched * (3 * inner_width(facts) // gpu.shards + 3 * facts.hidden) * HALF_BYTES
        logits = 4 * sequences * vocabulary(facts) * 4
        graphs = GRAPHS if ctx.version >= (0, 20, 0) and ctx.values.get("enforce_eager") is not True else 0
        utilization = ctx.fraction("gpu_memory_utilization", 0.92 if ctx.version >= (0, 20, 0) else 0.90)
        length = ctx.number("max_model_len") or facts.max_positions
        return EngineMemory(
            gpu_memory=gpu.visible,
            usable=int(gpu.visible * utilization),
            runtime=int((0.4 if gpu.shards > 1 else 0.2) * GIB) + graphs,
            activations=max(layers, logits),
            peak=max(layers, logits),
            prefill_tokens=batched,
            cache=self._cache(facts, gpu.shards),
            uncertainty=int(0.05 * gpu.visible),
            asked_tokens=length,  # it does not start unless one such request fits
            max_request_tokens=length,
        )

    def _cache(self, facts: ModelFacts, shards: int) -> CacheLayout:
        if facts.model_type == "deepseek_v3":  # compressed, and complete on every GPU
            return CacheLayout(facts.layers * MLA_WIDTH * HALF_BYTES, BLOCK)
        bytes_per_token = 2 * facts.layers * kv_heads_per_gpu(facts, shards) * facts.head_dim * HALF_BYTES
        return (SlidingCache if facts.model_type == "gemma2" else CacheLayout)(bytes_per_token, BLOCK)

    def copies(self, ctx: EngineContext) -> int:
        """See `MemoryModel.copies`."""
        return 1

    def request_limit(self, ctx: EngineContext) -> int | None:
        return ctx.number("max_model_len")

    def settings_for(
        self, options: PagedOptions, facts: ModelFacts, instance: InstanceType, tokens: int | None, requests: int
    ) -> Settings:
        settings: dict[str, object] = {} if tokens is None else {"max_model_len": tokens}
        gpus = instance.accelerator_count or 1
        shards = max(count for count in range(1, gpus + 1) if facts.heads % count == 0)
        return settings | ({"tensor_parallel_size": shards} if shards > 1 and not options.tensor_parallel_size else {})

    def smaller_settings(self, ctx: EngineContext, memory: MemoryPlan) -> Iterable[Settings]:
        return () if ctx.given("max_num_seqs") else ({"max_num_seqs": 64}, {"max_num_seqs": 16})

    def following_settings(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan) -> Settings:
        return {name: value for name, value in fitted.values.items() if not ctx.given(name)}

    def remedies(self, ctx: EngineContext, facts: ModelFacts) -> Iterable[Iterable[Settings] | Reduction]:
        length = ctx.number("max_model_len") or facts.max_positions
        yield [{"max_model_len": length >> halvings} for halvings in range(1, 6)]
        if not ctx.given("quantization"):
            yield [{"quantization": "fp8"}]


class PagedEngine:
    name = "paged"
    display_name = "Paged"
    images = OwnTable(
        "paged",
        construct="PagedImage",
        cuda_since=(((0, 0, 0), (12, 4)),),
        version_in_tag=r"^(\d+\.\d+\.\d+)-gpu-",
    )
    hardware = HardwareSupport(accelerators="NVIDIA GPUs", is_gpu=True, example="InstanceType.G5_2XLARGE")
    options_type = PagedOptions
    token_variables = ("HF_TOKEN",)
    variables = frozenset(option.variable for option in OPTIONS)
    memory_model = PagedMemory()
    serving_rules: Mapping[str, Rule] = {"dtype": String(), "quantize": String()}

    def read_options(self, options: PagedOptions, version: Version) -> OptionValues:
        return read_options(OPTIONS, options, version, self.display_name)

    def environment(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> Environment:
        model: object = ctx.model.hub_id
        variables: Environment = {"SM_PAGED_MODEL": model if isinstance(model, Unknown) else str(model)}
        return variables | option_variables(OPTIONS, fitted.values, ctx.version)

    def published_compression(self, values: Settings) -> str | None:
        kind = values.get("quantization")
        return kind if isinstance(kind, str) else None

    def owner(self, variable: str) -> str | None:
        owners = {option.variable: f"options.{option.keyword}" for option in OPTIONS}
        return owners.get(variable)

    def unread(self, variable: str, version: Version) -> str | None:
        return None

    def refusal(self, variable: str) -> str | None:
        return "makes it demand a key that SageMaker never forwards" if variable == "PAGED_API_KEY" else None

    def keeps_prefixes(self, ctx: EngineContext) -> bool | None:
        return True

    def max_body_bytes(self, ctx: EngineContext) -> int:
        return MAX_BODY_BYTES

    def serving_facts(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> ServingFacts:
        return ServingFacts(version=format_version(ctx.version), max_total_tokens=ctx.number("max_model_len"))

    def problems(self, ctx: EngineContext) -> Iterator[Problem]:
        yield from self.memory_model.shard_problems(ctx)

    def warnings(self, ctx: EngineContext) -> Iterator[PlanWarning]:
        if ctx.values.get("enforce_eager") is True:
            yield PlanWarning("tgi-endpoint:eager", "Without CUDA graphs answers are slower.")


PAGED: Engine = PagedEngine()
