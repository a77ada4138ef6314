"""A container that answers with the bytes recorded from TGI, whatever it is asked."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.conformance.exchanges import ALL, HEADERS, Exchange

_USAGE = next(exchange for exchange in ALL if exchange.name == "chat stream usage").answer["bytes"].split("\n\n")[-3]
_DONE = "data: [DONE]"


class ReplayContainer:
    """Answers each request with the same recorded answer.

    Attributes:
        exchange: The one to answer with.
        received: The bodies of the requests since it was set.
    """

    def __init__(self) -> None:
        self.exchange = ALL[0]
        self.received: list[dict[str, Any]] = []

    def replay(self, exchange: Exchange) -> None:
        """Answer with this exchange from now on."""
        self.exchange, self.received = exchange, []

    def create_app(self) -> web.Application:
        """The web application of the container."""
        app = web.Application()
        app.router.add_post("/invocations", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.received.append(body)
        answer = self.exchange.answer
        text = answer.get("bytes") or _error_text(answer["body"])
        if body.get("stream_options", {}).get("include_usage") and '"usage":{' not in text:
            # What TGI adds if a stream is to report its tokens, which most of the recorded requests did not ask for.
            text = text.replace(_DONE, f"{_USAGE}\n\n{_DONE}")
        content_type = HEADERS[answer["headers"]]["content-type"]
        return web.Response(status=answer["status"], body=text.encode(), headers={"content-type": content_type})


def _error_text(body: object) -> str:
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
