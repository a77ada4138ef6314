"""Adds the alarms and objectives of a front door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Duration

from constructs_lib._arguments import quantity_problems, type_name
from constructs_lib._monitoring import add_monitoring, check_monitoring
from constructs_lib._tokens import hide_token
from constructs_lib.front_door.routed_models import has_fallback, waiting_endpoints
from constructs_lib.planning.monitoring.front_door_alarms import (
    CONCURRENCY,
    FALLBACKS,
    FIRST_TOKEN_SECONDS,
    FUNCTION_ERRORS,
    GATEWAY_ERRORS,
    RETRIES,
    SERVER_ERRORS,
    STORE_FAILURES,
    THROTTLES,
    Door,
    DoorThresholds,
    door_alarms,
)
from constructs_lib.planning.monitoring.objectives import (
    AVAILABILITY,
    FIRST_TOKEN,
    availability,
    first_token,
    objective_alarms,
)
from constructs_lib.planning.monitoring.thresholds import FRONT_DOOR_RULES, threshold_problems
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import aws_sns as sns
    from constructs import Construct

    from constructs_lib.front_door.front_door_function import FrontDoorFunction
    from constructs_lib.front_door.rest_api import FrontDoorApi
    from constructs_lib.front_door.routed_models import RoutedModel
    from constructs_lib.front_door.watched import WatchedFrontDoor
    from constructs_lib.planning.monitoring.alarm import Alarm, CombinedAlarm

_TIME = "time_to_first_token"
_OBJECTIVE = "first_token_objective"


def monitor_front_door(
    front_door: WatchedFrontDoor,
    *,
    function: FrontDoorFunction,
    models: Mapping[str, RoutedModel],
    api: FrontDoorApi,
    holds_clients: bool,
    counts_use: bool,
    topic: sns.ITopic | None,
    runbook: str,
    alarms: Mapping[str, Any],
) -> None:
    """Monitor a front door. `WatchedFrontDoor.monitor` describes the arguments.

    Args:
        front_door: The front door.
        function: Its function.
        models: Its endpoints, or what chooses among several, by the names of their models.
        api: Its API.
        holds_clients: Whether clients are kept waiting while their model wakes.
        counts_use: Whether a consumer has limits on tokens or streams.
        topic: The topic.
        runbook: Where the runbook is.
        alarms: The thresholds.
    """
    construct = cast("Construct", front_door)
    objective, problems = _pair(alarms.get(_OBJECTIVE))
    given = {key: value for key, value in alarms.items() if key not in (_TIME, _OBJECTIVE)}
    times: dict[str, Any] = {_TIME: alarms.get(_TIME)}
    if objective is not None:
        given[_OBJECTIVE], times[f"{_OBJECTIVE}[1]"] = objective
    units = quantity_problems(**times)
    check_monitoring(
        construct,
        topic=topic,
        runbook=runbook,
        thresholds=given,
        rules=FRONT_DOOR_RULES,
        problems=[*problems, *(units or _time_problems(times))],
    )
    door = _door(front_door, function, models, api, holds_clients)
    thresholds = _thresholds(door, alarms, counts_use=counts_use)
    planned: list[Alarm | CombinedAlarm] = [*door_alarms(door, thresholds), *_objectives(door, alarms)]
    add_monitoring(construct, planned, topic=topic, runbook=runbook)


def _pair(objective: object) -> tuple[tuple[Any, Any] | None, list[Problem]]:
    """The percentage and the time of an objective; None if it is left out, or no pair."""
    if objective is None:
        return None, []
    if isinstance(objective, tuple) and len(objective) == 2 and not any(part is None for part in objective):
        return objective, []
    shown = f"must be a tuple of percent and a Duration, not {type_name(objective)}"
    return None, [Problem(_OBJECTIVE, objective, shown, "Write (95, Duration.seconds(10)), or leave it out.")]


def _time_problems(times: Mapping[str, Duration | None]) -> Iterator[Problem]:
    seconds = {keyword: time.to_seconds(integral=False) for keyword, time in times.items() if time is not None}
    hidden = {keyword: hide_token(value) for keyword, value in seconds.items()}
    return threshold_problems(hidden, dict.fromkeys(hidden, FRONT_DOOR_RULES[_TIME]))


def _door(
    front_door: WatchedFrontDoor,
    function: FrontDoorFunction,
    models: Mapping[str, RoutedModel],
    api: FrontDoorApi,
    holds_clients: bool,
) -> Door:
    wakes = {name: seconds for name, model in models.items() if (seconds := _wake_seconds(model))}
    whole = front_door.metric_requests()
    return Door(
        namespace=whole.namespace,
        dimensions=whole.dimensions or {},
        models={name: front_door.metric_requests(model=name).dimensions or {} for name in models},
        with_fallback=[name for name, model in models.items() if has_fallback(model)],
        wake_seconds=wakes,
        holds=holds_clients,
        function=function.name,
        # API Gateway leaves other characters out of the dimension.
        api=(api.name.encode("ascii", "ignore").decode(), api.stage_name),
    )


def _wake_seconds(model: RoutedModel) -> int:
    """How long the slowest of the endpoints takes to come back whose clients wait for it meanwhile; 0 if none goes."""
    wakes = [getattr(endpoint, "wake", None) for endpoint in waiting_endpoints(model)]
    return max((wake.seconds for wake in wakes if wake), default=0)


def _thresholds(door: Door, alarms: Mapping[str, Any], *, counts_use: bool) -> DoorThresholds:
    return DoorThresholds(
        server_errors=alarms.get("server_errors", SERVER_ERRORS),
        first_token_seconds={model: _first_token_seconds(door, model, alarms) for model in door.models},
        overload=alarms.get("overload", RETRIES),
        fallbacks=alarms.get("fallbacks", FALLBACKS),
        function_errors=alarms.get("function_errors", FUNCTION_ERRORS),
        throttles=alarms.get("throttles", THROTTLES),
        concurrency=alarms.get("concurrency", CONCURRENCY),
        gateway_errors=alarms.get("gateway_errors", GATEWAY_ERRORS),
        store_failures=alarms.get("store_failures", STORE_FAILURES) if counts_use else None,
    )


def _first_token_seconds(door: Door, model: str, alarms: Mapping[str, Any]) -> float | None:
    """The wait of a client that is held counts, too."""
    if _TIME in alarms:
        given = alarms[_TIME]
        return None if given is None else given.to_seconds(integral=False)
    return FIRST_TOKEN_SECONDS + (door.wake_seconds.get(model, 0) if door.holds else 0)


def _objectives(door: Door, alarms: Mapping[str, Any]) -> Iterator[CombinedAlarm]:
    percent = alarms.get("availability_objective", None if door.wake_seconds and not door.holds else AVAILABILITY)
    if percent is not None:
        requests, errors = door.metric("Requests", "Sum"), door.metric("ServerErrors", "Sum")
        yield from objective_alarms(availability(requests, errors), percent)
    default = (FIRST_TOKEN[0], Duration.seconds(FIRST_TOKEN[1]))
    pair = alarms.get(_OBJECTIVE, None if door.wake_seconds and door.holds else default)
    if pair is not None:
        time = door.metric("TimeToFirstToken", "SampleCount")
        yield from objective_alarms(first_token(time, pair[1].to_seconds(integral=False)), pair[0])
