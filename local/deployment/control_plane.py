"""The control plane: moto, served in this process as the target of the real CDK CLI."""

from __future__ import annotations

import logging
import os
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Self

import botocore.session
from botocore.config import Config

from local.deployment import moto_patches, recorded_resources
from local.deployment.stacks.engine import Engine

if TYPE_CHECKING:
    from types import TracebackType

    from local.deployment.recorded_resources import RecordedResource

ACCOUNT = "123456789012"
REGION = "us-east-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "emulated",
    "AWS_SECRET_ACCESS_KEY": "emulated",
    "AWS_SESSION_TOKEN": "emulated",
}


class ControlPlane:
    """CloudFormation, S3, IAM, SageMaker … on a free port of the loopback interface.

    moto keeps its state in this process: use one control plane at a time. Starting one resets the state.

    Attributes:
        stacks: The stacks of the account.
    """

    def __init__(self) -> None:
        self._server: Any = None
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self.stacks = Engine(self.client)

    def __enter__(self) -> Self:
        _silence_logs()
        from moto.server import ThreadedMotoServer

        moto_patches.apply(self.stacks)
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        _reset()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stacks.stop()
        if self._server is not None:
            self._server.stop()

    @property
    def url(self) -> str:
        """The endpoint for the CDK CLI and the SDKs.

        It contains `localhost` because that is how moto 5.2 distinguishes template URLs from S3 URLs.
        """
        _, port = self._server.get_host_and_port()
        return f"http://localhost:{port}"

    @property
    def address(self) -> str:
        """The endpoint for functions: an IP address, with which SDKs address S3's buckets by path."""
        host, port = self._server.get_host_and_port()
        return f"http://{host}:{port}"

    def has_stack(self, name: str) -> bool:
        """Whether there is a stack of this name."""
        stacks = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        return any(stack["StackName"] == name for page in stacks for stack in page["Stacks"])

    def recorded(self, resource_type: str) -> list[RecordedResource]:
        """The resources of a type that moto does not support, with their resolved properties."""
        found = recorded_resources.resources_of(ACCOUNT, REGION).values()
        return [resource for resource in found if resource.cf_resource_type == resource_type]

    def client(self, service: str) -> Any:
        """The client of a service, which ignores the user's profile and configuration."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._client(service)
            return self._clients[service]

    def _client(self, service: str) -> Any:
        return _session().create_client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=CREDENTIALS["AWS_SESSION_TOKEN"],
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )


@cache
def _session() -> botocore.session.Session:
    return botocore.session.Session(
        session_vars={
            "profile": (None, [], None, None),
            "config_file": (None, [], os.devnull, None),
            "credentials_file": (None, [], os.devnull, None),
        }
    )


def _silence_logs() -> None:
    """Hides moto's request log."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    logging.getLogger("moto").setLevel(logging.ERROR)


def _reset() -> None:
    from moto.moto_api._internal import moto_api_backends

    moto_api_backends["global"].reset()
