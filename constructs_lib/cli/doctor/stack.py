"""What CloudFormation knows: the resources of a stack, how its last operation went, and what it asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from constructs_lib.cli.doctor.reader import Missing, Reader
from constructs_lib.planning.diagnosis.signals import Deployed, Line, Source

_FAILED = re.compile(r"FAILED|ROLLBACK_(?:COMPLETE|IN_PROGRESS|FAILED)")
_STARTED = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "IMPORT_IN_PROGRESS")
_CANCELLED = "Resource creation cancelled"
_EVENT_PAGES = 4
_SECRET = re.compile(r"\{\{resolve:secretsmanager:(?P<id>(?:arn:[^:}]+(?::[^:}]+){5,6}|[^:}]+))")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource of a stack.

    Args:
        logical: Its logical id.
        physical: Its physical id.
        type: Its type.
    """

    logical: str
    physical: str
    type: str

    @property
    def name(self) -> str:
        """The name in the physical id, which may be an ARN."""
        return self.physical.rpartition("/")[2] if self.physical.startswith("arn:") else self.physical


@dataclass(frozen=True, kw_only=True)
class StackRead:
    """A stack.

    Args:
        name: Its name.
        status: Its status, such as `ROLLBACK_COMPLETE`.
        resources: Its resources, and those of events that are gone.
        lines: Reasons of what has failed in its last operation.
        began: When that operation began; None if the events do not say.
        ended: When the last event was.
        wanted: What models and endpoint configurations that are gone asked for, by the name of the endpoint's variant.
    """

    name: str
    status: str
    resources: tuple[Resource, ...]
    lines: tuple[Line, ...]
    began: datetime | None
    ended: datetime | None
    wanted: tuple[Deployed, ...]

    @property
    def has_failed(self) -> bool:
        """Whether its last operation has."""
        return _FAILED.search(self.status) is not None

    @property
    def endpoints(self) -> list[str]:
        """The names of its endpoints, those that are gone as well.

        Their physical id is an ARN, which has the name in lower case; logs and metrics have it as it was given.
        """
        return list(dict.fromkeys(name for _, name in self._named_endpoints()))

    def lines_of(self, endpoint: str | None, *, is_first: bool) -> tuple[Line, ...]:
        """The reasons that are about an endpoint: its own, and of the first those that are of no endpoint.

        Args:
            endpoint: Its name; None for a stack without one.
            is_first: Whether it is the first that is examined.
        """
        owners = dict(self._named_endpoints())
        return tuple(line for line in self.lines if (owners[line.of] == endpoint if line.of in owners else is_first))

    def _named_endpoints(self) -> Iterator[tuple[str, str]]:
        for one in self.of_type("AWS::SageMaker::Endpoint"):
            yield one.logical, _name_of(one, self.name)

    def of_type(self, type: str) -> list[Resource]:
        """Its resources of a type, those that are gone as well."""
        return [one for one in self.resources if one.type == type and one.physical]


def read_stack(reader: Reader, name: str) -> StackRead | None:
    """A stack; None if there is none of that name, or it could not be read.

    Args:
        reader: Calls AWS.
        name: Its name.
    """
    try:
        answer = reader.call(f"the stack {name}", "cloudformation", "describe_stacks", StackName=name)
    except Missing:
        return None
    if answer is None:
        return None
    stack = answer["Stacks"][0]
    events = list(
        reader.pages(
            "the stack's events",
            "cloudformation",
            "describe_stack_events",
            "StackEvents",
            most=_EVENT_PAGES,
            StackName=stack["StackId"],
        )
    )
    listed = reader.pages(
        "the stack's resources",
        "cloudformation",
        "list_stack_resources",
        "StackResourceSummaries",
        most=10,
        StackName=stack["StackId"],
    )
    last = list(_last_operation(events, stack["StackId"]))
    return StackRead(
        name=stack["StackName"],
        status=stack["StackStatus"],
        resources=tuple(_resources([*listed, *last])),
        lines=tuple(_lines(last, stack)),
        began=last[-1]["Timestamp"] if last else None,
        ended=last[0]["Timestamp"] if last else None,
        wanted=tuple(_wanted(last)),
    )


def secrets_of(reader: Reader, stack: str) -> list[str]:
    """Names or ARNs of the secrets that the template of a stack resolves."""
    answer = reader.find("the stack's template", "cloudformation", "get_template", StackName=stack)
    body = answer.get("TemplateBody", "")
    text = body if isinstance(body, str) else json.dumps(body)
    return sorted({found["id"] for found in _SECRET.finditer(text)})


def _name_of(endpoint: Resource, stack: str) -> str:
    """The name of an endpoint; of one that CloudFormation has named, in its case."""
    begin, name = f"{stack}-{endpoint.logical}-", endpoint.name
    return begin + name[len(begin) :].upper() if name.startswith(begin.lower()) else name


def _last_operation(events: list[dict[str, Any]], stack: str) -> Iterator[dict[str, Any]]:
    """The events of the last creation or update, the newest first."""
    for event in events:
        yield event
        is_stack = event.get("PhysicalResourceId") == stack
        if is_stack and event.get("ResourceStatus") in _STARTED:
            return


def _resources(rows: list[dict[str, Any]]) -> Iterator[Resource]:
    seen = set()
    for row in rows:
        physical = row.get("PhysicalResourceId") or ""
        if physical and physical not in seen:
            seen.add(physical)
            yield Resource(logical=row["LogicalResourceId"], physical=physical, type=row["ResourceType"])


def _lines(events: list[dict[str, Any]], stack: dict[str, Any]) -> Iterator[Line]:
    """The reasons of failures, the oldest first: those that follow only repeat it."""
    if str(stack["StackStatus"]) == "UPDATE_ROLLBACK_FAILED":
        reason = stack.get("StackStatusReason") or ""
        yield Line(Source.STACK, f"UPDATE_ROLLBACK_FAILED: {reason}", events[0]["Timestamp"] if events else None)
    for event in reversed(events):
        reason = event.get("ResourceStatusReason") or ""
        if "FAILED" in event.get("ResourceStatus", "") and reason and _CANCELLED not in reason:
            yield Line(Source.STACK, reason, event["Timestamp"], event["LogicalResourceId"])


def _wanted(events: list[dict[str, Any]]) -> Iterator[Deployed]:
    """What was asked for, by the properties in events: the resources of a creation that failed are gone."""
    models: dict[str, dict[str, Any]] = {}
    variants: list[dict[str, Any]] = []
    for event in reversed(events):
        properties = _properties(event)
        if event["ResourceType"] == "AWS::SageMaker::Model":
            models[str(event.get("PhysicalResourceId", "")).rpartition("/")[2]] = properties
        elif event["ResourceType"] == "AWS::SageMaker::EndpointConfig":
            variants = properties.get("ProductionVariants") or variants
    for variant in variants:
        named = str(variant.get("ModelName", ""))
        model = models.get(named) or (next(iter(models.values())) if len(models) == 1 else {})
        yield deployed(variant, model)


def deployed(variant: dict[str, Any], model: dict[str, Any], **states: Any) -> Deployed:
    """A variant as SageMaker and CloudFormation describe it, and its Model.

    Args:
        variant: A production variant of an endpoint configuration.
        model: A Model; empty if it is not known.
        states: What else `Deployed` has.
    """
    container: dict[str, Any] = model.get("PrimaryContainer") or next(iter(model.get("Containers") or ()), {})
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    pools = sorted(variant.get("InstancePools") or (), key=lambda pool: int(pool.get("Priority", 0)))
    types = [pool["InstanceType"] for pool in pools] or [variant.get("InstanceType")]
    isolation = model.get("EnableNetworkIsolation")
    return Deployed(
        **{"name": str(variant.get("VariantName", "")), **states},
        image=str(container.get("Image") or ""),
        environment={name: str(value) for name, value in (container.get("Environment") or {}).items()},
        instance_types=tuple(str(one) for one in types if one),
        ami=variant.get("InferenceAmiVersion"),
        startup_seconds=_integer(variant.get("ContainerStartupHealthCheckTimeoutInSeconds")),
        volume_gib=_integer(variant.get("VolumeSizeInGB")),
        weights=source.get("S3Uri") or container.get("ModelDataUrl"),
        network_isolation=isolation is True or str(isolation).lower() == "true",
        in_vpc=bool(model.get("VpcConfig")),
    )


def _integer(value: Any) -> int | None:
    return int(value) if value is not None and str(value).isdigit() else None


def _properties(event: dict[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(event.get("ResourceProperties") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
