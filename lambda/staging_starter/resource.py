"""The custom resource: it starts the copy, unless the weights are there already, and ends with it."""

from typing import Any

from botocore.exceptions import BotoCoreError
from weights_copier.failure import StagingError
from weights_copier.request import RequestError, StagingRequest, read_request
from weights_copier.wait_condition import signal

from staging_starter.builds import start_build, stop_builds
from staging_starter.weights import delete_weights, find_weights


def physical_id_of(event: dict[str, Any]) -> str:
    """The id of the resource: where the weights are. With another place CloudFormation deletes the old one last.

    Raises:
        StagingError: The request is not one.
    """
    if event["RequestType"] == "Delete":
        return str(event["PhysicalResourceId"])
    request = _request(event)
    return f"{request.bucket}/{request.places.folder}"


def handle(event: dict[str, Any]) -> dict[str, str]:
    """Do what a request of CloudFormation asks for.

    Args:
        event: The request.

    Returns:
        What the template can read of the resource.

    Raises:
        StagingError: The deployment has to fail.
    """
    try:
        return _handle(event)
    except BotoCoreError as error:
        raise StagingError(f"AWS does not answer: {error}; deploy again") from error


def _handle(event: dict[str, Any]) -> dict[str, str]:
    properties = event["ResourceProperties"]
    request = _request(event)
    if event["RequestType"] == "Delete":
        stopped = stop_builds(properties["Project"], properties["Request"])
        deleted = delete_weights(request) if properties.get("Deletes") == "true" else 0
        return {"Stopped": str(stopped), "Deleted": str(deleted)}
    found = find_weights(request)
    if found is not None:
        reason = f"{request.repository} at {request.revision} is in {request.bucket} already: {found}"
        signal(properties["Handle"], properties["Hash"], reason=reason, data=found, success=True)
        return {"Build": "", "Weights": found}
    if _cannot_wait(event):
        raise StagingError(
            f"{request.repository} is not in {request.bucket}, and this update cannot wait for a copy: its condition"
            f" has waited already. First run `tgi-endpoint stage {request.repository} --revision {request.revision}"
            f" --bucket {request.bucket}`"
        )
    build = start_build(properties, token=event["RequestId"])
    return {"Build": build, "Weights": ""}


def _cannot_wait(event: dict[str, Any]) -> bool:
    """Whether the place has changed but not the wait condition, which waits once in its life."""
    before = event.get("OldResourceProperties")
    return (
        event["RequestType"] == "Update"
        and before is not None
        and before.get("Handle") == event["ResourceProperties"]["Handle"]
        and before.get("Request") != event["ResourceProperties"]["Request"]
    )


def _request(event: dict[str, Any]) -> StagingRequest:
    try:
        return read_request(event["ResourceProperties"]["Request"])
    except RequestError as error:
        raise StagingError(str(error)) from error
