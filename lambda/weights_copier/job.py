"""The job in CodeBuild: reads the request from its environment, copies, and tells CloudFormation how it ended."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from weights_copier import wait_condition
from weights_copier.account import checked, read_secret, secret_name
from weights_copier.failure import StagingError, Stopped
from weights_copier.hub import Hub
from weights_copier.patience import Patience
from weights_copier.progress import LineProgress, Progress, gb
from weights_copier.request import RequestError, StagingRequest, read_request
from weights_copier.s3 import Bucket
from weights_copier.staging import Outcome, Settings, Staging

_TRIES = 8


def main(environment: Mapping[str, str] = os.environ, write: Callable[[str], object] | None = None) -> int:
    """Run the job.

    Args:
        environment: STAGING_REQUEST has the request. WAIT_HANDLE_URL and UNIQUE_ID, if set, say whom to tell how it
            ended. LOG_GROUP and CODEBUILD_BUILD_ID are named in a failure.
        write: Writes a line of the log. Default: to stdout, at once.

    Returns:
        The exit status: 0 if the files are there and CloudFormation knows, else 1.
    """
    write = write or _write
    succeeded, words, data = _run(environment, write)
    write(words)
    place = _place(environment)
    for line in place:
        write(line)
    if not (url := environment.get("WAIT_HANDLE_URL")):
        return 0 if succeeded else 1
    reason = words if succeeded or not place else f"{words} ({', '.join(place)})"
    unique_id = environment.get("UNIQUE_ID") or environment.get("CODEBUILD_BUILD_ID") or "weights"
    try:
        wait_condition.signal(url, unique_id, reason=reason, data=data, success=succeeded)
    except StagingError as error:
        write(error.words)
        return 1
    return 0 if succeeded else 1


def _run(environment: Mapping[str, str], write: Callable[[str], object]) -> tuple[bool, str, str]:
    """Whether it succeeded, in words, and the URL of the manifest."""
    try:
        request = read_request(environment.get("STAGING_REQUEST", ""))
        settings = Settings(environment.get("CODEBUILD_BUILD_ID") or host_name())
        with ended_by_sigterm():
            outcome = stage(request, LineProgress(write), settings)
    except RequestError as error:
        return False, StagingError(str(error)).words, ""
    except StagingError as error:
        return False, error.words, ""
    except Stopped as error:
        return False, str(error), ""
    return True, summary(outcome), outcome.manifest


def stage(
    request: StagingRequest,
    progress: Progress,
    settings: Settings,
    token: str | None = None,
    token_from: str = "HF_TOKEN",  # noqa: S107 - the name of a variable
    session: Any = boto3,
) -> Outcome:
    """Copy what a request asks for.

    Args:
        request: The request.
        progress: Is told how far it is.
        settings: Who copies, and how.
        token: The hub's token. Default: the value of the request's secret.
        token_from: Where the token is from, in words.
        session: A session of boto3. Default: its default session.

    Raises:
        StagingError: It could not be finished.
        Stopped: The process was asked to end.
    """
    account = token_from if token else None
    if token:
        token = checked(token, token_from)
    elif request.token_secret:
        token = read_secret(_client(session, "secretsmanager", request.region), request.token_secret)
        account = f"secret {secret_name(request.token_secret)}"
    else:
        progress.note("no token was given: the hub allows few requests, together for all who share this address")
    hub = Hub(request, token, account, Patience(), progress.note)
    bucket = Bucket(_client(session, "s3", request.region), request.bucket, request.kms_key)
    return Staging(hub, bucket, progress, settings).run()


def summary(outcome: Outcome) -> str:
    """What a copy has brought, on one line."""
    copied = f"{gb(outcome.copied_bytes)} copied in {outcome.seconds:.0f} s" if outcome.copied_bytes else "all there"
    return f"{outcome.files} files, {gb(outcome.total_bytes)}, verified in {outcome.url} ({copied})"


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM raise Stopped in the block, so that uploads are aborted and the lock is released.

    Only the first one counts: what follows it is the tidying up, and telling who waits.
    """
    stopped = False

    def stop(number: int, frame: object) -> None:
        nonlocal stopped
        stopped = True
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Stopped("stopped before the first file")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        if not stopped:
            signal.signal(signal.SIGTERM, before)


def host_name() -> str:
    """Who copies, where no build has a name: the machine and the process."""
    return f"{socket.gethostname()}, process {os.getpid()}"


def _place(environment: Mapping[str, str]) -> list[str]:
    """Where to read on: the log group and the build, one line each."""
    build = environment.get("CODEBUILD_BUILD_ID")
    if not build:
        return []
    group = environment.get("LOG_GROUP") or f"/aws/codebuild/{build.partition(':')[0]}"
    return [f"log group {group}", f"build {build}"]


def _client(session: Any, service: str, region: str | None) -> Any:
    retries = {"mode": "standard", "total_max_attempts": _TRIES}
    try:
        return session.client(service, region_name=region, config=Config(retries=retries))
    except (BotoCoreError, ValueError) as error:
        raise StagingError(f"{service} cannot be called: {error}") from error


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
