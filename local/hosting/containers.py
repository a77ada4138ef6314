"""Starts model containers."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.deployment.cdk_cli import ROOT
from local.errors import UserError
from local.hosting.programs import ENGINE, is_known, program_of
from local.processes import stdout_of

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from local.deployment.deployed_endpoint import DeployedContainer
    from local.hosting.programs import Program
    from local.processes import ChildProcesses

START_SECONDS = 30.0
# Variables that a container inherits; the rest of its environment is the deployed model's.
INHERITED = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TOY_TOKENS_PER_SECOND")


@dataclass(frozen=True, slots=True)
class Running:
    """A container that serves at a URL."""

    url: str
    stop: Callable[[], Awaitable[object]]


Launch = Callable[[], Awaitable[Running]]
"""Starts another container of the same model."""


def launch_toy(children: ChildProcesses, owner: str, container: DeployedContainer) -> Launch:
    """What starts a toy model container with a model's environment, each time as a process of its own.

    It answers as the container of the model's image would.

    Args:
        children: Starts the processes.
        owner: The endpoint or inference component, for errors.
        container: The container of the model.
    """
    program = program_of(container)

    async def launch() -> Running:
        folder = Path(tempfile.mkdtemp(prefix="model-"))

        async def stop() -> None:
            await children.stop(process)
            shutil.rmtree(folder, ignore_errors=True)

        try:
            weights = await _weights(container, folder)
            process, line = await _start(children, owner, container, [*program.arguments(container), *weights])
            if not line:
                code = await children.stop(process)
                raise UserError(
                    f"The container of {owner} exited with code {code}, see its output above.",
                    _fix_of(container, program),
                )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Running(f"http://127.0.0.1:{json.loads(line)['port']}", stop)

    return launch


async def _weights(container: DeployedContainer, folder: Path) -> list[str]:
    """The argument of the folder that stands for /opt/ml/model, with the files that S3 has; none if it has none."""
    if container.data is None or not await asyncio.to_thread(container.data.download, folder):
        return []
    return ["--model-directory", str(folder)]


async def _start(
    children: ChildProcesses, owner: str, container: DeployedContainer, arguments: list[str]
) -> tuple[Process, bytes]:
    """Starts the program of a container; returns its process and the line with its port, empty if it has ended."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    inherited["TMPDIR"] = tempfile.gettempdir()
    command = [sys.executable, *arguments, "--port", "0"]
    process = await children.start_server(command, env={**inherited, **container.environment}, cwd=ROOT)
    try:
        return process, await asyncio.wait_for(stdout_of(process).readline(), START_SECONDS)
    except TimeoutError:
        await children.stop(process)
        raise UserError(
            f"The container of {owner} did not start within {START_SECONDS:g} seconds.",
            "The machine is busy: try again when less runs on it.",
        ) from None


def _fix_of(container: DeployedContainer, program: Program) -> str:
    if is_known(container):
        return f"{program.title} rejects the environment of the model: change the options of the construct."
    return (
        f"What stands in for {container.image} is {program.title}: name another engine with {ENGINE}=…, or run the "
        "container itself and name it with CONTAINER_URL=http://…."
    )


def launch_nothing(url: str) -> Launch:
    """What gives a model server that runs already."""

    async def stop() -> None:
        """Leaves it running."""

    async def launch() -> Running:
        return Running(url, stop)

    return launch
