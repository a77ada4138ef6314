"""The engines: one package each, and this registry. Nothing outside an engine's package imports it but by its name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs_lib.planning.engine import Engine

ENGINES = {
    "tgi": "constructs_lib.planning.engines.tgi.engine:TGI",
}
"""Module and name of each engine."""


def engine_named(name: str) -> Engine:
    """The engine of that name, which is imported when it is first asked for.

    Raises:
        KeyError: There is no such engine.
    """
    module, _, member = ENGINES[name].partition(":")
    engine: Engine = getattr(import_module(module), member)
    return engine
