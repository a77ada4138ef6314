"""A server on the loopback interface that can refuse connections for a while."""

from __future__ import annotations

import asyncio
import socket

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

# Hundreds of sandboxes may connect at once.
BACKLOG = 1024


class Listener:
    """Serves an application on a free port.

    Args:
        app: The application, not yet started.
        shutdown_timeout: Seconds to wait for running requests on close.
    """

    def __init__(self, app: web.Application, *, shutdown_timeout: float) -> None:
        self._busy: set[asyncio.Transport] = set()
        app.middlewares.append(self._track_requests())
        self._runner = web.AppRunner(app, shutdown_timeout=shutdown_timeout, access_log=None)
        self._port = 0
        self._site: web.SockSite | None = None
        self._reopening: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Starts the application and listens."""
        await self._runner.setup()
        await self._listen()

    async def refuse(self, seconds: float) -> None:
        """Refuses connections for some seconds, and closes idle connections."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
        for connection in self._runner.server.connections if self._runner.server else ():
            if connection.transport is not None and connection.transport not in self._busy:
                connection.transport.abort()
        if self._reopening is not None:
            self._reopening.cancel()
        self._reopening = asyncio.create_task(self._listen_after(seconds))

    async def close(self) -> None:
        """Stops listening for good."""
        if self._reopening is not None:
            self._reopening.cancel()
        await self._runner.cleanup()

    async def _listen_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._listen()

    async def _listen(self) -> None:
        """Listens on a free port, later on the same port again."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        self._site = web.SockSite(self._runner, listener, backlog=BACKLOG)
        await self._site.start()

    def _track_requests(self) -> Middleware:
        @web.middleware
        async def track(request: web.Request, handler: Handler) -> web.StreamResponse:
            transport = request.transport
            if transport is None:
                return await handler(request)
            self._busy.add(transport)
            try:
                return await handler(request)
            finally:
                self._busy.discard(transport)

        return track
