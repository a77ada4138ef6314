"""What `monitor` of an endpoint and of a front door have in common: their checks, alarms and warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Annotations
from constructs import Construct

from constructs_lib._alarms import render_alarms
from constructs_lib._notifications import allow_publishing, no_topic_warning, topic_problems
from constructs_lib._stack_env import environment_of
from constructs_lib._state_changes import report_state_changes
from constructs_lib._tokens import hide_token, is_token
from constructs_lib.errors import ConfigurationError
from constructs_lib.planning.monitoring.alarm import MONITORING
from constructs_lib.planning.monitoring.thresholds import runbook_problems, threshold_problems
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aws_cdk import IResource
    from aws_cdk import aws_sns as sns

    from constructs_lib.planning.monitoring.alarm import Alarm, CombinedAlarm
    from constructs_lib.planning.validation.rules import Rule


def check_monitoring(
    watched: Construct,
    *,
    topic: sns.ITopic | None,
    runbook: str,
    thresholds: Mapping[str, object],
    rules: Mapping[str, Rule],
    problems: Iterable[Problem] = (),
) -> None:
    """Raise all problems of a call of `monitor`.

    Args:
        watched: The endpoint or front door.
        topic: The topic, whatever its type is.
        runbook: Where the runbook is.
        thresholds: The thresholds that are given, by keyword, durations as numbers.
        rules: What they may be.
        problems: Further ones.

    Raises:
        ConfigurationError: There is at least one.
    """
    found = [
        *_second_call(watched),
        *topic_problems(watched, topic),
        *runbook_problems(hide_token(runbook)),
        *threshold_problems({key: hide_token(value) for key, value in thresholds.items()}, rules),
        *problems,
    ]
    if found:
        raise ConfigurationError(watched.node.path, found)


def add_monitoring(
    watched: Construct,
    alarms: Iterable[Alarm | CombinedAlarm],
    *,
    topic: sns.ITopic | None,
    runbook: str,
    endpoint_name: str | None = None,
) -> None:
    """Add the alarms, and for an endpoint the rule on changes of its state.

    Args:
        watched: The endpoint or front door.
        alarms: Its alarms.
        topic: What they notify.
        runbook: Where the runbook is.
        endpoint_name: Name of the endpoint whose state changes the topic gets. Default: none.
    """
    scope = Construct(watched, MONITORING)
    actions = [] if topic is None else [topic.topic_arn]
    render_alarms(scope, alarms, actions=actions, runbook=runbook)
    of_endpoint = endpoint_name is not None
    if topic is None:
        warnings = [no_topic_warning(of_endpoint=of_endpoint)]
    else:
        warnings = list(allow_publishing(scope, topic, events=of_endpoint))
    if topic is not None and endpoint_name is not None:
        report_state_changes(scope, endpoint_name, topic=topic, runbook=runbook)
    for warning in warnings:
        Annotations.of(watched).add_warning_v2(warning.id, warning.message)


def place_problems(watched: IResource) -> Iterator[Problem]:
    """The problem of an imported resource whose metrics are in another account or Region.

    Args:
        watched: The resource.
    """
    here, there = environment_of(watched), watched.env
    for attribute in ("account", "region"):
        wanted, given = getattr(here, attribute), getattr(there, attribute)
        if given != wanted and not is_token(given) and not is_token(wanted):
            message = f"is for an endpoint of the {attribute} {given}, but alarms watch metrics of their own: {wanted}"
            yield Problem("monitor", given, message, "Import it into a stack of its own account and Region.")


def _second_call(watched: Construct) -> Iterator[Problem]:
    if watched.node.try_find_child(MONITORING) is not None:
        message = "has been called already; the alarms are there"
        yield Problem("monitor", watched, message, "Give everything in one call.")
