"""The process of a build: its files, its variables, its commands and its output."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from local.codebuild.buildspec import PHASES, Buildspec, BuildspecError, read_buildspec
from local.processes import stdout_of

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Awaitable, Callable, Mapping

    from local.codebuild.build import Build
    from local.processes import ChildProcesses

# Variables that a build inherits: the certificate authorities that it trusts.
_INHERITED = ("SSL_CERT_FILE",)


class JobError(Exception):
    """A build cannot go on.

    Args:
        phase: The phase that has failed.
        code: The code of its context.
        message: The message of its context.
        status: The status of phase and build.
    """

    def __init__(self, phase: str, code: str, message: str, status: str = "FAILED") -> None:
        super().__init__(message)
        self.phase, self.code, self.message, self.status = phase, code, message, status


class Job:
    """Runs one build.

    Args:
        build: The build.
        folder: A new folder for it.
        children: Starts its process.
        variables: The variables of the emulated cloud, such as the URLs of its services.
        read_object: Reads an object of S3, by bucket and key.
        on_line: Receives each line of its output.
    """

    def __init__(
        self,
        build: Build,
        folder: Path,
        children: ChildProcesses,
        *,
        variables: Mapping[str, str],
        read_object: Callable[[str, str], Awaitable[bytes]],
        on_line: Callable[[str], None],
    ) -> None:
        self._build = build
        self._source = folder / "src"
        self._state = folder / "state"
        self._script = folder / "script"
        self._folder = folder
        self._children = children
        self._variables = variables
        self._read_object = read_object
        self._on_line = on_line
        self._process: Process | None = None

    async def run(self) -> None:
        """Runs the commands; the build has entered each phase that began.

        Raises:
            JobError: A phase has failed.
        """
        build = self._build
        build.enter("PROVISIONING")
        build.enter("DOWNLOAD_SOURCE")
        buildspec = await self._download()
        build.enter("INSTALL")
        build.enter("PRE_BUILD")
        build.enter("BUILD")
        self._script.write_text(buildspec.script(str(self._state)))
        self._process = await self._children.start(
            [buildspec.shell, str(self._script)], env=self._environment(buildspec), cwd=self._source
        )
        try:
            async for line in stdout_of(self._process):
                self._on_line(line.decode(errors="replace").rstrip("\n"))
            code = await self._process.wait()
        finally:
            build.is_ending = True
            await self._children.stop(self._process)
        if code != 0:
            raise self._failure(code, buildspec)
        build.enter("POST_BUILD")
        build.enter("UPLOAD_ARTIFACTS")

    async def _download(self) -> Buildspec:
        project = self._build.project
        self._source.mkdir()
        if project.source_type == "S3":
            bucket, _, key = project.source_location.partition("/")
            try:
                archive = await self._read_object(bucket, key)
                await asyncio.to_thread(_unpack, archive, self._source)
            except (FileNotFoundError, zipfile.BadZipFile) as error:
                message = f"error while downloading key {key}, error: {error}"
                raise JobError("DOWNLOAD_SOURCE", "CLIENT_ERROR", message) from error
        text = project.buildspec
        if "\n" not in text and not text.lstrip().startswith("{"):
            file = self._source / (text or "buildspec.yml")
            if not file.is_file():
                message = f"stat {text or 'buildspec.yml'}: no such file or directory"
                raise JobError("DOWNLOAD_SOURCE", "YAML_FILE_ERROR", message)
            text = file.read_text()
        try:
            return read_buildspec(text)
        except BuildspecError as error:
            raise JobError("DOWNLOAD_SOURCE", "YAML_FILE_ERROR", str(error)) from error

    def _environment(self, buildspec: Buildspec) -> dict[str, str]:
        """The environment of the commands.

        Source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
        """
        build, project = self._build, self._build.project
        region = build.arn.split(":")[3]
        return {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            **buildspec.variables,
            **build.variables,
            **self._variables,
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            "CI": "true",
            "CODEBUILD_BUILD_ARN": build.arn,
            "CODEBUILD_BUILD_ID": build.id,
            "CODEBUILD_BUILD_IMAGE": project.image,
            "CODEBUILD_BUILD_NUMBER": str(build.number),
            "CODEBUILD_BUILD_SUCCEEDING": "1",
            "CODEBUILD_CI": "true",
            "CODEBUILD_INITIATOR": "emulated",
            "CODEBUILD_KMS_KEY_ID": project.encryption_key,
            "CODEBUILD_LOG_PATH": build.log_stream,
            "CODEBUILD_SOURCE_REPO_URL": project.source_location,
            "CODEBUILD_SRC_DIR": str(self._source),
            "CODEBUILD_START_TIME": str(int(build.start.timestamp() * 1000)),
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "NO_PROXY": "localhost,127.0.0.1",
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "PWD": str(self._source),
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self._folder),
        }

    def _failure(self, code: int, buildspec: Buildspec) -> JobError:
        phase, _, number = self._state.read_text().partition(" ") if self._state.is_file() else (PHASES[2], "", "0")
        commands = buildspec.commands.get(phase, ())
        command = commands[int(number)] if int(number) < len(commands) else ""
        exit_status = code if code >= 0 else 128 - code  # as a shell reports a signal
        message = f"Error while executing command: {command}. Reason: exit status {exit_status}"
        return JobError(phase.upper(), "COMMAND_EXECUTION_ERROR", message)


def _unpack(archive: bytes, folder: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        opened.extractall(folder)
