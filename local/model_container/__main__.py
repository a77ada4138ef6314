"""Runs the container: `python -m local.model_container --port 0` prints `{"port": N}` once it listens."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys

from aiohttp import web

from local.model_container.launcher import read_settings
from local.model_container.server import create_app
from local.model_container.settings import Settings
from local.model_container.tgi.options import LaunchError


async def serve(settings: Settings, host: str, port: int) -> None:
    """Serves until SIGINT or SIGTERM."""
    runner = web.AppRunner(create_app(settings), handler_cancellation=True, shutdown_timeout=1.0, access_log=None)
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


def main() -> int:
    """Runs the command; returns 1 if TGI would reject the environment."""
    parser = argparse.ArgumentParser(prog="python -m local.model_container", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port, 0 for any free port (default: 0)")
    parser.add_argument("--host", default="127.0.0.1")
    arguments = parser.parse_args()
    try:
        settings = read_settings(os.environ)
    except LaunchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    asyncio.run(serve(settings, arguments.host, arguments.port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
