"""`serve`: deploys a stack and keeps serving it, for applications that are developed against it."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from local.commands import asynchronous
from local.commands.progress import Progress
from local.deployment.cdk_cli import ROOT
from local.deployment.control_plane import CREDENTIALS, REGION
from local.errors import UserError
from local.sagemaker_runtime import Faults
from local.session import deployed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self, TextIO

    from local.cloud import Cloud
    from local.hosting import ScalingTimes

# Useful for development; off by default when deployed to AWS.
PLAYGROUND = "playground=on"
LOGS = ROOT / ".cache" / "logs"


async def serve(
    progress: Progress,
    *,
    stack: str | None,
    port: int,
    app: Path = ROOT,
    container_url: str | None = None,
    fault: str | None = None,
    times: ScalingTimes | None = None,
    context: Sequence[str] = (),
    logs: bool = False,
) -> int:
    """Serves a stack until a signal stops it.

    When the API is ready, a terminal gets its URL, its key and a curl command. Any other standard output gets one line
    of JSON: `{"url": …, "api_key": …, "models": […]}`. The key is null if the API requires none. If there are several
    keys, `"api_keys": {…}` has them by consumer name. Of stacks with asynchronous endpoints and no API, a terminal gets
    the variables for SDKs and a command, and other outputs `{"endpoints": […], "environment": {…}}`.

    Args:
        progress: Shows everything else.
        stack: Names of stacks, separated by commas. The API of the last stack that has one is served. None: all stacks
            of the app.
        app: The folder with the cdk.json of the app. Default: this clone.
        port: The port of the API, 0 for any free port.
        container_url: Base URL of a running model server. Default: the toy model container.
        fault: The fault that the SageMaker Runtime injects into every call.
        times: How long scaling takes.
        context: Additional CDK context values, each as `key=value`.
        logs: Show the log of requests instead of writing it to a file.

    Returns:
        0 after a signal.
    """
    check_fault(fault)
    faults = Faults()
    with RequestLog(progress.print) as log:
        async with deployed(
            stack,
            progress,
            app=app,
            port=port,
            container_url=container_url,
            faults=faults,
            times=times,
            context=(PLAYGROUND, *context),
            needs_api=fault is not None,  # asynchronous requests meet no faults
            log=log.write,
        ) as cloud:
            models = await _list_models(progress, cloud) if cloud.has_api() else None
            if fault is not None:
                faults.inject(fault)  # not before: the smoke test would roll the deployment back
            log.begin(None if logs else log_file(cloud))
            log.write(
                f'Inject faults: curl -X PUT {cloud.runtime_url}/faults -d \'{{"fault": "throttle", "count": 1}}\''
            )
            log.write(f"Call the emulated AWS: {asynchronous.export(cloud)}")
            log.write(deploy_hint(cloud, app, context))
            _announce(progress, cloud, models, app, log.file)
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
    return 0


async def _list_models(progress: Progress, cloud: Cloud) -> list[str]:
    with progress.step("List the models of the deployed API"):
        return await cloud.models()


def _announce(progress: Progress, cloud: Cloud, models: list[str] | None, app: Path, log: Path | None) -> None:
    """Says how to call what is served; without models there are only asynchronous endpoints."""
    if sys.stdout.isatty():
        if models is None:
            asynchronous.show_endpoints(Progress(sys.stdout), cloud, app, _where(log))
        else:
            show_connection(Progress(sys.stdout), cloud, models, log)
        return
    if log is not None:
        progress.print(f"Requests are logged in {log.relative_to(ROOT)}; LOGS=1 shows them here.")
    if models is not None and (instructions := cloud.client.instructions()):
        progress.print(instructions)
    progress.print("Serving. Press Ctrl-C to stop.")
    details = asynchronous.connection_details(cloud) if models is None else connection_details(cloud, models)
    sys.stdout.write(json.dumps(details) + "\n")
    sys.stdout.flush()


def deploy_hint(cloud: Cloud, app: Path, context: Sequence[str]) -> str:
    """A shell command that deploys a change of the app to what is served.

    Args:
        cloud: What is served.
        app: The folder of the app.
        context: The context values of `serve`. Without them the deployment would take away what they add.
    """
    tools = _assignments({"PATH": f"{Path(sys.executable).parent}:{ROOT / 'node_modules' / '.bin'}"}) + ':"$PATH"'
    library = "" if app == ROOT else " " + _assignments({"PYTHONPATH": str(ROOT)})
    aws = _assignments({**CREDENTIALS, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": cloud.control_plane_url})
    values = " ".join(f"--context {shlex.quote(value)}" for value in (PLAYGROUND, *context))
    deploy = f"cdk deploy {cloud.stack} {values} --method=direct --require-approval=never"
    return f"Deploy a change: cd {shlex.quote(str(app))} && {tools}{library} {aws} {deploy}"


def _assignments(variables: dict[str, str]) -> str:
    return " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())


class RequestLog:
    """Log lines of requests. Those before the API is ready are of the command's own request: shown only if it fails.

    Args:
        show: Shows a line.

    Attributes:
        file: Where the lines go, or None if they are shown.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._early: list[str] | None = []
        self._stream: TextIO | None = None
        self.file: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            for line in self._early or ():
                self._show(line)
        if self._stream is not None:
            self._stream.close()

    def begin(self, file: Path | None) -> None:
        """Write what comes from now on to a file, or show it."""
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._stream = file.open("w", encoding="utf-8", buffering=1)
            self.file = file
        self._early = None

    def write(self, line: str) -> None:
        """Log one line."""
        if self._early is not None:
            self._early.append(line)
        elif self._stream is None:
            self._show(line)
        elif not self._stream.closed:  # a function may still write while it is stopped
            self._stream.write(line + "\n")


def log_file(cloud: Cloud) -> Path:
    """The file for the log of requests; each port has one, and a new `serve` overwrites it."""
    return LOGS / f"serve-{cloud.port}.log"


def show_connection(progress: Progress, cloud: Cloud, models: list[str], log: Path | None) -> None:
    """What a person needs to call the API: its URL, the key and a command to copy."""
    body = {"model": models[0], "messages": [{"role": "user", "content": "What is deep learning?"}], "stream": True}
    page = cloud.deployment.has_playground()
    keys = cloud.client.keys
    rows = [
        ("Playground", f"{cloud.url}/") if page else ("URL", cloud.url),
        *(("API key", key if len(keys) < 2 else f"{key} ({name})") for name, key in keys.items()),
        ("Try it", cloud.client.curl_command(f"{cloud.url}/v1/chat/completions", body)),
        ("Log", _where(log)),
    ]
    progress.print()
    for name, value in rows:
        progress.write(f"{name:<12}", style="bold")
        progress.print(value, style="" if name == "Log" else "cyan")
    progress.print()
    progress.print("Press Ctrl-C to stop.", style="dim")


def _where(log: Path | None) -> str:
    return f"{log.relative_to(ROOT)} (LOGS=1 shows it here)" if log else "below"


def connection_details(cloud: Cloud, models: list[str]) -> dict[str, object]:
    """The JSON line: what a program needs to call the API."""
    details: dict[str, object] = {"url": cloud.url, "api_key": cloud.client.api_key, "models": models}
    return details if len(cloud.client.keys) < 2 else {**details, "api_keys": cloud.client.keys}


def check_fault(name: str | None) -> None:
    """Check that a fault can be injected into every call of the SageMaker Runtime; None is no fault.

    Raises:
        UserError: It does not exist or cannot be injected into calls.
    """
    if name is not None:
        try:
            Faults().inject(name)
        except ValueError as error:
            raise UserError(f"--fault {name}: cannot be injected into every call.", str(error)) from error
