"""One build: what CodeBuild's API and its events say of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.codebuild.project import Project

IN_PROGRESS = "IN_PROGRESS"
_COMPLETED = "COMPLETED"


@dataclass(slots=True)
class Phase:
    """A phase of a build."""

    type: str
    start: datetime
    end: datetime | None = None
    status: str | None = None
    context: tuple[str, str] = ("", "")

    def described(self) -> dict[str, Any]:
        """The phase as in `phases` of BatchGetBuilds."""
        found: dict[str, Any] = {"phaseType": self.type, "startTime": self.start}
        if self.end is not None:
            seconds = int((self.end - self.start).total_seconds())
            found |= {"endTime": self.end, "phaseStatus": self.status, "durationInSeconds": seconds}
            code, message = self.context
            found["contexts"] = [{"statusCode": code, "message": message}]
        return found


@dataclass(slots=True)
class Build:
    """One build.

    Args:
        project: Its project, as it was at the start.
        number: How many builds of the project there have been.
        variables: Its environment variables by name, those of the request included.
        compute_type: The compute type.
        minutes: The time limit.

    Attributes:
        status: Its status.
        start: When it was requested.
        end: When it has ended.
        phases: Its phases until now.
        lines: What it has written.
        is_ending: Whether its process is being ended, for whatever reason: it cannot be stopped any more.
    """

    project: Project
    number: int
    variables: Mapping[str, str]
    compute_type: str
    minutes: int
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = IN_PROGRESS
    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    end: datetime | None = None
    phases: list[Phase] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    is_ending: bool = False

    @property
    def id(self) -> str:
        """The id."""
        return f"{self.project.name}:{self.uuid}"

    @property
    def arn(self) -> str:
        """The ARN."""
        return f"{self.project.arn.rpartition(':project/')[0]}:build/{self.id}"

    @property
    def log_stream(self) -> str:
        """The log stream."""
        return f"{self.project.log_stream}/{self.uuid}" if self.project.log_stream else self.uuid

    @property
    def is_complete(self) -> bool:
        """Whether it has ended."""
        return self.status != IN_PROGRESS

    def enter(self, phase: str) -> None:
        """Begins a phase; the one before has succeeded."""
        self.leave("SUCCEEDED")
        self.phases.append(Phase(phase, datetime.now(UTC)))

    def leave(self, status: str, code: str = "", message: str = "") -> None:
        """Ends the phase that runs."""
        if self.phases and self.phases[-1].end is None:
            phase = self.phases[-1]
            phase.end, phase.status, phase.context = datetime.now(UTC), status, (code, message)

    def finish(self, status: str) -> None:
        """Ends the build."""
        self.enter("FINALIZING")
        self.enter(_COMPLETED)
        self.status, self.end = status, datetime.now(UTC)

    def described(self) -> dict[str, Any]:
        """The build as in StartBuild, StopBuild and BatchGetBuilds."""
        project = self.project
        found = {
            "id": self.id,
            "arn": self.arn,
            "buildNumber": self.number,
            "startTime": self.start,
            "currentPhase": self.phases[-1].type if self.phases else "SUBMITTED",
            "buildStatus": self.status,
            "projectName": project.name,
            "phases": [phase.described() for phase in self.phases],
            "source": {
                "type": project.source_type,
                "location": project.source_location,
                "buildspec": project.buildspec,
            },
            "artifacts": {"location": ""},
            "environment": self._environment(),
            "serviceRole": project.service_role,
            "logs": self._logs(),
            "timeoutInMinutes": self.minutes,
            "queuedTimeoutInMinutes": project.queued_minutes,
            "buildComplete": self.is_complete,
            "initiator": "emulated",
        }
        return found if self.end is None else {**found, "endTime": self.end}

    def event(self) -> dict[str, Any]:
        """Its event `CodeBuild Build State Change`.

        Source: https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html
        """
        _, _, _, region, account, *_ = self.arn.split(":")
        variables = self._environment()["environmentVariables"]
        logs = self._logs()
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "CodeBuild Build State Change",
            "source": "aws.codebuild",
            "account": account,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": region,
            "resources": [self.arn],
            "detail": {
                "build-status": self.status,
                "project-name": self.project.name,
                "build-id": self.arn,
                "additional-information": {
                    "artifact": {"location": ""},
                    "environment": {
                        "image": self.project.image,
                        "privileged-mode": False,
                        "compute-type": self.compute_type,
                        "type": self.project.environment_type,
                        "environment-variables": variables,
                    },
                    "timeout-in-minutes": self.minutes,
                    "build-complete": self.is_complete,
                    "initiator": "emulated",
                    "build-start-time": _written(self.start),
                    "source": {"location": self.project.source_location, "type": self.project.source_type},
                    "logs": {
                        "group-name": logs["groupName"],
                        "stream-name": logs["streamName"],
                        "deep-link": logs["deepLink"],
                    },
                    "phases": [_phase_of_event(phase) for phase in self.phases],
                },
                "current-phase": self.phases[-1].type if self.phases else "SUBMITTED",
                "current-phase-context": "[]",
                "version": "1",
            },
        }

    def _environment(self) -> dict[str, Any]:
        return {
            "type": self.project.environment_type,
            "image": self.project.image,
            "computeType": self.compute_type,
            "environmentVariables": [
                {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in self.variables.items()
            ],
            "privilegedMode": False,
        }

    def _logs(self) -> dict[str, Any]:
        group, stream = self.project.log_group, self.log_stream
        partition, service, region, account = self.arn.split(":")[1:5]
        del service
        return {
            "groupName": group,
            "streamName": stream,
            "deepLink": f"https://console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:log-groups/log-group/"
            f"{group.replace('/', '$252F')}/log-events/{stream.replace('/', '$252F')}",
            "cloudWatchLogsArn": f"arn:{partition}:logs:{region}:{account}:log-group:{group}:log-stream:{stream}",
            "cloudWatchLogs": {"status": "ENABLED", "groupName": group},
        }


def _phase_of_event(phase: Phase) -> dict[str, Any]:
    found: dict[str, Any] = {"phase-type": phase.type, "start-time": _written(phase.start)}
    if phase.end is not None:
        code, message = phase.context
        found |= {
            "end-time": _written(phase.end),
            "duration-in-seconds": int((phase.end - phase.start).total_seconds()),
            "phase-status": phase.status,
            "phase-context": [f"{code}: {message}" if code else message] if code or message else [],
        }
    return found


def _written(time: datetime) -> str:
    """A time as events have it, for example `Sep 1, 2017 4:12:29 PM`."""
    return f"{time:%b} {time.day}, {time.year} {time.hour % 12 or 12}:{time:%M:%S} {'AM' if time.hour < 12 else 'PM'}"
