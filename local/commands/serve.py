"""`serve`: deploys a stack and keeps serving it, for applications that are developed against it."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

from local.errors import UserError
from local.sagemaker_runtime import Faults
from local.session import deployed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.cloud import Cloud
    from local.commands.progress import Progress

# Useful for development; off by default when deployed to AWS.
PLAYGROUND = "playground=on"


async def serve(
    progress: Progress,
    *,
    stack: str,
    port: int,
    container_url: str | None = None,
    fault: str | None = None,
    context: Sequence[str] = (),
) -> int:
    """Serves a stack until a signal stops it.

    When the API is ready, one line is written to standard output: `{"url": …, "api_key": …, "models": […]}`. The key is
    null if the API requires none. If there are several keys, `"api_keys": {…}` has them by consumer name.

    Args:
        progress: Shows everything else.
        stack: Names of stacks of app.py, separated by commas. The API of the last stack that has one is served.
        port: The port of the API, 0 for any free port.
        container_url: Base URL of a running model server. Default: the toy model container.
        fault: The fault that the SageMaker Runtime injects into every call.
        context: Additional CDK context values, each as `key=value`.

    Returns:
        0 after a signal.
    """
    faults = read_fault(fault)
    async with deployed(
        stack,
        progress,
        port=port,
        container_url=container_url,
        faults=faults,
        context=(PLAYGROUND, *context),
        log=progress.print,
    ) as cloud:
        with progress.step("List the models of the deployed API"):
            models = await cloud.models()
        progress.print(
            f'Inject faults: curl -X PUT {cloud.runtime_url}/faults -d \'{{"fault": "throttle", "count": 1}}\''
        )
        if cloud.deployment.has_playground():
            progress.print(f"Playground: {cloud.url}/")
        if instructions := cloud.client.instructions():
            progress.print(instructions)
        progress.print("Serving. Press Ctrl-C to stop.")
        sys.stdout.write(json.dumps(connection_details(cloud, models)) + "\n")
        sys.stdout.flush()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            progress.print("Stopping.")
    return 0


def connection_details(cloud: Cloud, models: list[str]) -> dict[str, object]:
    """The JSON line: what a program needs to call the API."""
    details: dict[str, object] = {"url": cloud.url, "api_key": cloud.client.api_key, "models": models}
    return details if len(cloud.client.keys) < 2 else {**details, "api_keys": cloud.client.keys}


def read_fault(name: str | None) -> Faults:
    """The faults for the SageMaker Runtime: one for every call, or none.

    Raises:
        UserError: The fault does not exist or cannot be injected into calls.
    """
    faults = Faults()
    if name is not None:
        try:
            faults.inject(name)
        except ValueError as error:
            raise UserError(f"--fault {name}: cannot be injected into every call.", str(error)) from error
    return faults
