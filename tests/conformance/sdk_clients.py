"""The clients of OpenAI and Anthropic, in front of the front door's application in this process."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx2
from anthropic import Anthropic
from openai import OpenAI

from tests.conformance.emulated_front_door import FrontDoorClient


@dataclass
class FrontDoorTransport(httpx2.BaseTransport):
    """Hands requests to the application.

    Attributes:
        client: Calls it.
        bodies: The bodies of the responses.
    """

    client: FrontDoorClient
    bodies: list[bytes] = field(default_factory=list)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Respond to one request."""
        response = self.client.request(request.method, request.url.path, request.read(), **dict(request.headers))
        self.bodies.append(response.body)
        return httpx2.Response(response.status, headers=response.headers, content=response.body)


def openai_client(client: FrontDoorClient) -> tuple[OpenAI, FrontDoorTransport]:
    """OpenAI's client, and its connection."""
    transport = FrontDoorTransport(client)
    http = httpx2.Client(transport=transport)
    return OpenAI(base_url="http://front-door/v1", api_key="key", max_retries=0, http_client=http), transport


def anthropic_client(client: FrontDoorClient) -> tuple[Anthropic, FrontDoorTransport]:
    """Anthropic's client, and its connection."""
    transport = FrontDoorTransport(client)
    http = httpx2.Client(transport=transport)
    return Anthropic(base_url="http://front-door", api_key="key", max_retries=0, http_client=http), transport
