"""`serve`: a deployed stack that stays, for applications that develop against it."""

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

# Who develops against the API wants the page to try it with; deployed to AWS it is off by default.
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
    """Serves a stack until a signal ends it.

    When the API answers, one line goes to standard output: `{"url": …, "api_key": …, "models": […]}`. The key is null
    where access is not by keys; where there are several, `"api_keys": {…}` has them by the names of their consumers.

    Args:
        progress: Where everything else is told.
        stack: The names of stacks of app.py, separated by commas; the API of the last one that has one is served.
        port: The port of the API; 0 for any free one.
        container_url: A running model server instead of the built-in stand-in.
        fault: What the SageMaker Runtime does wrong on every call.
        context: Further CDK context for the app, each as `key=value`.

    Returns:
        0 when a signal has ended it.
    """
    faults = read_fault(fault)
    async with deployed(
        stack,
        progress,
        port=port,
        container_url=container_url,
        faults=faults,
        context=(PLAYGROUND, *context),
        log=progress.say,
    ) as cloud:
        with progress.step("Ask the deployed API for its models"):
            models = await cloud.models()
        progress.say(f'Faults: curl -X PUT {cloud.runtime_url}/faults -d \'{{"fault": "throttle", "count": 1}}\'')
        if cloud.deployment.has_playground():
            progress.say(f"Playground: {cloud.url}/")
        if how := cloud.caller.explain():
            progress.say(how)
        progress.say("Serving; end it with Ctrl-C.")
        sys.stdout.write(json.dumps(ready(cloud, models)) + "\n")
        sys.stdout.flush()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            progress.say("Ending.")
    return 0


def ready(cloud: Cloud, models: list[str]) -> dict[str, object]:
    """What a program needs to call the API."""
    told: dict[str, object] = {"url": cloud.url, "api_key": cloud.caller.api_key, "models": models}
    return told if len(cloud.caller.keys) < 2 else {**told, "api_keys": cloud.caller.keys}


def read_fault(name: str | None) -> Faults:
    """Faults with one that happens on every call, or none.

    Raises:
        UserError: If there is no fault of that name.
    """
    faults = Faults()
    if name is not None:
        try:
            faults.inject(name)
        except ValueError as error:
            raise UserError(f"--fault {name}: it is not one for every call.", str(error)) from error
    return faults
