"""An endpoint of one engine, which is chosen by the class of its construct."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from constructs_lib.endpoint.endpoint_options import endpoint_arguments
from constructs_lib.endpoint.imported import ImportedEndpoint
from constructs_lib.endpoint.real_time import RealTimeEndpoint
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from constructs_lib.endpoint.endpoint_options import EndpointOptions
    from constructs_lib.endpoint.engine_image import EngineImage
    from constructs_lib.endpoint.lora_adapter import LoraAdapter
    from constructs_lib.endpoint.model import Model
    from constructs_lib.planning.engine import Engine
    from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
    from constructs_lib.planning.serving_limits import ServingOptions


class EngineEndpoint(RealTimeEndpoint):
    """A SageMaker real-time endpoint whose container runs the engine of its class.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        given: The arguments that do not depend on the engine, as the caller gives them.
        model: The weights.
        instance_type: The instance type, a load, or a list of types.
        image: The container image. Default: AWS's image of the newest version that this library knows.
        options: The engine's options. Default: the engine's own defaults.
        adapters: LoRA adapters that are inference components. Default: none.

    Raises:
        ConfigurationError: The endpoint could not be deployed with these arguments. No resource has been created.
        TypeError: There is no such argument.
    """

    ENGINE: ClassVar[Engine]
    """What runs in the container."""

    IMAGE: ClassVar[type[EngineImage]]
    """The class of its images."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        given: EndpointOptions,
        *,
        model: Model,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType],
        image: EngineImage | None,
        options: Any,
        adapters: Sequence[LoraAdapter] = (),
    ) -> None:
        arguments = endpoint_arguments(
            type(self),
            given,
            model=model,
            instance_type=instance_type,
            image=self.IMAGE.version(self.ENGINE.images.newest) if image is None else image,
            options=self.ENGINE.options_type() if options is None else options,
        )
        super().__init__(scope, id, engine=self.ENGINE, arguments=replace(arguments, adapters=adapters))

    @property
    def engine(self) -> str:
        """The name of the engine that the container runs, which decides its protocol."""
        return self.ENGINE.name

    @classmethod
    def from_endpoint_name(
        cls,
        scope: Construct,
        id: str,
        endpoint_name: str,
        *,
        variant_name: str = "AllTraffic",
        model_id: str | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        inference_component_name: str | None = None,
        wake_seconds: int | None = None,
        **serving: Unpack[ServingOptions],
    ) -> ImportedEndpoint:
        """Import an endpoint of this engine in the stack's own account and Region.

        Args:
            scope: Parent construct.
            id: Identifier within the parent.
            endpoint_name: Its name, in the case that the SageMaker console shows.
            variant_name: Name of its production variant, for metrics. Default: AllTraffic.
            model_id: The model's repository on the hub. Default: unknown.
            max_body_bytes: Size limit of one request, in bytes. Default: 6291456, SageMaker's own limit.
            inference_component_name: Name of the inference component that serves the model. Default: the endpoint has
                no components.
            wake_seconds: How long the model takes from the first request that finds no copy to the first answer, which
                a front door tells clients. Requires `inference_component_name`. Default: unknown.
            serving: How the model is served: the members of `ServingFacts`, such as `max_total_tokens=4096`. A front
                door shows them to clients and validates requests against them. Default: unknown.

        Raises:
            ConfigurationError: The arguments cannot be those of an endpoint.
        """
        return ImportedEndpoint.from_endpoint_attributes(
            scope,
            id,
            engine=cls.ENGINE,
            endpoint_name=endpoint_name,
            variant_name=variant_name,
            model_id=model_id,
            max_body_bytes=max_body_bytes,
            inference_component_name=inference_component_name,
            wake_seconds=wake_seconds,
            **serving,
        )

    @classmethod
    def from_endpoint_arn(
        cls,
        scope: Construct,
        id: str,
        endpoint_arn: str,
        *,
        endpoint_name: str | None = None,
        variant_name: str = "AllTraffic",
        model_id: str | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        inference_component_name: str | None = None,
        wake_seconds: int | None = None,
        **serving: Unpack[ServingOptions],
    ) -> ImportedEndpoint:
        """Import an endpoint of this engine in any account and Region.

        Args:
            scope: Parent construct.
            id: Identifier within the parent.
            endpoint_arn: Its ARN.
            endpoint_name: Its name, if it has capitals: ARNs have names in lower case, and calls must match the case.
                Default: the name in the ARN.
            variant_name: Name of its production variant, for metrics. Default: AllTraffic.
            model_id: The model's repository on the hub. Default: unknown.
            max_body_bytes: Size limit of one request, in bytes. Default: 6291456, SageMaker's own limit.
            inference_component_name: Name of the inference component that serves the model. Default: the endpoint has
                no components.
            wake_seconds: How long the model takes from the first request that finds no copy to the first answer, which
                a front door tells clients. Requires `inference_component_name`. Default: unknown.
            serving: How the model is served: the members of `ServingFacts`, such as `max_total_tokens=4096`. A front
                door shows them to clients and validates requests against them. Default: unknown.

        Raises:
            ConfigurationError: The arguments cannot be those of an endpoint.
        """
        return ImportedEndpoint.from_endpoint_attributes(
            scope,
            id,
            engine=cls.ENGINE,
            endpoint_arn=endpoint_arn or "",  # None would derive it from the name
            endpoint_name=endpoint_name,
            variant_name=variant_name,
            model_id=model_id,
            max_body_bytes=max_body_bytes,
            inference_component_name=inference_component_name,
            wake_seconds=wake_seconds,
            **serving,
        )
