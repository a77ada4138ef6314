"""Endpoints and inference components: they exist once their containers serve, and else fail."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from local.deployment.deployed_endpoint import FAILED
from local.deployment.stacks.state import ResourceFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.deployment.stacks.data_plane import DataPlane
    from local.deployment.stacks.state import StackResource

ENDPOINT = "AWS::SageMaker::Endpoint"
_RUNNING = (ENDPOINT, "AWS::SageMaker::InferenceComponent")


def run(resource: StackResource, data_plane: DataPlane, former_config: str | None = None) -> None:
    """Waits until a resource that has just been created or updated serves.

    Args:
        resource: The resource.
        data_plane: What runs.
        former_config: The configuration of an endpoint before the update, which it keeps if the update fails.

    Raises:
        ResourceFailure: It does not serve; after an update it serves as before.
    """
    if resource.type not in _RUNNING:
        return
    if config_of(resource) == former_config:  # another property alone, or no endpoint
        data_plane.follow(settled=False)
        return
    with _changing(resource.instance, former_config):
        data_plane.follow(settled=False, endpoint=_endpoint_of(resource))


def config_of(resource: StackResource) -> str | None:
    """The configuration of an endpoint; None for other resources."""
    config: str | None = resource.instance.endpoint_config_name if resource.type == ENDPOINT else None
    return config


def _endpoint_of(resource: StackResource) -> str:
    if resource.type == ENDPOINT:
        return str(resource.physical_id).rpartition("/")[2]
    return str(resource.properties["EndpointName"])


@contextmanager
def _changing(endpoint: Any, former_config: str | None) -> Iterator[None]:
    """Gives an endpoint the status that SageMaker gives it."""
    endpoint.endpoint_status = "Creating" if former_config is None else "Updating"
    try:
        yield
    except ResourceFailure as failure:
        endpoint.failure_reason = str(failure)
        endpoint.endpoint_status = FAILED
        if former_config is not None:
            endpoint.endpoint_config_name = former_config
            endpoint.endpoint_status = "InService"
        raise
    endpoint.endpoint_status, endpoint.failure_reason = "InService", None
