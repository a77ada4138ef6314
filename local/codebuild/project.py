"""A build project, from its resource in a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# What CodeBuild takes without a value: AWS::CodeBuild::Project in CloudFormation's template reference.
DEFAULT_MINUTES, DEFAULT_QUEUED_MINUTES = 60, 480


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A build project.

    Args:
        name: Its name.
        arn: Its ARN.
        source_type: `S3` or `NO_SOURCE`; the emulated CodeBuild has no other.
        source_location: Of a source in S3 `bucket/key`, else empty.
        buildspec: The buildspec, or the name of a file of the source.
        image: The build image, which is not used: the commands run on this machine.
        compute_type: The compute type, for the quotas.
        environment_type: Such as `LINUX_CONTAINER`.
        variables: The environment variables by name.
        minutes: The time limit of a build.
        queued_minutes: How long a build may wait for its turn.
        log_group: The log group of its builds.
        log_stream: What the names of their streams begin with; empty for nothing.
        service_role: The ARN of the role.
        encryption_key: The KMS key, or empty.
    """

    name: str
    arn: str
    source_type: str
    source_location: str
    buildspec: str
    image: str
    compute_type: str
    environment_type: str
    variables: Mapping[str, str]
    minutes: int
    queued_minutes: int
    log_group: str
    log_stream: str
    service_role: str
    encryption_key: str


def read_project(name: str, arn: str, properties: Mapping[str, Any]) -> Project:
    """Reads a project from the properties of its resource.

    Raises:
        ValueError: It has something that the emulated CodeBuild does not have; the message says what.
    """
    source, environment = properties["Source"], properties["Environment"]
    if source["Type"] not in ("S3", "NO_SOURCE"):
        raise ValueError(f"Source.Type={source['Type']}: the emulated CodeBuild has S3 and NO_SOURCE.")
    logs = properties.get("LogsConfig", {}).get("CloudWatchLogs", {})
    return Project(
        name=name,
        arn=arn,
        source_type=source["Type"],
        source_location=source.get("Location", ""),
        buildspec=source.get("BuildSpec", ""),
        image=environment["Image"],
        compute_type=environment["ComputeType"],
        environment_type=environment["Type"],
        variables=plain_variables(
            (entry["Name"], str(entry["Value"]), entry.get("Type", "PLAINTEXT"))
            for entry in environment.get("EnvironmentVariables", ())
        ),
        minutes=int(properties.get("TimeoutInMinutes", DEFAULT_MINUTES)),
        queued_minutes=int(properties.get("QueuedTimeoutInMinutes", DEFAULT_QUEUED_MINUTES)),
        log_group=logs.get("GroupName", f"/aws/codebuild/{name}"),
        log_stream=logs.get("StreamName", ""),
        service_role=properties["ServiceRole"],
        encryption_key=properties.get("EncryptionKey", ""),
    )


def plain_variables(entries: Any) -> dict[str, str]:
    """Environment variables by name.

    Args:
        entries: Name, value and type of each.

    Raises:
        ValueError: A variable refers to a parameter or a secret.
    """
    found = {}
    for name, value, kind in entries:
        if kind != "PLAINTEXT":
            raise ValueError(f"The variable {name} has the type {kind}: the emulated CodeBuild has PLAINTEXT alone.")
        found[name] = value
    return found
