"""A server on a port of the loopback interface that can refuse connections for a while."""

from __future__ import annotations

import asyncio
import socket

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

# Connections that wait to be taken: hundreds of sandboxes may come at once.
BACKLOG = 1024


class Listener:
    """Serves an application on a free port.

    Args:
        app: The application, not started yet.
        shutdown_timeout: How long requests may go on when it closes, in seconds.
    """

    def __init__(self, app: web.Application, *, shutdown_timeout: float) -> None:
        self._busy: set[asyncio.Transport] = set()
        app.middlewares.append(self._count())
        self._runner = web.AppRunner(app, shutdown_timeout=shutdown_timeout, access_log=None)
        self._port = 0
        self._site: web.SockSite | None = None
        self._back: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Starts the application and listens."""
        await self._runner.setup()
        await self._listen()

    async def refuse(self, seconds: float) -> None:
        """Takes no connection for so long, and closes those that are idle."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
        for connection in self._runner.server.connections if self._runner.server else ():
            if connection.transport is not None and connection.transport not in self._busy:
                connection.transport.abort()
        if self._back is not None:
            self._back.cancel()
        self._back = asyncio.create_task(self._listen_after(seconds))

    async def close(self) -> None:
        """Listens no more, and never again."""
        if self._back is not None:
            self._back.cancel()
        await self._runner.cleanup()

    async def _listen_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._listen()

    async def _listen(self) -> None:
        """On the same port as before, where there was one."""
        taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", self._port))
        self._port = taken.getsockname()[1]
        self._site = web.SockSite(self._runner, taken, backlog=BACKLOG)
        await self._site.start()

    def _count(self) -> Middleware:
        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            transport = request.transport
            if transport is None:
                return await handler(request)
            self._busy.add(transport)
            try:
                return await handler(request)
            finally:
                self._busy.discard(transport)

        return count
