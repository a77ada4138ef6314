"""The answer to one request, before it is told to Lambda."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class Response:
    """Status, headers and body of one answer.

    Attributes:
        status: The HTTP status code.
        headers: One value for each header name.
        body: Its parts in order. Never empty, and the first part is there already: API Gateway turns
            a streamed answer without a body into 502.
    """

    status: int
    headers: dict[str, str]
    body: Iterable[bytes]
