"""The errors of the SageMaker Runtime as its API model defines them (botocore, sagemaker-runtime 2017-05-13)."""

from __future__ import annotations

import json
import uuid
from typing import Any

from aiohttp import web

ACCOUNT = "123456789012"


class ServiceError(Exception):
    """An error answer of AWS's rest-json protocol.

    Args:
        code: the error's name, for x-amzn-errortype.
        status: the HTTP status.
        members: the members of the error's shape.
    """

    def __init__(self, code: str, status: int, **members: Any) -> None:
        super().__init__(f"{code}: {members.get('Message', '')}")
        self.code = code
        self.status = status
        self.members = members

    def response(self) -> web.Response:
        """The HTTP answer."""
        headers = {"x-amzn-errortype": self.code, "x-amzn-requestid": str(uuid.uuid4())}
        body = json.dumps(self.members, ensure_ascii=False).encode()
        return web.Response(status=self.status, body=body, content_type="application/json", headers=headers)


class BadGatewayError(ServiceError):
    """An answer that is not the service's: a page, as something between it and the client would send one."""

    def __init__(self) -> None:
        super().__init__("BadGateway", 502)

    def response(self) -> web.Response:
        """The HTTP answer."""
        return web.Response(
            status=502, text="<html><body><h1>502 Bad Gateway</h1></body></html>", content_type="text/html"
        )


def validation(message: str) -> ServiceError:
    """A call that the service refuses."""
    return ServiceError("ValidationError", 400, Message=message)


def throttled() -> ServiceError:
    """Too many calls. Common to all of AWS and in no model; 400 as JSON services have it."""
    return ServiceError("ThrottlingException", 400, Message="Rate exceeded")


def no_capacity() -> ServiceError:
    """An inference component that was scaled to zero."""
    return validation(
        "Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress (if "
        "configured) or try to increase the capacity by invoking UpdateInferenceComponentRuntimeConfig API."
    )


def unavailable() -> ServiceError:
    """No container takes the call."""
    return ServiceError("ServiceUnavailable", 503, Message="The service is currently unavailable.")


def internal_failure() -> ServiceError:
    """The service itself fails."""
    return ServiceError("InternalFailure", 500, Message="An internal failure occurred.")


def model_error(endpoint: str, region: str, status: int, message: str) -> ServiceError:
    """What the container answered when it was no success.

    Args:
        endpoint: the endpoint's name.
        region: where it is.
        status: the container's status.
        message: the container's body.
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


def timed_out(endpoint: str, region: str) -> ServiceError:
    """A container that has not answered in time: a ModelError with status 0."""
    message = (
        "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
        "each container in Amazon CloudWatch, resolve the issue, and try again."
    )
    error = model_error(endpoint, region, 0, message)
    error.members["Message"] = message
    return error
