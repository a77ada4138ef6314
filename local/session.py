"""A session: starts a control plane, deploys stacks to it with the real CDK CLI, and serves them."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from local.cloud import Cloud
from local.deployment.cdk_cli import ROOT, Cdk
from local.deployment.control_plane import ControlPlane
from local.deployment.prerequisites import create_buckets, create_endpoints, create_secrets
from local.errors import UserError
from local.listening import check_reachable, listen
from local.processes import ChildProcesses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence

    from local.commands.progress import Progress
    from local.hosting import ScalingTimes
    from local.sagemaker_runtime import Faults

SESSIONS = ROOT / ".cache" / "sessions"
# The nag packs do not change templates and take a second to load. `make synth` and `make check` run them.
CONTEXT = ("nag=off",)


@asynccontextmanager
async def deployed(
    stack: str | None,
    progress: Progress,
    *,
    app: Path = ROOT,
    port: int = 0,
    container_url: str | None = None,
    faults: Faults | None = None,
    times: ScalingTimes | None = None,
    context: Sequence[str] = (),
    needs_api: bool = True,
    log: Callable[[str], None],
) -> AsyncIterator[Cloud]:
    """Deploys stacks to a new emulated cloud and serves it until the block exits.

    Args:
        stack: Names of stacks, separated by commas. The API of the last stack that has one is served. None: all stacks
            of the app.
        progress: Shows the steps.
        app: The folder with the cdk.json of the app. Default: this clone.
        port: The gateway's port, 0 for any free port.
        container_url: Base URL of a running model server. Default: the toy model container.
        faults: The faults that the SageMaker Runtime injects.
        times: How long scaling takes.
        context: Additional CDK context values, each as `key=value`.
        needs_api: Whether stacks without an API are an error even if they have an asynchronous endpoint.
        log: Receives access log lines.

    Raises:
        UserError: The stacks cannot be deployed or served.
    """
    stacks = None if stack is None else stack_names(stack)
    _check_app(app)
    async with AsyncExitStack() as exits:
        listener = exits.enter_context(listen(port))
        if container_url is not None:
            await check_reachable(container_url)
        folder = exits.enter_context(_folder())
        children = await exits.enter_async_context(ChildProcesses(folder))
        plane = ControlPlane()
        exits.push(plane)
        selection = [f"stacks={','.join(stacks)}"] if stacks and app == ROOT else []
        source = Cdk(children, folder, app=app, context=(*CONTEXT, *selection, *context))
        # Both take seconds, and the templates do not depend on the control plane.
        await _run_concurrently(_step(progress, "cdk synth", source.synth), _start(plane, children, folder, progress))
        stacks = list(source.stacks()) if stacks is None else stacks
        source.check_environment(stacks)
        build_log = _BuildLog(progress, log)
        cloud = Cloud(
            plane,
            stacks,
            children,
            listener,
            container_url=container_url,
            faults=faults,
            times=times,
            log=log,
            build_log=build_log.write,
        )
        await exits.enter_async_context(cloud)
        with build_log.shown():
            await _deploy(Cdk(children, folder, plane.url), plane, stacks, progress)
        if needs_api or not _is_asynchronous(cloud, stacks):
            with progress.step("Start API Gateway"):
                await cloud.serve()
                await _create_missing_endpoints(plane, cloud, progress)
        yield cloud


class _BuildLog:
    """The output of builds: in the log, and while a stack waits for a build also with the progress."""

    def __init__(self, progress: Progress, log: Callable[[str], None]) -> None:
        self._progress = progress
        self._log = log
        self._is_shown = False

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Shows the lines as long as the block runs."""
        self._is_shown = True
        try:
            yield
        finally:
            self._is_shown = False

    def write(self, line: str) -> None:
        """Takes a line."""
        self._log(line)
        if self._is_shown:
            self._progress.print(f"  {line}")


def _check_app(app: Path) -> None:
    if not (app / "cdk.json").is_file():
        raise UserError(
            f"APP={app}: has no cdk.json.", "Name the folder of a CDK app, for example APP=examples/model_fleet."
        )


def stack_names(text: str) -> list[str]:
    """The stack names in `A,B`, without duplicates.

    Raises:
        UserError: There is no name.
    """
    names = list(dict.fromkeys(text.replace(",", " ").split()))
    if not names:
        raise UserError(f"STACK={text}: must name a stack.", "Name one or more, for example STACK=LlamaTgiStack.")
    return names


async def _step(progress: Progress, title: str, command: Callable[[Callable[[str], None]], Awaitable[None]]) -> None:
    with progress.step(title) as current:
        await command(current.detail)


async def _start(plane: ControlPlane, children: ChildProcesses, folder: Path, progress: Progress) -> None:
    with progress.step("Start the control plane (moto)"):
        await asyncio.to_thread(plane.__enter__)
    await _step(progress, "cdk bootstrap", Cdk(children, folder, plane.url).bootstrap)


async def _deploy(cdk: Cdk, plane: ControlPlane, stacks: list[str], progress: Progress) -> None:
    templates = {stack: cdk.template(stack) for stack in stacks}
    for name in create_secrets(plane, templates):
        progress.done(f"Secret {name} (placeholder; on AWS it holds your Hugging Face token)")
    for name in create_buckets(plane, templates):
        progress.done(f"Bucket {name} (placeholder; on AWS it already exists)")
    await _step(progress, f"cdk deploy {' '.join(stacks)}", lambda on_line: cdk.deploy(stacks, on_line))


def _is_asynchronous(cloud: Cloud, stacks: Sequence[str]) -> bool:
    """Whether there are only asynchronous endpoints to serve, and no API.

    Raises:
        UserError: There is nothing to serve.
    """
    if cloud.has_api():
        return False
    if not cloud.asynchronous_endpoints():
        raise UserError(
            f"Nothing to serve in {', '.join(stacks)}: no REST API and no asynchronous endpoint.",
            "Choose a STACK with a FrontDoor or an AsyncTgiEndpoint.",
        )
    return True


async def _create_missing_endpoints(plane: ControlPlane, cloud: Cloud, progress: Progress) -> None:
    """Creates placeholders for endpoints that the API calls but no stack has."""
    missing = cloud.deployment.missing_endpoints()
    if missing:
        for name in missing:
            progress.done(f"Endpoint {name} (placeholder; on AWS it already exists)")
        await asyncio.to_thread(create_endpoints, plane, missing)
        await cloud.serve()


async def _run_concurrently(*steps: Coroutine[None, None, None]) -> None:
    """Runs steps concurrently; the first failure cancels the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


@contextmanager
def _folder() -> Iterator[Path]:
    """A new folder below .cache for everything that the session writes, including temporary files."""
    SESSIONS.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=SESSIONS))
    temporary = folder / "tmp"
    temporary.mkdir()
    before = tempfile.tempdir
    tempfile.tempdir = str(temporary)
    try:
        yield folder
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)
