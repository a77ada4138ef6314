"""AWS CDK constructs that serve Hugging Face text models on Amazon SageMaker."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs_lib.access import Access
    from constructs_lib.consumer import Consumer
    from constructs_lib.cors import Cors
    from constructs_lib.domain import Domain
    from constructs_lib.endpoint import IModelEndpoint
    from constructs_lib.errors import ConfigurationError
    from constructs_lib.front_door import FrontDoor
    from constructs_lib.image import TgiImage
    from constructs_lib.model import Model
    from constructs_lib.planning.instance import GpuInstance
    from constructs_lib.planning.model import ModelFacts
    from constructs_lib.planning.model_file import read_model_file
    from constructs_lib.planning.serving import ServingFacts
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
    from constructs_lib.web_acl import WebAcl

__all__ = [
    "Access",
    "Attention",
    "ConfigurationError",
    "Consumer",
    "Cors",
    "Domain",
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
    "ServingFacts",
    "TgiEndpoint",
    "TgiImage",
    "TgiOptions",
    "UsageStats",
    "WebAcl",
    "read_model_file",
]

_HOMES = {
    "Access": "access",
    "Consumer": "consumer",
    "Cors": "cors",
    "Domain": "domain",
    "ConfigurationError": "errors",
    "FrontDoor": "front_door",
    "IModelEndpoint": "endpoint",
    "Model": "model",
    "GpuInstance": "planning.instance",
    "ModelFacts": "planning.model",
    "read_model_file": "planning.model_file",
    "ServingFacts": "planning.serving",
    "TgiEndpoint": "tgi_endpoint",
    "TgiImage": "image",
    "WebAcl": "web_acl",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: the planning below here has to load without the CDK."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'planning.tgi_options')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
