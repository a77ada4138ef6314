"""The port of the gateway, and whether a model server of the user is there."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlsplit

from local.errors import UserError

# Hundreds of clients may connect at once.
BACKLOG = 1024


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback interface, opened early so that a port in use is reported before deploying.

    Args:
        port: The port, 0 for any free port.

    Raises:
        UserError: The port is in use or out of range.
    """
    try:
        return _listen(port)
    except OSError as error:
        raise UserError(
            f"PORT={port}: {error.strerror or error}.", "Choose another port, or PORT=0 for any free port."
        ) from error
    except OverflowError as error:
        raise UserError(
            f"PORT={port}: must be from 0 to 65535.", "Choose another port, or PORT=0 for any free port."
        ) from error


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


async def check_reachable(url: str) -> None:
    """Checks that the URL of a model server accepts connections.

    Raises:
        UserError: It does not, or is not an http:// URL.
    """
    parts = urlsplit(url)
    fix = "Start the model server first and give its base URL, for example CONTAINER_URL=http://127.0.0.1:8080."
    if parts.scheme != "http" or not parts.hostname:
        raise UserError(f"CONTAINER_URL={url}: must be an http:// URL.", fix)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(parts.hostname, parts.port or 80), 5)
    except (OSError, TimeoutError) as error:
        raise UserError(f"CONTAINER_URL={url}: cannot connect.", fix) from error
    writer.close()
