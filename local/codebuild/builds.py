"""The builds of an account: their quotas and queues, their logs, and the events of their ends."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.codebuild.build import Build
from local.codebuild.job import Job, JobError
from local.codebuild.project import plain_variables

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from local.codebuild.project import Project
    from local.processes import ChildProcesses

# How many times as many builds as may run wait for their turn.
QUEUE_FACTOR = 5
IDEMPOTENCY_SECONDS = 300.0
LOG_SECONDS = 0.2
_OVERRIDES = {
    "projectName",
    "environmentVariablesOverride",
    "computeTypeOverride",
    "timeoutInMinutesOverride",
    "idempotencyToken",
}


class BuildError(Exception):
    """The answer of CodeBuild to a request that it refuses.

    Args:
        code: The error's code.
        message: Its message.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Builds:
    """The builds of an account, which run in the event loop.

    Args:
        children: Starts their processes.
        find: Finds a project by name or ARN; None if there is none. Raises ValueError if it cannot be run here.
        variables: Gives what a build gets besides its own variables, and in their place.
        read_object: Reads an object of S3, by bucket and key; raises FileNotFoundError.
        write_log: Writes lines to a log stream, by group and stream.
        send: Sends an event.
        log: Receives each line of a build's output.
        seconds_per_minute: How long a minute of a time limit takes.

    Attributes:
        seconds_per_minute: See above.
        deliveries: How often each event is delivered; EventBridge promises once at least.
        quotas: How many builds of a compute type may run at once. Without a number, any.
    """

    def __init__(
        self,
        children: ChildProcesses,
        *,
        find: Callable[[str], Project | None],
        variables: Callable[[Build], Mapping[str, str]],
        read_object: Callable[[str, str], Awaitable[bytes]],
        write_log: Callable[[str, str, Sequence[str]], Awaitable[None]],
        send: Callable[[Mapping[str, Any]], None],
        log: Callable[[str], None],
        seconds_per_minute: float = 60.0,
    ) -> None:
        self._children = children
        self._find = find
        self._variables = variables
        self._read_object = read_object
        self._write_log = write_log
        self._send = send
        self._log = log
        self.seconds_per_minute = seconds_per_minute
        self._builds: dict[str, Build] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._tokens: dict[str, tuple[float, Mapping[str, Any], Build]] = {}
        self._changed = asyncio.Condition()
        self.deliveries = 1
        self.quotas: dict[str, int] = {}

    def all(self) -> list[Build]:
        """All builds, oldest first."""
        return list(self._builds.values())

    def is_busy(self) -> bool:
        """Whether a build runs or waits."""
        return bool(self._tasks)

    async def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request.

        Args:
            operation: StartBuild, StopBuild, BatchGetBuilds or ListBuildsForProject.
            request: Its parameters.

        Raises:
            BuildError: CodeBuild refuses it.
        """
        if operation == "StartBuild":
            return {"build": await self.start(request)}
        if operation == "StopBuild":
            return {"build": await self.stop(str(request["id"]))}
        if operation == "ListBuildsForProject":
            project = self._project(str(request["projectName"]))
            return {"ids": [name for name, build in self._builds.items() if build.project.arn == project.arn][::-1]}
        found, missing = self.get(request["ids"])
        return {"builds": found, "buildsNotFound": missing}

    async def start(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """StartBuild.

        Raises:
            BuildError: CodeBuild refuses the request.
        """
        project = self._project(str(request["projectName"]))
        if unknown := sorted(request.keys() - _OVERRIDES):
            raise BuildError("InvalidInputException", f"The emulated CodeBuild has no {', '.join(unknown)}.")
        if (build := self._known(request)) is not None:
            return build.described()
        try:
            variables = plain_variables(
                (entry["name"], entry["value"], entry.get("type", "PLAINTEXT"))
                for entry in request.get("environmentVariablesOverride", ())
            )
        except ValueError as error:
            raise BuildError("InvalidInputException", str(error)) from error
        build = Build(
            project,
            1 + sum(other.project.name == project.name for other in self._builds.values()),
            {**project.variables, **variables},
            request.get("computeTypeOverride", project.compute_type),
            int(request.get("timeoutInMinutesOverride", project.minutes)),
        )
        self._check_queue(build.compute_type)
        self._builds[build.id] = build
        if token := request.get("idempotencyToken"):
            self._tokens[token] = (asyncio.get_running_loop().time(), dict(request), build)
        build.enter("SUBMITTED")
        build.enter("QUEUED")
        self._tasks[build.id] = asyncio.create_task(self._run(build))
        return build.described()

    def get(self, ids: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
        """BatchGetBuilds: the builds by id or ARN, and the ids of which there is none."""
        names = {name: name.rpartition(":build/")[2] for name in ids}
        found = [self._builds[name].described() for name in names.values() if name in self._builds]
        return found, [given for given, name in names.items() if name not in self._builds]

    async def stop(self, named: str) -> dict[str, Any]:
        """StopBuild.

        Raises:
            BuildError: There is no such build.
        """
        build = self._builds.get(named.rpartition(":build/")[2])
        if build is None:
            raise BuildError("ResourceNotFoundException", f"Build {named} does not exist")
        if (task := self._tasks.get(build.id)) is not None:
            if not build.is_ending:
                build.is_ending = True
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return build.described()

    async def close(self) -> None:
        """Ends every build."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _project(self, named: str) -> Project:
        try:
            project = self._find(named)
        except ValueError as error:
            raise BuildError("InvalidInputException", str(error)) from error
        if project is None:
            raise BuildError("ResourceNotFoundException", f"Project cannot be found: {named}")
        return project

    def _known(self, request: Mapping[str, Any]) -> Build | None:
        """The build of the same request with the same token, of the last five minutes."""
        known = self._tokens.get(request.get("idempotencyToken", ""))
        if known is None or asyncio.get_running_loop().time() - known[0] > IDEMPOTENCY_SECONDS:
            return None
        if known[1] != request:
            raise BuildError("InvalidInputException", "Request parameters do not match those of the idempotency token")
        return known[2]

    def _check_queue(self, compute_type: str) -> None:
        quota = self.quotas.get(compute_type)
        if quota is None:
            return
        waiting = self._count(compute_type, queued=True) + self._count(compute_type, queued=False)
        if waiting >= quota * (1 + QUEUE_FACTOR):
            raise BuildError(
                "AccountLimitExceededException",
                f"Cannot have more than {quota * QUEUE_FACTOR} builds in queue for the account",
            )

    def _count(self, compute_type: str, *, queued: bool) -> int:
        running = [self._builds[name] for name in self._tasks]
        same = [build for build in running if build.compute_type == compute_type]
        return sum((build.phases[-1].type == "QUEUED") == queued for build in same)

    async def _run(self, build: Build) -> None:
        status = "SUCCEEDED"
        folder = Path(tempfile.mkdtemp(prefix="build-"))
        self._deliver(build)
        writer = asyncio.create_task(self._write_logs(build))
        try:
            await self._wait_for_turn(build)
            async with asyncio.timeout(build.minutes * self.seconds_per_minute):
                await self._job(build, folder).run()
        except JobError as error:
            build.phases[-1].type = error.phase
            status = error.status
            build.leave(status, error.code, error.message)
        except TimeoutError:
            status = "TIMED_OUT"
            build.leave(status, "BUILD_TIMED_OUT", f"Build has timed out. Build time limit: {build.minutes} minutes.")
        except asyncio.CancelledError:
            status = "STOPPED"
            build.leave(status)
        self._line(build, f"{status}: {build.phases[-1].context[1]}".rstrip(": "))
        shutil.rmtree(folder, ignore_errors=True)
        build.finish(status)
        await writer
        del self._tasks[build.id]
        async with self._changed:
            self._changed.notify_all()
        self._deliver(build)

    async def _wait_for_turn(self, build: Build) -> None:
        quota = self.quotas.get(build.compute_type)
        if quota is None:
            return
        async with asyncio.timeout(build.project.queued_minutes * self.seconds_per_minute), self._changed:
            await self._changed.wait_for(lambda: self._count(build.compute_type, queued=False) < quota)
            build.enter("PROVISIONING")

    def _job(self, build: Build, folder: Path) -> Job:
        return Job(
            build,
            folder,
            self._children,
            variables=self._variables(build),
            read_object=self._read_object,
            on_line=lambda line: self._line(build, line),
        )

    def _deliver(self, build: Build) -> None:
        event = build.event()
        for _ in range(self.deliveries):
            self._send(event)

    def _line(self, build: Build, line: str) -> None:
        build.lines.append(line)
        self._log(f"build {build.id[:-28]}: {line}")  # eight digits tell builds apart

    async def _write_logs(self, build: Build) -> None:
        """Writes the lines to the log stream until the build has ended."""
        written, ended = 0, False
        while not ended:
            await asyncio.sleep(LOG_SECONDS)
            ended = build.is_complete
            lines = build.lines[written:]
            written += len(lines)
            if lines:
                await self._write_log(build.project.log_group, build.log_stream, lines)
