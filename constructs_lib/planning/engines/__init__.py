"""The engines: one package each, and this registry. Nothing else in planning imports an engine."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs_lib.planning.engine import Engine

ENGINES = {
    "tgi": "constructs_lib.planning.engines.tgi.engine:TGI",
    "vllm": "constructs_lib.planning.engines.vllm.engine:VLLM",
    "sglang": "constructs_lib.planning.engines.sglang.engine:SGLANG",
    "lmi": "constructs_lib.planning.engines.lmi.engine:LMI",
    "tgi-neuron": "constructs_lib.planning.engines.tgi_neuron.engine:TGI_NEURON",
}
"""Module and name of each engine."""


def engine_named(name: str) -> Engine:
    """The engine of that name, imported on first use.

    Raises:
        KeyError: There is no such engine.
    """
    module, _, member = ENGINES[name].partition(":")
    engine: Engine = getattr(import_module(module), member)
    return engine
