"""The Lambda invocation URIs of integrations and authorizers."""

from __future__ import annotations

import re
from dataclasses import dataclass

FUNCTION = re.compile(
    r"arn:[^:]+:apigateway:[^:]+:lambda:path/(?P<version>\d{4}-\d\d-\d\d)/functions/"
    r"arn:[^:]+:lambda:[^:]+:\d*:function:(?P<name>[^:/]+)(?::[^/]+)?/(?P<action>[a-z-]+)"
)
BUFFERED = ("2015-03-31", "invocations")
STREAM = ("2021-11-15", "response-streaming-invocations")


@dataclass(frozen=True, slots=True)
class InvocationUri:
    """The function name, and the version and path of the Lambda operation."""

    name: str
    action: tuple[str, str]


def read_uri(uri: str) -> InvocationUri | None:
    """Parses the invocation URI of a function; None if it is something else."""
    found = FUNCTION.fullmatch(uri)
    return InvocationUri(found["name"], (found["version"], found["action"])) if found else None
