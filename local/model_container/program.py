"""What the programs of all containers have in common."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable

from aiohttp import web

from local.model_container.tgi.options import LaunchError


def parser_of(program: str, description: str | None) -> argparse.ArgumentParser:
    """A parser with the arguments that every container has."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("--port", type=int, default=0, help="port, 0 for any free port (default: 0)")
    parser.add_argument("--host", default="127.0.0.1")
    return parser


def run(create_app: Callable[[], web.Application], arguments: argparse.Namespace) -> int:
    """Serves an application until SIGINT or SIGTERM; returns 1 if the container does not start, and says why."""
    try:
        app = create_app()
    except LaunchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    asyncio.run(_serve(app, arguments.host, arguments.port))
    return 0


async def _serve(app: web.Application, host: str, port: int) -> None:
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0, access_log=None)
    await runner.setup()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        await web.TCPSite(runner, host, port).start()
        sys.stdout.write(json.dumps({"port": runner.addresses[0][1]}) + "\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await runner.cleanup()
