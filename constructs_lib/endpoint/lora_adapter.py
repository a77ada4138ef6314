"""LoRA adapters that are inference components of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from constructs_lib._arguments import BUCKET
from constructs_lib._tokens import hide_token
from constructs_lib.endpoint.inference_component import component_name
from constructs_lib.endpoint.s3_location import S3Archive
from constructs_lib.planning.engines.lora import AdapterChoice, adapter_problems
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aws_cdk import aws_s3 as s3

    from constructs_lib.endpoint.execution_role import ExecutionRole
    from constructs_lib.endpoint.inference_component import InferenceComponent


class LoraAdapter:
    """A LoRA adapter, which changes how a model answers.

    Create one with `LoraAdapter.from_s3_archive`.
    """

    def __init__(self, name: str, archive: S3Archive, key: str, rank: int) -> None:
        self.name: str = name
        self.archive: S3Archive = archive
        self._key = key
        self._rank = rank

    @staticmethod
    def from_s3_archive(name: str, bucket: s3.IBucket, key: str, *, rank: int = 16) -> LoraAdapter:
        """An adapter in one compressed archive, which SageMaker unpacks when a request first needs it.

        Args:
            name: What clients call it: they send the model `<model>:<name>`. 1 to 32 letters, digits, hyphens and
                underscores.
            bucket: Bucket in the endpoint's Region. A bucket in another account must allow the endpoint's role to
                read it.
            key: Object with `adapter_config.json` and `adapter_model.safetensors`, packed as .tar.gz.
            rank: Its rank, `r` of adapter_config.json. Default: 16.
        """
        return LoraAdapter(name, S3Archive(bucket, key), key, rank)

    def spec(self) -> AdapterChoice:
        """What the plan needs to know."""
        key: Any = hide_token(self._key)
        return AdapterChoice(self.name, key, self._rank)

    def validate(self, keyword: str) -> Iterator[Problem]:
        """Problems of the CDK objects that it was created from.

        Args:
            keyword: What names the adapter in them.
        """
        yield from BUCKET.problems(f"{keyword}.bucket", self.archive.bucket, required=True)


def lora_problems(adapters: Any, *, has_component: bool, most_rank: object = None) -> Iterator[Problem]:
    """What is wrong with the adapters of an endpoint.

    Args:
        adapters: What the caller gives.
        has_component: Whether the model is an inference component.
        most_rank: The option max_lora_rank. Default: not given.
    """
    if not isinstance(adapters, list | tuple) or not all(isinstance(one, LoraAdapter) for one in adapters):
        message = "must be a list of LoraAdapter"
        yield Problem("adapters", adapters, message, "Write [LoraAdapter.from_s3_archive(…)].")
        return
    for position, adapter in enumerate(adapters):
        yield from adapter.validate(f"adapters[{position}]")
    specs = [one.spec() for one in adapters]
    yield from adapter_problems(specs, has_component=has_component, most_rank=most_rank)


class AdapterComponents:
    """Renders the inference components of an endpoint's adapters.

    Args:
        scope: The endpoint.
        adapters: Its adapters, without problems.
        home: What the components cannot leave, as of the model's component.

    Attributes:
        names: The names of the components, by those of the adapters.
    """

    def __init__(self, scope: Construct, adapters: Sequence[LoraAdapter], home: str | None) -> None:
        self._adapters = adapters
        self._scopes = {one.name: Construct(scope, f"Adapter-{one.name}") for one in adapters}
        self.names = {name: component_name(own, home) for name, own in self._scopes.items()}

    def allow_read(self, role: ExecutionRole) -> None:
        """Allow the endpoint's role to read the archives."""
        for adapter in self._adapters:
            adapter.archive.allow_read(role)

    def render(self, base: InferenceComponent, endpoint: sagemaker.CfnEndpoint) -> None:
        """Add a component for each adapter.

        Args:
            base: The component of the model, into whose copies SageMaker loads them.
            endpoint: The endpoint's resource.
        """
        component = sagemaker.CfnInferenceComponent
        for adapter in self._adapters:
            resource = component(
                self._scopes[adapter.name],
                "InferenceComponent",
                inference_component_name=self.names[adapter.name],
                endpoint_name=endpoint.attr_endpoint_name,
                specification=component.InferenceComponentSpecificationProperty(
                    base_inference_component_name=base.name,
                    container=component.InferenceComponentContainerSpecificationProperty(
                        artifact_url=adapter.archive.uri
                    ),
                ),
            )
            resource.add_resource_dependency(base.resource)
