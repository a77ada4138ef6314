"""What `serve` says of asynchronous endpoints when there is no API: how an SDK reaches them."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from local.deployment.control_plane import REGION
from local.lambda_service.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from local.cloud import Cloud
    from local.commands.progress import Progress

# The client of an app, and what it sends.
CLIENT, PROMPTS = "client.py", "prompts.jsonl"


def variables(cloud: Cloud) -> dict[str, str]:
    """The variables with which boto3 and the AWS CLI reach the emulated cloud."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": cloud.control_plane_address,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": cloud.runtime_url,
    }


def export(cloud: Cloud) -> str:
    """The shell command that sets these variables."""
    return "export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in variables(cloud).items())


def show_endpoints(progress: Progress, cloud: Cloud, app: Path, log: str) -> None:
    """What a person needs to call the endpoints: the variables and a command to copy."""
    rows = [
        *(("Endpoint", f"{name} (asynchronous)") for name in cloud.asynchronous_endpoints()),
        ("Variables", export(cloud)),
        ("Try it", _command(cloud, app)),
        ("Log", log),
    ]
    progress.print()
    for name, value in rows:
        progress.write(f"{name:<12}", style="bold")
        progress.print(value, style="" if name == "Log" else "cyan")
    progress.print()
    progress.print("Press Ctrl-C to stop.", style="dim")


def connection_details(cloud: Cloud) -> dict[str, object]:
    """The JSON line: what a program needs to call the endpoints."""
    return {"endpoints": cloud.asynchronous_endpoints(), "environment": variables(cloud)}


def _command(cloud: Cloud, app: Path) -> str:
    """The client of the app if it has one, otherwise a call of the AWS CLI; with the variables set."""
    if (app / CLIENT).is_file() and (app / PROMPTS).is_file():
        return (
            f"cd {shlex.quote(os.path.relpath(app))} && python {CLIENT} --stack {cloud.stack} {PROMPTS} answers.jsonl"
        )
    return (
        f"aws sagemaker-runtime invoke-endpoint-async --endpoint-name {cloud.asynchronous_endpoints()[0]}"
        " --content-type application/json --input-location s3://BUCKET/KEY"
    )
