"""Sends requests in TGI's words through a front door to a real vLLM, and keeps what became of them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from tests.conformance.emulated_front_door import Response, start_front_door
from tests.conformance.vllm.generate_pairs import RECORDED, Exchange, Pair, Recording, write_recording
from tests.conformance.vllm.recorded_requests import requests
from tests.engines.installation import VERSIONS
from tests.engines.stack import MODEL, serving_facts


class RecordingProxy:
    """Passes calls on to a server, and keeps them.

    Args:
        url: The server's.

    Attributes:
        exchanges: The calls so far.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self.exchanges: list[Exchange] = []

    def create_app(self) -> web.Application:
        """The web application that stands before the server."""
        app = web.Application()
        app.router.add_post("/invocations", self._pass_on)
        return app

    async def _pass_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        parts = urlsplit(self._url)
        assert parts.hostname
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)
        try:
            connection.request("POST", "/invocations", body, {"content-type": "application/json"})
            response = connection.getresponse()
            answer, content_type = response.read(), response.getheader("content-type", "")
        finally:
            connection.close()
        self.exchanges.append(Exchange(json.loads(body), response.status, content_type, answer.decode()))
        return web.Response(status=response.status, body=answer, headers={"content-type": content_type})


def ask(version: str, url: str, asked: Mapping[str, tuple[str, dict[str, Any]]]) -> Iterator[tuple[Pair, Response]]:
    """Send requests in TGI's words through a front door to a server.

    Args:
        version: The server's.
        url: The server's.
        asked: Path and body of each request, by its name.

    Yields:
        The request with what it became, and the front door's answer.
    """
    proxy = RecordingProxy(url)
    with start_front_door(MODEL, container=proxy.create_app(), **serving_facts(version)) as client:
        for name, (path, body) in asked.items():
            proxy.exchanges = []
            response = client.post(path, body)
            yield Pair(name, path, body, proxy.exchanges), response


def record(version: str, url: str, folder: Path = RECORDED) -> None:
    """Write what a server answers to the requests that are recorded.

    Args:
        version: The server's.
        url: The server's.
        folder: Where the file is written.
    """
    _warm_up(url)
    pairs = [pair for pair, _ in ask(version, url, requests(VERSIONS.index(version)))]
    write_recording(Recording(version, serving_facts(version), pairs), folder)


def _warm_up(url: str) -> None:
    """Send a first request, which takes a server longer than the front door waits."""
    parts = urlsplit(url)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=300)
    body = {"prompt": "Hi", "max_tokens": 1, "logprobs": 0}
    connection.request("POST", "/invocations", json.dumps(body), {"content-type": "application/json"})
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 200
