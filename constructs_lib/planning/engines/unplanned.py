"""The memory model of a container of which nobody can say how it uses memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from constructs_lib.planning.engine import EngineContext, OptionNames, Reduction, Settings
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.memory_plan import GpuShare, MemoryPlan, WeightFormat
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.validation.problem import Problem


class UnplannedMemory:
    """See `MemoryModel`: every accelerator of the instance, and no memory plan.

    Args:
        option_names: What the advice of the engine may name.
    """

    options = None

    def __init__(self, option_names: OptionNames) -> None:
        self.option_names = option_names

    def shards(self, ctx: EngineContext) -> int:
        """See `MemoryModel.shards`."""
        return ctx.instance.unit_count or 1

    def shard_problems(self, ctx: EngineContext) -> Iterator[Problem]:
        """See `MemoryModel.shard_problems`."""
        return iter(())

    def weight_format(self, ctx: EngineContext, facts: ModelFacts) -> WeightFormat:
        """See `MemoryModel.weight_format`."""
        self._refuse()

    def compresses_while_loading(self, ctx: EngineContext) -> bool:
        """See `MemoryModel.compresses_while_loading`."""
        return False

    def memory(self, ctx: EngineContext, facts: ModelFacts, gpu: GpuShare) -> NoReturn:
        """See `MemoryModel.memory`."""
        self._refuse()

    def copies(self, ctx: EngineContext) -> int:
        """See `MemoryModel.copies`."""
        return 1

    def request_limit(self, ctx: EngineContext) -> int | None:
        """See `MemoryModel.request_limit`."""
        return None

    def settings_for(
        self, options: Any, facts: ModelFacts, instance: InstanceType, tokens: int | None, requests: int
    ) -> Settings:
        """See `MemoryModel.settings_for`."""
        return {}

    def smaller_settings(self, ctx: EngineContext, memory: MemoryPlan) -> Iterable[Settings]:
        """See `MemoryModel.smaller_settings`."""
        return ()

    def following_settings(self, ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan) -> Settings:
        """See `MemoryModel.following_settings`."""
        return {}

    def remedies(self, ctx: EngineContext, facts: ModelFacts) -> Iterable[Iterable[Settings] | Reduction]:
        """See `MemoryModel.remedies`."""
        return ()

    def _refuse(self) -> NoReturn:
        raise AssertionError("nothing is planned for an engine without a memory model")
