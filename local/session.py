"""One run: a control plane, the real CDK CLI against it, and the deployed stack being served."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from local.cloud import Cloud, listen, reach
from local.deployment.cdk_cli import ROOT, Cdk
from local.deployment.control_plane import ControlPlane
from local.deployment.deployed_stack import read_deployment
from local.deployment.prerequisites import create_endpoints, create_secrets
from local.errors import UserError
from local.processes import Children

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence

    from local.commands.progress import Progress
    from local.deployment.deployed_stack import Deployment
    from local.sagemaker_runtime import Faults

RUNS = ROOT / ".cache" / "runs"
# The nag packs change no template and take a second to load; `make synth` and `make check` run them.
CONTEXT = ("nag=off",)


@asynccontextmanager
async def deployed(
    stack: str,
    progress: Progress,
    *,
    port: int = 0,
    container_url: str | None = None,
    faults: Faults | None = None,
    context: Sequence[str] = (),
    log: Callable[[str], None],
) -> AsyncIterator[Cloud]:
    """Deploys stacks into an emulated cloud of their own and serves it until the block is left.

    Args:
        stack: The names of stacks of app.py, separated by commas; the API of the last one that has one is served.
        progress: Where the steps are told.
        port: The gateway's port; 0 for any free one.
        container_url: A running model server instead of the built-in stand-in.
        faults: What the SageMaker Runtime does wrong on purpose.
        context: Further CDK context for the app, each as `key=value`.
        log: Takes access log lines.

    Raises:
        UserError: For whatever the user can mend.
    """
    stacks = stack_names(stack)
    async with AsyncExitStack() as exits:
        listener = exits.enter_context(listen(port))
        if container_url is not None:
            await reach(container_url)
        folder = exits.enter_context(_folder())
        children = await exits.enter_async_context(Children(folder))
        with progress.step("Start the control plane (moto)"):
            plane = exits.enter_context(ControlPlane())
        cdk = Cdk(children, folder, plane.url, context=(*CONTEXT, f"stacks={','.join(stacks)}", *context))
        await _deploy(cdk, plane, stacks, progress)
        deployment = await _read(plane, stacks, progress)
        cloud = Cloud(
            deployment,
            children,
            listener,
            control_plane_url=plane.url,
            container_url=container_url,
            faults=faults,
            log=log,
        )
        with progress.step("Start the model container, SageMaker Runtime, Lambda and API Gateway"):
            await exits.enter_async_context(cloud)
        yield cloud


def stack_names(text: str) -> list[str]:
    """The names in `A,B`, each once.

    Raises:
        UserError: There is none.
    """
    names = list(dict.fromkeys(text.replace(",", " ").split()))
    if not names:
        raise UserError(f"STACK={text}: no name of a stack.", "Name one, or several: STACK=LlamaTgiStack.")
    return names


async def _deploy(cdk: Cdk, plane: ControlPlane, stacks: list[str], progress: Progress) -> None:
    async def step(title: str, command: Callable[[Callable[[str], None]], Awaitable[None]]) -> None:
        with progress.step(title) as current:
            await command(current.detail)

    await _together(step("cdk bootstrap", cdk.bootstrap), step("cdk synth", cdk.synth))
    for name in create_secrets(plane, {stack: cdk.template(stack) for stack in stacks}):
        progress.say(f"✓ Secret {name} (made up; on AWS it holds your Hugging Face token)", style="green")
    await step(f"cdk deploy {' '.join(stacks)}", lambda tell: cdk.deploy(stacks, tell))


async def _read(plane: ControlPlane, stacks: list[str], progress: Progress) -> Deployment:
    """What was deployed; endpoints that the API calls and no stack has are made up."""
    deployment = await asyncio.to_thread(read_deployment, plane, stacks)
    missing = deployment.missing_endpoints()
    if not missing:
        return deployment
    for name in missing:
        progress.say(f"✓ Endpoint {name} (made up; on AWS it exists already)", style="green")
    await asyncio.to_thread(create_endpoints, plane, missing)
    return await asyncio.to_thread(read_deployment, plane, stacks)


async def _together(*steps: Coroutine[None, None, None]) -> None:
    """Runs steps side by side; the first failure ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of its own below .cache for everything this run writes, temporary files included."""
    RUNS.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=RUNS))
    temporary = folder / "tmp"
    temporary.mkdir()
    before = tempfile.tempdir
    tempfile.tempdir = str(temporary)
    try:
        yield folder
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)
