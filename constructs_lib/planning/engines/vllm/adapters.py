"""The options that adapters of an endpoint need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from constructs_lib.planning.engines.lora import AdapterChoice, max_adapters, max_rank
from constructs_lib.planning.engines.vllm.options import VllmOptions


def with_adapters(options: VllmOptions, adapters: Sequence[AdapterChoice]) -> VllmOptions:
    """The options with what adapters need, where the caller leaves it open.

    Args:
        options: The options.
        adapters: The adapters; at least one.
    """
    needed: dict[str, Any] = {
        "enable_lora": True,
        "max_lora_rank": max_rank(adapters),
        "max_loras": max_adapters(adapters),
        "max_cpu_loras": max(len(adapters), options.max_loras or 0),
        "allow_runtime_lora_updating": True,
    }
    return replace(options, **{name: value for name, value in needed.items() if getattr(options, name) is None})
