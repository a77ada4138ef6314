"""The response to one request, before it is sent to Lambda."""

from collections.abc import Iterable
from dataclasses import dataclass

from front_door.http.json import compact

JSON = {"Content-Type": "application/json"}


@dataclass(slots=True)
class Response:
    """Status, headers and body.

    Attributes:
        status: The HTTP status code.
        headers: One value for each header name.
        body: Its parts in order. Never empty, and the first part is available without waiting: API Gateway turns
            a streamed response without a body into 502.
    """

    status: int
    headers: dict[str, str]
    body: Iterable[bytes]


def json_response(value: object, headers: dict[str, str] | None = None) -> Response:
    """A 200 with one JSON value."""
    return Response(200, {**JSON, **(headers or {})}, [compact(value)])
