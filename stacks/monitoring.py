"""What watches a stack: its dashboard, alarms of its front door and its endpoints, and the topic that they notify."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from stacks.outputs import add_output

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import Stack
    from aws_cdk import aws_sns as sns

_ADDRESS = re.compile(r"[^@\s,;<>\"']+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


class Watched(Protocol):
    """What has alarms of its own: endpoints and front doors."""

    def monitor(self, *, topic: sns.ITopic | None = None) -> None:
        """Add its alarms."""


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """How a stack is monitored.

    Args:
        alarm_email: The address that gets a mail when an alarm begins and when it ends, once its owner has confirmed
            the subscription. Default: nobody is subscribed to the topic.

    Raises:
        ValueError: It is no address.
    """

    alarm_email: str | None = None

    def __post_init__(self) -> None:
        if self.alarm_email is not None and not _ADDRESS.fullmatch(self.alarm_email):
            raise ValueError(f"alarm_email={self.alarm_email}: is no e-mail address. Write one as in team@example.com.")


def add_monitoring(stack: Stack, monitoring: Monitoring, watched: Iterable[Watched]) -> sns.ITopic:
    """Add the dashboard of a stack, its alarms, and the topic that they notify.

    Args:
        stack: The stack.
        monitoring: How it is monitored.
        watched: Its front door, and the endpoints.

    Returns:
        The topic, which is encrypted and takes messages by TLS only.
    """
    topic = _topic(stack)
    if monitoring.alarm_email is not None:
        _subscribe(stack, topic, monitoring.alarm_email)
    watched = list(watched)
    for one in watched:
        one.monitor(topic=topic)
    _add_dashboard(stack, watched)
    add_output(stack, "AlarmTopicArn", topic.topic_arn, "The topic that alarms notify")
    return topic


def _add_dashboard(stack: Stack, shown: Iterable[object]) -> None:
    # Imported here, as a stack without monitoring has none.
    from constructs_lib import Dashboard, FrontDoor

    doors = [one for one in shown if isinstance(one, FrontDoor)]
    # The endpoints are those of the front door; to look for others takes time.
    dashboard = Dashboard(stack, "Dashboard", front_doors=doors, endpoints=[])
    add_output(stack, "DashboardName", dashboard.dashboard_name, "Name of the dashboard in CloudWatch")


def _topic(stack: Stack) -> sns.Topic:
    # Imported here, as they cost time and a stack without monitoring has neither.
    from aws_cdk import Duration, RemovalPolicy
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns

    key = kms.Key(
        stack,
        "AlarmTopicKey",
        description=f"Encrypts notifications of {stack.node.path}",
        enable_key_rotation=True,
        pending_window=Duration.days(7),
        # It encrypts messages on their way; SNS keeps none.
        removal_policy=RemovalPolicy.DESTROY,
    )
    return sns.Topic(stack, "AlarmTopic", master_key=key, enforce_ssl=True)


def _subscribe(stack: Stack, topic: sns.Topic, address: str) -> None:
    from aws_cdk import aws_sns as sns

    from constructs_lib._nag import acknowledge
    from constructs_lib.acknowledgements import ALARM_MAIL

    subscription = sns.CfnSubscription(
        stack, "AlarmEmail", topic_arn=topic.topic_arn, protocol="email", endpoint=address
    )
    acknowledge(subscription, ALARM_MAIL)
