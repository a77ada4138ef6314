"""The builds of the deployed projects: CodeBuild with S3, CloudWatch Logs and EventBridge of the emulated cloud."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.codebuild import Builds
from local.deployment.code_build import find_project
from local.deployment.control_plane import CREDENTIALS
from local.deployment.event_rules import functions_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from local.calls import Calls
    from local.codebuild.build import Build
    from local.deployment.control_plane import ControlPlane
    from local.processes import ChildProcesses
    from local.staging import Hubs


def create_builds(
    plane: ControlPlane,
    children: ChildProcesses,
    *,
    calls: Callable[[], Calls],
    urls: Callable[[], Mapping[str, str]],
    invoke: Callable[[str, Mapping[str, Any]], None],
    hubs: Hubs,
    log: Callable[[str], None],
) -> Builds:
    """CodeBuild, for the projects that stacks have at the moment of a request.

    Args:
        plane: The control plane.
        children: Starts the processes.
        calls: Runs what blocks in threads.
        urls: Gives the endpoint of each service, by the end of its variable `AWS_ENDPOINT_URL_…`.
        invoke: Invokes a function asynchronously, by ARN, with an event.
        hubs: Where builds that stage weights find them.
        log: Receives the output of builds, and why a rule's target gets no event.
    """

    def variables(build: Build) -> dict[str, str]:
        endpoints = {f"AWS_ENDPOINT_URL_{service}": url for service, url in urls().items()}
        return {**endpoints, **CREDENTIALS, **hubs.variables(build.variables)}

    def send(event: Mapping[str, Any]) -> None:
        for function in functions_for(plane, event, log):
            invoke(function, event)

    async def read_object(bucket: str, key: str) -> bytes:
        return await calls().in_thread(partial(_read_object, plane, bucket, key))

    async def write_log(group: str, stream: str, lines: Sequence[str]) -> None:
        await calls().in_thread(partial(_write_log, plane, group, stream, lines))

    return Builds(
        children,
        find=partial(find_project, plane),
        variables=variables,
        read_object=read_object,
        write_log=write_log,
        send=send,
        log=log,
    )


def _read_object(plane: ControlPlane, bucket: str, key: str) -> bytes:
    try:
        content: bytes = plane.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        raise FileNotFoundError(error.response["Error"]["Code"]) from error
    return content


def _write_log(plane: ControlPlane, group: str, stream: str, lines: Sequence[str]) -> None:
    """Writes lines to a log stream, which is created if there is none, and its group likewise."""
    logs = plane.client("logs")
    for create, names in (
        (logs.create_log_group, {"logGroupName": group}),
        (logs.create_log_stream, {"logGroupName": group, "logStreamName": stream}),
    ):
        try:
            create(**names)
        except logs.exceptions.ResourceAlreadyExistsException:
            continue
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line or " "} for line in lines]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
