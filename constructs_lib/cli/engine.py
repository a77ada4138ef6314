"""The engines that the commands plan for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.planning.engines import ENGINES, engine_named
from constructs_lib.planning.models.architectures import implementation

if TYPE_CHECKING:
    from constructs_lib.planning.engine import Engine
    from constructs_lib.planning.images.catalogue import Version
    from constructs_lib.planning.models.facts import ModelFacts

DEFAULT_ENGINE = "tgi"


def planned_engines() -> tuple[str, ...]:
    """The names of the engines whose memory is planned, in the order of the registry."""
    return tuple(name for name in ENGINES if engine_named(name).memory_model.options is not None)


def runs_with(engine: Engine, facts: ModelFacts, version: Version | None = None) -> str | None:
    """What runs the model in an engine that has more than one way to; None for the others.

    Args:
        engine: The engine.
        facts: The model.
        version: Version of the engine. Default: the newest.
    """
    if engine.name != DEFAULT_ENGINE:
        return None
    return implementation(facts, version or engine.images.newest_version).name


def compression(engine: Engine, options: object) -> str | None:
    """How the options compress the weights; None if they do not say, or if the engine has no such option."""
    name = engine.memory_model.option_names.compression
    found: str | None = getattr(options, name) if name else None
    return found
