"""Takes the answers of custom resources, each at a URL of its own, like CloudFormation's presigned URLs of S3."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/custom-resource-answers"
_EXPIRED = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code>'
    "<Message>Request has expired</Message></Error>"
)


class Answers:
    """The answers that CloudFormation waits for."""

    def __init__(self) -> None:
        self._awaited: dict[str, asyncio.Future[bytes]] = {}

    def add_routes(self, app: web.Application) -> None:
        """Adds the URLs."""
        app.router.add_put(f"{PATH}/{{token}}", self._take)

    @contextmanager
    def expect(self) -> Iterator[tuple[str, asyncio.Future[bytes]]]:
        """Expects an answer; gives the path of its URL, and the future that gets its body."""
        token = secrets.token_urlsafe(24)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._awaited[token] = answer
        try:
            yield f"{PATH}/{token}", answer
        finally:
            del self._awaited[token]

    async def _take(self, request: web.Request) -> web.Response:
        answer = self._awaited.get(request.match_info["token"])
        body = await request.read()
        if answer is None:
            return web.Response(status=403, text=_EXPIRED, content_type="application/xml")
        if not answer.done():
            answer.set_result(body)
        return web.Response()
