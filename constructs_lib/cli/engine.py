"""The engine that the commands plan for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.planning.engines import engine_named

if TYPE_CHECKING:
    from constructs_lib.planning.engine import Engine


def chosen_engine() -> Engine:
    """The engine that the commands plan for."""
    return engine_named("tgi")
