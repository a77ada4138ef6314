"""Custom resources: the requests to their functions, and what CloudFormation makes of the answers.

Sources: crpg-ref-requests.html and crpg-ref-responses.html in
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from local.deployment.recorded_resources import RECORDED
from local.deployment.stacks.state import ResourceFailure, StackResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.deployment.stacks.data_plane import DataPlane

MAX_ANSWER_BYTES = 4096
MAX_PHYSICAL_ID_BYTES = 1024
DEFAULT_TIMEOUT_SECONDS = 3600
MASKED = "*****"


class CustomResource:
    """A custom resource, as a stack keeps it.

    Args:
        resource_type: The resource type.
        logical_id: The logical id.
        physical_id: The physical id that its function has given it.
        data: What `Fn::GetAtt` reads.
        no_echo: Whether outputs show asterisks instead of the data.

    Attributes:
        masked: Whether it gives asterisks instead of the data at this moment.
    """

    def __init__(
        self, resource_type: str, logical_id: str, physical_id: str, data: Mapping[str, Any], *, no_echo: bool = False
    ) -> None:
        self.cf_resource_type = resource_type
        self.logical_resource_id = logical_id
        self.physical_resource_id = physical_id
        self.no_echo = no_echo
        self.masked = False
        self._data = data

    def get_cfn_attribute(self, name: str) -> Any:
        """The value of `Fn::GetAtt`.

        Raises:
            ResourceFailure: The function has not given it.
        """
        if name not in self._data:
            raise ResourceFailure(
                f"CustomResource attribute error: Vendor response doesn't contain {name} attribute in object "
                f"{self.physical_resource_id}"
            )
        return MASKED if self.masked else self._data[name]


class NotCreated(ResourceFailure):
    """The function has not created the resource, and is asked to delete what there may be of it.

    Args:
        reason: The reason of the failure.
        instance: The resource as far as it is known.
    """

    def __init__(self, reason: str, instance: CustomResource) -> None:
        super().__init__(reason)
        self.instance = instance


def is_custom(resource_type: str) -> bool:
    """Whether a function creates resources of this type, and they are not only recorded."""
    custom = resource_type.startswith("Custom::") or resource_type == "AWS::CloudFormation::CustomResource"
    return custom and resource_type not in RECORDED


def create(stack_id: str, resource: StackResource, data_plane: DataPlane) -> CustomResource:
    """Asks the function to create a resource.

    Raises:
        NotCreated: It has not.
        ResourceFailure: There is no such function.
    """
    generated = f"{resource.stack}-{resource.logical_id}-{uuid.uuid4().hex[:12].upper()}"
    try:
        return _ask(stack_id, resource, {"RequestType": "Create"}, data_plane)
    except _RefusedError as refused:
        physical_id = refused.physical_id or generated
        instance = CustomResource(resource.type, resource.logical_id, physical_id, {})
        raise NotCreated(str(refused), instance) from refused


def update(stack_id: str, old: StackResource, new: StackResource, data_plane: DataPlane) -> CustomResource:
    """Asks the function to update a resource. With another physical id in the answer, it is another resource.

    Raises:
        ResourceFailure: It has not, or there is no such function.
    """
    request = {
        "RequestType": "Update",
        "PhysicalResourceId": old.physical_id,
        "OldResourceProperties": as_strings(old.properties),
    }
    return _ask(stack_id, new, request, data_plane)


def delete(stack_id: str, resource: StackResource, data_plane: DataPlane) -> None:
    """Asks the function to delete a resource.

    Raises:
        ResourceFailure: It has not, or there is no such function.
    """
    _ask(stack_id, resource, {"RequestType": "Delete", "PhysicalResourceId": resource.physical_id}, data_plane)


class _RefusedError(ResourceFailure):
    """The function has not answered as it should; `physical_id` is the one in its answer, if any."""

    physical_id: str | None = None


def _ask(stack_id: str, resource: StackResource, parts: Mapping[str, Any], data_plane: DataPlane) -> CustomResource:
    token = resource.properties.get("ServiceToken")
    if not isinstance(token, str) or ":function:" not in token:
        raise ResourceFailure(f"ServiceToken={token}: must be the ARN of a Lambda function in the emulated cloud.")
    request_id = str(uuid.uuid4())
    ids = {"StackId": stack_id, "RequestId": request_id, "LogicalResourceId": resource.logical_id}

    def request(response_url: str) -> dict[str, Any]:
        return {
            **parts,
            **ids,
            "ServiceToken": token,
            "ResponseURL": response_url,
            "ResourceType": resource.type,
            "ResourceProperties": as_strings(resource.properties),
        }

    body = data_plane.answer_of(token, request, _timeout(resource))
    if body is None:
        raise _RefusedError(
            "CloudFormation did not receive a response from your custom resource. Please check your logs for requestId "
            f"[{request_id}]."
        )
    answer = read_answer(body, ids)
    return CustomResource(
        resource.type,
        resource.logical_id,
        answer["PhysicalResourceId"],
        answer.get("Data") or {},
        no_echo=answer.get("NoEcho") in (True, "true"),
    )


def _timeout(resource: StackResource) -> float:
    value = resource.properties.get("ServiceTimeout", DEFAULT_TIMEOUT_SECONDS)
    try:
        seconds = int(value)
    except (TypeError, ValueError):
        seconds = 0
    if not 1 <= seconds <= DEFAULT_TIMEOUT_SECONDS:
        raise ResourceFailure(f"ServiceTimeout={value}: must be an integer from 1 to {DEFAULT_TIMEOUT_SECONDS}.")
    return float(seconds)


def read_answer(body: bytes, ids: Mapping[str, str]) -> dict[str, Any]:
    """The answer of a function that succeeded.

    Args:
        body: What it has sent.
        ids: The fields of the request that the answer repeats.

    Raises:
        ResourceFailure: It has failed, or its answer is not one.
    """
    if len(body) > MAX_ANSWER_BYTES:
        raise _RefusedError("Response object is too long.")
    try:
        answer = json.loads(body)
    except ValueError:
        raise _RefusedError("Invalid Response object: it is not JSON.") from None
    if not isinstance(answer, dict):
        raise _RefusedError("Invalid Response object: it is not a JSON object.")
    for name, value in ids.items():
        if answer.get(name) != value:
            raise _RefusedError(f"Invalid Response object: {name} must be the one of the request.")
    if answer.get("Status") not in ("SUCCESS", "FAILED"):
        raise _RefusedError("Invalid Response object: Status must be SUCCESS or FAILED.")
    physical_id = answer.get("PhysicalResourceId")
    if not isinstance(physical_id, str) or not 0 < len(physical_id.encode()) <= MAX_PHYSICAL_ID_BYTES:
        raise _RefusedError("Invalid PhysicalResourceId")
    if answer["Status"] == "FAILED":
        refused = _RefusedError(_message(answer, ids["RequestId"]))
        refused.physical_id = physical_id
        raise refused
    if not isinstance(answer.get("Data") or {}, dict):
        raise _RefusedError("Invalid Response object: Data must be an object.")
    return answer


def _message(answer: Mapping[str, Any], request_id: str) -> str:
    if not answer.get("Reason"):
        return "Invalid Response object: Reason must be given when Status is FAILED."
    return (
        "Received response status [FAILED] from custom resource. Message returned: "
        f"{answer['Reason']} (RequestId: {request_id})"
    )


def as_strings(value: Any) -> Any:
    """Properties as CloudFormation sends them: every value that is neither a list nor an object is text."""
    if isinstance(value, dict):
        return {name: as_strings(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_strings(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
