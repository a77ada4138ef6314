"""Everything that is read of a stack or an endpoint, as signals of each endpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from constructs_lib.cli.doctor.endpoint import EndpointRead, read_endpoint, stack_of
from constructs_lib.cli.doctor.front_door import FrontDoorRead, read_front_door
from constructs_lib.cli.doctor.logs import read_log
from constructs_lib.cli.doctor.metrics import Measured, read_metrics
from constructs_lib.cli.doctor.reader import Reader
from constructs_lib.cli.doctor.stack import StackRead, read_stack
from constructs_lib.cli.errors import CommandError
from constructs_lib.planning.diagnosis.signals import Deployed, Line, Signals, Source
from constructs_lib.planning.validation.problem import Problem

DEFAULT_SINCE = timedelta(hours=3)
_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the caller asks about.

    Args:
        name: Name of a stack or an endpoint; None if one of the others is given.
        stack: Name of a stack.
        endpoint: Name of an endpoint.
        since: How far back logs and metrics are read. None: since the last deployment, at most three hours; of one
            that failed earlier, from its begin to its end.
    """

    name: str | None = None
    stack: str | None = None
    endpoint: str | None = None
    since: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Period:
    """From when to when logs and metrics are read."""

    since: datetime
    until: datetime


def gather(reader: Reader, asked: Asked) -> tuple[list[Signals], Period]:
    """The signals of each endpoint; of a stack without one those of the stack.

    Raises:
        CommandError: There is no such stack or endpoint, or it could not be read.
        NoAccountError: AWS does not accept the credentials.
    """
    stack, endpoints = _find(reader, asked)
    period = _period(stack, asked.since)
    door = read_front_door(reader, stack) if stack else FrontDoorRead(functions={}, apis=(), access_logs=())
    read = [
        _signals(reader, stack, endpoint, door if number == 0 else None, period)
        for number, endpoint in enumerate(endpoints or [None])
    ]
    return read, period


def _find(reader: Reader, asked: Asked) -> tuple[StackRead | None, list[EndpointRead]]:
    """The stack, if there is one, and the endpoints."""
    stack_name, endpoint_name = asked.stack or asked.name, asked.endpoint or asked.name
    if endpoint_name and ":endpoint/" in endpoint_name:
        stack_name, endpoint_name = None, endpoint_name.rpartition("/")[2]
    stack = read_stack(reader, stack_name) if stack_name and not asked.endpoint else None
    if stack is not None:
        return stack, [read_endpoint(reader, name) for name in stack.endpoints]
    if asked.stack or endpoint_name is None:
        raise _not_there(reader, f"stack {stack_name!r}", "aws cloudformation list-stacks lists those that there are.")
    endpoint = read_endpoint(reader, endpoint_name)
    if endpoint.is_gone or not endpoint.status:
        what = f"endpoint {endpoint_name!r}" if asked.endpoint else f"stack or endpoint {endpoint_name!r}"
        fix = (
            "Check the Region and the account; a stack whose creation was rolled back and deleted is found by its ARN."
        )
        raise _not_there(reader, what, fix)
    named = stack_of(reader, endpoint_name)
    return (read_stack(reader, named) if named else None), [endpoint]


def _not_there(reader: Reader, what: str, fix: str) -> CommandError:
    where = f"in {reader.session.region}"
    unread = [Problem("arguments", None, note, "") for note in reader.unread]
    if unread:
        return CommandError(*unread)
    return CommandError(Problem("arguments", None, f"there is no {what} {where}", fix))


def _period(stack: StackRead | None, since: timedelta | None) -> Period:
    now = datetime.now(UTC)
    if since is not None:
        return Period(since=now - since, until=now)
    begin = now - DEFAULT_SINCE
    if stack is None or stack.began is None:
        return Period(since=begin, until=now)
    if stack.has_failed and stack.ended is not None:
        return Period(since=stack.began, until=min(now, stack.ended + _AFTER))
    return Period(since=max(begin, stack.began), until=now)


def _signals(
    reader: Reader, stack: StackRead | None, endpoint: EndpointRead | None, door: FrontDoorRead | None, period: Period
) -> Signals:
    deployed = _deployed(stack, endpoint)
    events = stack.lines_of(endpoint.name if endpoint else None, is_first=door is not None) if stack else ()
    measured = Measured(
        endpoint=endpoint.name if endpoint else None,
        deployed=deployed,
        functions=tuple(door.functions.values()) if door else (),
        apis=door.apis if door else (),
    )
    groups = dict(_groups(endpoint, deployed, door))
    tasks = {
        f"{what} {group}": _log_task(reader, what, group, source, period) for group, (what, source) in groups.items()
    }
    results = reader.together(
        {**tasks, "the metrics": lambda: read_metrics(reader, measured, period.since, period.until)}
    )
    metrics = results.pop("the metrics") or {}
    logs = {name: lines for name, lines in results.items() if lines is not None}
    lines = [line for found in logs.values() for line in found]
    return Signals(
        endpoint=endpoint.name if endpoint else None,
        stack=stack.name if stack else None,
        region=reader.session.region,
        status=_status(stack, endpoint),
        lines=(*events, *_reasons(stack, endpoint), *lines),
        metrics=metrics,
        deployed=deployed,
        had_log=_had_log(reader, lines),
        # Another endpoint of the stack may be why: then this one has only been rolled back with it.
        deployment_failed=stack is not None and stack.has_failed and bool(events or not stack.lines),
    )


def _reasons(stack: StackRead | None, endpoint: EndpointRead | None) -> list[Line]:
    """What SageMaker says has failed."""
    lines = []
    if endpoint and endpoint.is_gone and stack and not stack.has_failed:
        lines.append(Line(Source.STATUS, f"there is no endpoint {endpoint.name}, which the stack lists"))
    return [*lines, *(endpoint.lines if endpoint else ())]


def _deployed(stack: StackRead | None, endpoint: EndpointRead | None) -> tuple[Deployed, ...]:
    """What is deployed; of an endpoint that is gone, or goes back to what it was, what was asked for."""
    if endpoint is not None and endpoint.deployed and not (stack and stack.has_failed and stack.wanted):
        return endpoint.deployed
    return stack.wanted if stack and stack.wanted else endpoint.deployed if endpoint else ()


def _status(stack: StackRead | None, endpoint: EndpointRead | None) -> str:
    if endpoint is not None and endpoint.status:
        return endpoint.status
    return "Failed" if stack is not None and stack.has_failed else ""


def _groups(
    endpoint: EndpointRead | None, deployed: tuple[Deployed, ...], door: FrontDoorRead | None
) -> list[tuple[str, tuple[str, Source]]]:
    """The log groups, and what each is."""
    components = [one.name for one in deployed if one.is_component]
    found = []
    if endpoint and not components:
        found.append((f"/aws/sagemaker/Endpoints/{endpoint.name}", ("the container's log", Source.LOG)))
    found += [
        (f"/aws/sagemaker/InferenceComponents/{name}", ("the container's log", Source.LOG)) for name in components
    ]
    if door:
        found += [(group, ("the front door's log", Source.FUNCTION)) for group in door.functions]
        found += [(group, ("the API's access log", Source.GATEWAY)) for group in door.access_logs]
    return found


def _log_task(reader: Reader, what: str, group: str, source: Source, period: Period) -> Callable[[], list[Line] | None]:
    return lambda: read_log(reader, what, group, source, period.since, period.until)


def _had_log(reader: Reader, lines: list[Line]) -> bool | None:
    if any(line.source is Source.LOG for line in lines):
        return True
    return None if any("the container's log" in note for note in reader.unread) else False
