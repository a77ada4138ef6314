"""AWS: the credentials and the Region of the caller."""

from __future__ import annotations

import os
import signal
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Timer
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from acceptance.clouds import DeploymentFailedError, NoAccessError
from acceptance.probe import Cloud as Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[2]
_TAIL = 25
_GRACE_SECONDS = 10
_LIMIT_SECONDS = 90 * 60
"""For one command of the CDK CLI: what hangs is deleted instead of waited for."""
# A stream of SageMaker may be silent for eight minutes; a read must not end before.
_CONFIG = Config(read_timeout=600, retries={"mode": "standard", "max_attempts": 5})
# Probes measure how long one call takes, and which error ends it.
_ONCE = Config(read_timeout=600, retries={"mode": "standard", "total_max_attempts": 1})


class Aws:
    """AWS.

    Raises:
        NoAccessError: There are no credentials or no Region, or AWS does not take them.
    """

    kind = Kind.AWS
    patience = 1.0

    def __init__(self) -> None:
        try:
            # The CDK CLI reads AWS_REGION, boto3 does not.
            self._session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
            region = self._session.region_name
        except BotoCoreError as error:
            raise NoAccessError(f"AWS_PROFILE={os.environ.get('AWS_PROFILE')}: {error}.") from error
        if region is None:
            raise NoAccessError("There is no Region. Set AWS_REGION, or the region of your profile.")
        self.region: str = region
        self._folder = TemporaryDirectory(prefix="acceptance-")
        self._synthesized: dict[str, str] | None = None
        self._client = cache(self._create_client)
        try:
            self.account: str = self.client("sts").get_caller_identity()["Account"]
        except (BotoCoreError, ClientError) as error:
            raise NoAccessError(f"AWS takes no credentials: {error} Log in, or set AWS_PROFILE.") from error

    def client(self, service: str) -> Any:
        """The client of a service."""
        return self._client(service)

    def synth(self, context: Mapping[str, str]) -> None:
        """Makes the templates."""
        self._run(["synth", "--quiet", "--output", self._folder.name, *_options(context)], lambda _line: None)
        self._synthesized = dict(context)

    def deploy(self, stack: str, context: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Deploys a stack with the CDK CLI."""
        if self._synthesized != context:
            self.synth(context)
        command = ["deploy", stack, "--exclusively", "--require-approval=never", "--progress=events"]
        self._run([*command, "--app", self._folder.name], say)

    def url(self, outputs: Mapping[str, str]) -> str:
        """The URL of the front door."""
        return outputs["Url"]

    def api_key(self, key_id: str) -> str:
        """The value of an API key."""
        return str(self.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"])

    def log_lines(self, group: str, since: float) -> list[str]:
        """The lines of a log group."""
        pages = (
            self.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=group, startTime=int(since * 1000))
        )
        return [str(event["message"]).rstrip("\n") for page in pages for event in page["events"]]

    def copies(self, component: str) -> int:
        """How many copies an inference component has."""
        described = self.client("sagemaker").describe_inference_component(InferenceComponentName=component)
        return int(described["RuntimeConfig"]["CurrentCopyCount"])

    def close(self) -> None:
        """Removes the templates."""
        self._folder.cleanup()

    def _create_client(self, service: str) -> Any:
        return self._session.client(service, config=_ONCE if service == "sagemaker-runtime" else _CONFIG)

    def _run(self, arguments: list[str], say: Callable[[str], None]) -> None:
        """Runs the CDK CLI in a session of its own: Ctrl-C is for the run, which then ends it."""
        # The CLI finds Regions otherwise than boto3.
        environment = {**os.environ, "AWS_REGION": self.region, "CDK_DISABLE_CLI_TELEMETRY": "true"}
        command = ["cdk", *arguments, "--no-notices", "--no-color"]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            late = Event()

            def end_late() -> None:
                late.set()
                _end(process)

            timer = Timer(_LIMIT_SECONDS, end_late)
            timer.daemon = True
            timer.start()
            try:
                lines = _read(process, say)
            except BaseException:
                _end(process)
                raise
            finally:
                timer.cancel()
        if late.is_set():
            minutes = _LIMIT_SECONDS / 60
            raise DeploymentFailedError("\n".join([*lines[-_TAIL:], f"not done after {minutes:.0f} minutes"]))
        if process.returncode != 0:
            raise DeploymentFailedError("\n".join(lines[-_TAIL:]))


def _read(process: subprocess.Popen[str], say: Callable[[str], None]) -> list[str]:
    lines = []
    if process.stdout is None:
        raise AssertionError("the CLI has a pipe")
    for line in process.stdout:
        if text := line.rstrip():
            lines.append(text)
            say(text)
    return lines


def _end(process: subprocess.Popen[str]) -> None:
    """Ends the CLI and what it has started. What it has asked CloudFormation to do goes on there."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                continue


def _options(context: Mapping[str, str]) -> list[str]:
    return [part for name, value in context.items() for part in ("--context", f"{name}={value}")]
