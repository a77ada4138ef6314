"""Reads how an asynchronous endpoint takes requests, with the S3 and SNS that it uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from local.sagemaker_runtime.async_queue import AsyncSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.deployment.control_plane import ControlPlane

DEFAULT_CONCURRENCY = 4
"""What SageMaker chooses without a number is not documented."""

_TOPICS = {"success": "SuccessTopic", "error": "ErrorTopic"}
_INCLUDED = {"SUCCESS_NOTIFICATION_TOPIC": "success", "ERROR_NOTIFICATION_TOPIC": "error"}


@dataclass(frozen=True, slots=True)
class PlaneStorage:
    """S3 and SNS of the control plane."""

    s3: Any
    sns: Any

    def read(self, uri: str) -> bytes:
        """See `Storage.read`."""
        try:
            content: bytes = self.s3.get_object(**_location(uri))["Body"].read()
        except ClientError as error:
            raise FileNotFoundError(error.response["Error"]["Code"]) from error
        return content

    def write(self, uri: str, body: bytes, content_type: str) -> None:
        """See `Storage.write`."""
        self.s3.put_object(**_location(uri), Body=body, ContentType=content_type)

    def publish(self, topic: str, message: str) -> None:
        """See `Storage.publish`."""
        self.sns.publish(TopicArn=topic, Message=message)


@dataclass(frozen=True, slots=True)
class DeployedAsync:
    """How an asynchronous endpoint takes requests."""

    settings: AsyncSettings
    storage: PlaneStorage


def read_async(plane: ControlPlane, config: Mapping[str, Any]) -> DeployedAsync | None:
    """How the endpoint of a configuration takes requests; None of a real-time one.

    Args:
        plane: The control plane.
        config: What DescribeEndpointConfig answers.
    """
    given = config.get("AsyncInferenceConfig")
    if not given:
        return None
    output, client = given["OutputConfig"], given.get("ClientConfig", {})
    told = output.get("NotificationConfig", {})
    settings = AsyncSettings(
        output=output["S3OutputPath"],
        failure=output.get("S3FailurePath"),
        topics={outcome: told[name] for outcome, name in _TOPICS.items() if name in told},
        includes=frozenset(_INCLUDED[name] for name in told.get("IncludeInferenceResponseIn", ())),
        concurrency=int(client.get("MaxConcurrentInvocationsPerInstance", DEFAULT_CONCURRENCY)),
    )
    return DeployedAsync(settings, PlaneStorage(plane.client("s3"), plane.client("sns")))


def _location(uri: str) -> dict[str, str]:
    parts = urlsplit(uri)
    return {"Bucket": parts.netloc, "Key": parts.path.lstrip("/")}
