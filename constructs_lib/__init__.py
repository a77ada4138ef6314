"""AWS CDK constructs that serve Hugging Face text models on Amazon SageMaker."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs_lib.endpoint.async_tgi import AsyncTgiEndpoint
    from constructs_lib.endpoint.container import ContainerEndpoint
    from constructs_lib.endpoint.data_capture import DataCapture
    from constructs_lib.endpoint.engine_endpoint import EngineEndpoint
    from constructs_lib.endpoint.fleet import ModelFleet
    from constructs_lib.endpoint.fleet_model import FleetModel
    from constructs_lib.endpoint.image_mirror import ImageMirror
    from constructs_lib.endpoint.interface import IModelEndpoint
    from constructs_lib.endpoint.jumpstart import JumpStartEndpoint
    from constructs_lib.endpoint.jumpstart_model import JumpStartModel
    from constructs_lib.endpoint.lmi import LmiEndpoint
    from constructs_lib.endpoint.lmi_image import LmiImage
    from constructs_lib.endpoint.lora_adapter import LoraAdapter
    from constructs_lib.endpoint.model import Model
    from constructs_lib.endpoint.model_variant import ModelVariant
    from constructs_lib.endpoint.own_image import OwnImage
    from constructs_lib.endpoint.rollout import Rollout
    from constructs_lib.endpoint.scale_to_zero import ScaleToZero
    from constructs_lib.endpoint.scaling import EndpointScaling
    from constructs_lib.endpoint.sglang import SglangEndpoint
    from constructs_lib.endpoint.sglang_image import SglangImage
    from constructs_lib.endpoint.tgi import TgiEndpoint
    from constructs_lib.endpoint.tgi_image import TgiImage
    from constructs_lib.endpoint.tgi_neuron import TgiNeuronEndpoint
    from constructs_lib.endpoint.tgi_neuron_image import TgiNeuronImage
    from constructs_lib.endpoint.vllm import VllmEndpoint
    from constructs_lib.endpoint.vllm_image import VllmImage
    from constructs_lib.errors import ConfigurationError
    from constructs_lib.front_door.access import Access
    from constructs_lib.front_door.access.base import AccessMethod
    from constructs_lib.front_door.consumer import Consumer
    from constructs_lib.front_door.cors import Cors
    from constructs_lib.front_door.domain import Domain
    from constructs_lib.front_door.front_door import FrontDoor
    from constructs_lib.front_door.routed_models import Fallback, Mirror, RoutedModel, Split
    from constructs_lib.front_door.web_acl import WebAcl
    from constructs_lib.iam_names import IamNames
    from constructs_lib.monitoring.dashboard import Dashboard
    from constructs_lib.planning.engines.container.options import ContainerProtocol
    from constructs_lib.planning.engines.lmi.options import LmiDtype, LmiKvCacheDtype, LmiOptions, LmiQuantization
    from constructs_lib.planning.engines.sglang.options import (
        SamplingDefaults,
        SglangDtype,
        SglangKvCacheDtype,
        SglangLogLevel,
        SglangOptions,
        SglangQuantization,
    )
    from constructs_lib.planning.engines.tgi.options import (
        Attention,
        Dtype,
        KvCacheDtype,
        LogLevel,
        Quantization,
        RopeScaling,
        TgiOptions,
        UsageStats,
    )
    from constructs_lib.planning.engines.tgi_neuron.options import AutoCastType, NeuronOptions
    from constructs_lib.planning.engines.vllm.options import (
        LogprobsMode,
        ModelImplementation,
        SchedulingPolicy,
        VllmDtype,
        VllmKvCacheDtype,
        VllmLogLevel,
        VllmOptions,
        VllmQuantization,
    )
    from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
    from constructs_lib.planning.models.facts import ModelFacts
    from constructs_lib.planning.models.facts_file import ModelFile, read_model_file
    from constructs_lib.planning.models.layer_groups import LayerGroup
    from constructs_lib.planning.scaling.capacity_reservation import CapacityReservation
    from constructs_lib.planning.scaling.routing import Routing
    from constructs_lib.planning.serving_limits import ServingFacts, ServingOptions, StreamFormat

__all__ = [
    "Access",
    "AccessMethod",
    "AsyncTgiEndpoint",
    "Attention",
    "AutoCastType",
    "CapacityReservation",
    "CheapestFor",
    "ConfigurationError",
    "Consumer",
    "ContainerEndpoint",
    "ContainerProtocol",
    "Cors",
    "Dashboard",
    "DataCapture",
    "Domain",
    "Dtype",
    "EndpointScaling",
    "EngineEndpoint",
    "Fallback",
    "FleetModel",
    "FrontDoor",
    "IModelEndpoint",
    "IamNames",
    "ImageMirror",
    "InstanceType",
    "JumpStartEndpoint",
    "JumpStartModel",
    "KvCacheDtype",
    "LayerGroup",
    "LmiDtype",
    "LmiEndpoint",
    "LmiImage",
    "LmiKvCacheDtype",
    "LmiOptions",
    "LmiQuantization",
    "LogLevel",
    "LogprobsMode",
    "LoraAdapter",
    "Mirror",
    "Model",
    "ModelFacts",
    "ModelFile",
    "ModelFleet",
    "ModelImplementation",
    "ModelVariant",
    "NeuronOptions",
    "OwnImage",
    "Quantization",
    "Rollout",
    "RopeScaling",
    "RoutedModel",
    "Routing",
    "SamplingDefaults",
    "ScaleToZero",
    "SchedulingPolicy",
    "ServingFacts",
    "ServingOptions",
    "SglangDtype",
    "SglangEndpoint",
    "SglangImage",
    "SglangKvCacheDtype",
    "SglangLogLevel",
    "SglangOptions",
    "SglangQuantization",
    "Split",
    "StreamFormat",
    "TgiEndpoint",
    "TgiImage",
    "TgiNeuronEndpoint",
    "TgiNeuronImage",
    "TgiOptions",
    "UsageStats",
    "VllmDtype",
    "VllmEndpoint",
    "VllmImage",
    "VllmKvCacheDtype",
    "VllmLogLevel",
    "VllmOptions",
    "VllmQuantization",
    "WebAcl",
    "read_model_file",
]

_MODULES = {
    "Access": "front_door.access",
    "AccessMethod": "front_door.access.base",
    "AsyncTgiEndpoint": "endpoint.async_tgi",
    "ContainerEndpoint": "endpoint.container",
    "ContainerProtocol": "planning.engines.container.options",
    "OwnImage": "endpoint.own_image",
    "StreamFormat": "planning.serving_limits",
    "AutoCastType": "planning.engines.tgi_neuron.options",
    "DataCapture": "endpoint.data_capture",
    "Rollout": "endpoint.rollout",
    "Consumer": "front_door.consumer",
    "Cors": "front_door.cors",
    "Dashboard": "monitoring.dashboard",
    "Domain": "front_door.domain",
    "ConfigurationError": "errors",
    "EndpointScaling": "endpoint.scaling",
    "EngineEndpoint": "endpoint.engine_endpoint",
    "FleetModel": "endpoint.fleet_model",
    "FrontDoor": "front_door.front_door",
    **dict.fromkeys(("Fallback", "Mirror", "RoutedModel", "Split"), "front_door.routed_models"),
    "IModelEndpoint": "endpoint.interface",
    "IamNames": "iam_names",
    "ImageMirror": "endpoint.image_mirror",
    "JumpStartEndpoint": "endpoint.jumpstart",
    "JumpStartModel": "endpoint.jumpstart_model",
    "LmiEndpoint": "endpoint.lmi",
    "LmiImage": "endpoint.lmi_image",
    **dict.fromkeys(("LmiDtype", "LmiKvCacheDtype", "LmiOptions", "LmiQuantization"), "planning.engines.lmi.options"),
    "SglangEndpoint": "endpoint.sglang",
    "SglangImage": "endpoint.sglang_image",
    **dict.fromkeys(
        (
            "SamplingDefaults",
            "SglangDtype",
            "SglangKvCacheDtype",
            "SglangLogLevel",
            "SglangOptions",
            "SglangQuantization",
        ),
        "planning.engines.sglang.options",
    ),
    "LoraAdapter": "endpoint.lora_adapter",
    "Model": "endpoint.model",
    "ModelFleet": "endpoint.fleet",
    "ModelVariant": "endpoint.model_variant",
    "NeuronOptions": "planning.engines.tgi_neuron.options",
    "CheapestFor": "planning.hardware.instance_types",
    "InstanceType": "planning.hardware.instance_types",
    "ModelFacts": "planning.models.facts",
    "ModelFile": "planning.models.facts_file",
    "read_model_file": "planning.models.facts_file",
    "LayerGroup": "planning.models.layer_groups",
    "CapacityReservation": "planning.scaling.capacity_reservation",
    "Routing": "planning.scaling.routing",
    "ScaleToZero": "endpoint.scale_to_zero",
    "ServingFacts": "planning.serving_limits",
    "ServingOptions": "planning.serving_limits",
    "TgiEndpoint": "endpoint.tgi",
    "TgiImage": "endpoint.tgi_image",
    "TgiNeuronEndpoint": "endpoint.tgi_neuron",
    "TgiNeuronImage": "endpoint.tgi_neuron_image",
    "VllmEndpoint": "endpoint.vllm",
    "VllmImage": "endpoint.vllm_image",
    "LogprobsMode": "planning.engines.vllm.options",
    "ModelImplementation": "planning.engines.vllm.options",
    "SchedulingPolicy": "planning.engines.vllm.options",
    "VllmDtype": "planning.engines.vllm.options",
    "VllmKvCacheDtype": "planning.engines.vllm.options",
    "VllmLogLevel": "planning.engines.vllm.options",
    "VllmOptions": "planning.engines.vllm.options",
    "VllmQuantization": "planning.engines.vllm.options",
    "WebAcl": "front_door.web_acl",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that the planning package loads without the CDK."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'planning.engines.tgi.options')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
