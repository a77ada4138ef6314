"""AWS CDK constructs that serve Hugging Face text models on Amazon SageMaker."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs_lib.endpoint import IModelEndpoint
    from constructs_lib.errors import ConfigurationError
    from constructs_lib.front_door import FrontDoor
    from constructs_lib.image import TgiImage
    from constructs_lib.model import Model
    from constructs_lib.planning.instance import GpuInstance
    from constructs_lib.planning.model import ModelFacts
    from constructs_lib.planning.model_file import read_model_file
    from constructs_lib.planning.tgi_options import (
        Attention,
        Dtype,
        KvCacheDtype,
        LogLevel,
        Quantization,
        RopeScaling,
        TgiOptions,
        UsageStats,
    )
    from constructs_lib.tgi_endpoint import TgiEndpoint

__all__ = [
    "Attention",
    "ConfigurationError",
    "Dtype",
    "FrontDoor",
    "GpuInstance",
    "IModelEndpoint",
    "KvCacheDtype",
    "LogLevel",
    "Model",
    "ModelFacts",
    "Quantization",
    "RopeScaling",
    "TgiEndpoint",
    "TgiImage",
    "TgiOptions",
    "UsageStats",
    "read_model_file",
]

_HOMES = {
    "ConfigurationError": "errors",
    "FrontDoor": "front_door",
    "IModelEndpoint": "endpoint",
    "Model": "model",
    "GpuInstance": "planning.instance",
    "ModelFacts": "planning.model",
    "read_model_file": "planning.model_file",
    "TgiEndpoint": "tgi_endpoint",
    "TgiImage": "image",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: the planning below here has to load without the CDK."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'planning.tgi_options')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
