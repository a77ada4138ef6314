"""The errors of the SageMaker Runtime (botocore's API model, sagemaker-runtime 2017-05-13)."""

from __future__ import annotations

import json
import uuid
from typing import Any

from aiohttp import web

ACCOUNT = "123456789012"


class ServiceError(Exception):
    """An error response of AWS's rest-json protocol.

    Args:
        code: The error code, for x-amzn-errortype.
        status: The HTTP status.
        members: The members of the error shape.
    """

    def __init__(self, code: str, status: int, **members: Any) -> None:
        super().__init__(f"{code}: {members.get('Message', '')}")
        self.code = code
        self.status = status
        self.members = members

    def response(self) -> web.Response:
        """The HTTP response."""
        headers = {"x-amzn-errortype": self.code, "x-amzn-requestid": str(uuid.uuid4())}
        body = json.dumps(self.members, ensure_ascii=False).encode()
        return web.Response(status=self.status, body=body, content_type="application/json", headers=headers)


class BadGatewayError(ServiceError):
    """An HTML error page, as from a proxy between the client and the service."""

    def __init__(self) -> None:
        super().__init__("BadGateway", 502)

    def response(self) -> web.Response:
        """The HTTP response."""
        return web.Response(
            status=502, text="<html><body><h1>502 Bad Gateway</h1></body></html>", content_type="text/html"
        )


def validation_error(message: str) -> ServiceError:
    """A call that the service rejects."""
    return ServiceError("ValidationError", 400, Message=message)


def throttling() -> ServiceError:
    """Too many calls. An error common to all of AWS that is in no API model; status 400 as in JSON services."""
    return ServiceError("ThrottlingException", 400, Message="Rate exceeded")


def no_capacity() -> ServiceError:
    """An inference component is scaled to zero."""
    return validation_error(
        "Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress (if "
        "configured) or try to increase the capacity by invoking UpdateInferenceComponentRuntimeConfig API."
    )


def component_required() -> ServiceError:
    """A call of an endpoint with inference components that names none."""
    return validation_error(
        "Inference Component Name header is required for endpoints to which you plan to deploy inference components."
    )


def service_unavailable() -> ServiceError:
    """No container accepts the call."""
    return ServiceError("ServiceUnavailable", 503, Message="The service is currently unavailable.")


def internal_failure() -> ServiceError:
    """The service itself fails."""
    return ServiceError("InternalFailure", 500, Message="An internal failure occurred.")


def model_error(endpoint: str, region: str, status: int, message: str) -> ServiceError:
    """An error response of the container.

    Args:
        endpoint: The endpoint name.
        region: The Region of the endpoint.
        status: The status of the container's response.
        message: The body of the container's response.
    """
    kind = "client" if status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    console = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group}"
    return ServiceError(
        "ModelError",
        424,
        Message=f'Received {kind} error ({status}) from primary with message "{message}". See {console} in account '
        f"{ACCOUNT} for more information.",
        OriginalStatusCode=status,
        OriginalMessage=message,
        LogStreamArn=f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}",
    )


def model_timeout(endpoint: str, region: str) -> ServiceError:
    """The container did not respond in time: a ModelError with status 0."""
    message = (
        "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
        "each container in Amazon CloudWatch, resolve the issue, and try again."
    )
    error = model_error(endpoint, region, 0, message)
    error.members["Message"] = message
    return error
