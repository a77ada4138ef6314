"""What containers speak: one folder per engine, and the one place where a model's engine is chosen."""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from front_door.config import ConfigError

if TYPE_CHECKING:
    from front_door.engines.base import Engine

ENGINES = {
    "tgi": "front_door.engines.tgi.engine:TgiEngine",
    "tgi-neuron": "front_door.engines.tgi.engine:TgiEngine",
    "vllm": "front_door.engines.openai.vllm:VllmEngine",
    "sglang": "front_door.engines.openai.sglang:SglangEngine",
    "lmi": "front_door.engines.openai.lmi:LmiEngine",
    "openai": "front_door.engines.openai.engine:OpenAiEngine",
}
"""The class of each engine, by the name in a model's configuration; imported by the first request that needs it.

`openai` is any other container that speaks OpenAI's protocol.
"""


def check(name: str) -> None:
    """Raise ConfigError if there is no engine of this name."""
    if name not in ENGINES:
        raise ConfigError(f"The engine {name!r} is unknown; known are {', '.join(ENGINES)}.")


@cache
def of(name: str) -> "Engine":
    """The engine of this name; raises ConfigError if there is none."""
    check(name)
    module, _, class_name = ENGINES[name].partition(":")
    engine: Engine = getattr(import_module(module), class_name)()
    return engine
