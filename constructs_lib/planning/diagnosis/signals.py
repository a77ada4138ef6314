"""What was read of a deployed endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Source(StrEnum):
    """Where a line is from."""

    STACK = "stack event"
    STATUS = "status"
    LOG = "container log"
    FUNCTION = "function log"
    GATEWAY = "API Gateway log"
    SCALING = "scaling activity"
    ACCESS = "access check"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a log, a reason of an event, or why something has failed.

    Args:
        source: Where it is from.
        text: What it says.
        at: When; None if nothing says.
        of: Of what, such as a logical id or a name. Default: the endpoint.
    """

    source: Source
    text: str
    at: datetime | None = None
    of: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """The values of a metric.

    Args:
        name: Its name in CloudWatch.
        statistic: The statistic, such as `Maximum`.
        points: Time and value, the oldest first.
    """

    name: str
    statistic: str
    points: tuple[tuple[datetime, float], ...]

    @property
    def most(self) -> tuple[datetime, float] | None:
        """The highest value and when; None without values."""
        return max(self.points, key=lambda point: point[1], default=None)

    @property
    def total(self) -> float:
        """The sum of the values."""
        return sum(value for _, value in self.points)


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A container as it is deployed: a production variant, or an inference component.

    Args:
        name: Name of the variant or the component.
        image: URI of the image; empty if it is not known.
        environment: The container's variables. They may hold secrets, and no finding shows their values.
        instance_types: Instance types by priority; empty if they are not known.
        ami: Machine image of the host; None leaves it to SageMaker.
        startup_seconds: Container start-up health check timeout; None: SageMaker's.
        volume_gib: Storage volume; None: SageMaker's.
        weights: URI of the weights in S3; None if SageMaker downloads none.
        network_isolation: Whether the container is cut off from every network.
        in_vpc: Whether it is in a VPC of the account.
        current: Instances, or copies, that run; None if it is not known.
        desired: Those that should run; None if it is not known.
        most: Those to which it may scale; None if it does not scale.
        is_component: Whether it is an inference component.
        status: Its status, such as `InService`; empty if it is not known.
    """

    name: str
    image: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    instance_types: tuple[str, ...] = ()
    ami: str | None = None
    startup_seconds: int | None = None
    volume_gib: int | None = None
    weights: str | None = None
    network_isolation: bool = False
    in_vpc: bool = False
    current: int | None = None
    desired: int | None = None
    most: int | None = None
    is_component: bool = False
    status: str = ""


@dataclass(frozen=True, kw_only=True)
class Quota:
    """A quota of the account.

    Args:
        name: Its name, such as `ml.g5.2xlarge for endpoint usage`.
        code: Its code, such as `L-9614C779`.
        value: Its value.
    """

    name: str
    code: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Signals:
    """Everything that was read.

    Args:
        endpoint: Name of the endpoint; None if a stack has none yet.
        stack: Name of the stack; None if it was not looked for, or there is none.
        region: The Region.
        status: Status of the endpoint, such as `InService`; empty if it is gone.
        lines: Lines of logs and events.
        metrics: Series by name.
        deployed: What is deployed.
        quotas: Quotas of the instance types.
        had_log: Whether the container has written a log; None if that could not be read.
        deployment_failed: Whether the last operation on the stack has failed.
    """

    endpoint: str | None = None
    stack: str | None = None
    region: str = ""
    status: str = ""
    lines: tuple[Line, ...] = ()
    metrics: Mapping[str, Series] = field(default_factory=dict)
    deployed: tuple[Deployed, ...] = ()
    quotas: tuple[Quota, ...] = ()
    had_log: bool | None = None
    deployment_failed: bool = False

    def total(self, metric: str) -> float:
        """The sum of a metric; 0 if it was not read or has no values."""
        return self.metrics[metric].total if metric in self.metrics else 0.0

    @property
    def serves(self) -> bool:
        """Whether the endpoint takes requests, as it was deployed last."""
        return self.status in ("InService", "SystemUpdating") and not self.deployment_failed
