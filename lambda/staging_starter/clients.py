"""Clients of AWS's services, and what their errors are."""

from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

_CONFIG = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 4, "mode": "standard"})


def client(service: str) -> Any:
    """A client that gives up within a minute or so."""
    return boto3.client(service, config=_CONFIG)


def code_of(error: ClientError) -> str:
    """The code of an error."""
    return str(error.response.get("Error", {}).get("Code"))


def message_of(error: ClientError) -> str:
    """What the service says about it, without a full stop."""
    return str(error.response.get("Error", {}).get("Message")).strip().rstrip(".")


def pages(call: Callable[..., dict[str, Any]], name: str, **arguments: Any) -> list[Any]:
    """What all pages of a CodeBuild list have under a name."""
    found: list[Any] = []
    answer = call(**arguments)
    while True:
        found += answer.get(name, [])
        token = answer.get("nextToken")
        if not token:
            return found
        answer = call(**arguments, nextToken=token)
