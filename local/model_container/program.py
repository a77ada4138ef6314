"""What the programs of all containers have in common."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from local.model_container.tgi.options import LaunchError

_WEIGHTS = (".safetensors", ".bin", ".pt")


def parser_of(program: str, description: str | None) -> argparse.ArgumentParser:
    """A parser with the arguments that every container has."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("--port", type=int, default=0, help="port, 0 for any free port (default: 0)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--model-directory", type=Path, help="the folder that stands for /opt/ml/model (default: none)")
    return parser


def run(create_app: Callable[[], web.Application], arguments: argparse.Namespace) -> int:
    """Serves an application until SIGINT or SIGTERM; returns 1 if the container does not start, and says why."""
    try:
        if arguments.model_directory is not None:
            check_model_directory(arguments.model_directory)
        app = create_app()
    except LaunchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    asyncio.run(_serve(app, arguments.host, arguments.port))
    return 0


def check_model_directory(folder: Path) -> None:
    """Checks that a folder has what every engine reads of a model: its configuration and its weights, not below it.

    Raises:
        LaunchError: The container does not start.
    """
    names = sorted(path.name for path in folder.iterdir())
    if "config.json" not in names:
        raise LaunchError(f"OSError: /opt/ml/model has no config.json, only {', '.join(names)}")
    if not any(name.endswith(_WEIGHTS) for name in names):
        raise LaunchError(f"FileNotFoundError: No local weights found in /opt/ml/model, only {', '.join(names)}")
    for path in folder.glob("*.safetensors"):
        _check_safetensors(path)


def _check_safetensors(path: Path) -> None:
    """Checks the header of a file: https://huggingface.co/docs/safetensors, "Format"."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = file.read(min(size, path.stat().st_size))
    try:
        if not isinstance(json.loads(header), dict):
            raise ValueError("no object")
    except ValueError as error:
        raise LaunchError(f"SafetensorError: Error while deserializing header of {path.name}: {error}") from error


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
