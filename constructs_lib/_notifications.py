"""The topic that alarms and rules notify: whether they can, and what its policies have to allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from constructs_lib._arguments import ConstructType
from constructs_lib._references import Referred
from constructs_lib._stack_env import environment_of
from constructs_lib.planning.validation.problem import PlanWarning, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns
    from constructs import Construct

TOPIC = ConstructType(
    "metric_number_of_notifications_delivered",
    "a topic of aws_sns",
    'Give aws_sns.Topic(self, "Alarms"), or aws_sns.Topic.from_topic_arn(self, "Alarms", "<its ARN>").',
)
_PLACE = Referred(
    noun="topic",
    rule="alarms notify topics of their own Region",
    fix="Give a topic of that Region.",
    name="topic_name",
)
_AWS_MANAGED_KEY = "alias/aws/sns"
_ALARMS = "cloudwatch.amazonaws.com"
_EVENTS = "events.amazonaws.com"


def topic_problems(scope: Construct, topic: object) -> Iterator[Problem]:
    """What is wrong with the argument `topic`; None is allowed.

    Args:
        scope: A construct of the stack that has the alarms.
        topic: The topic, whatever its type is.
    """
    yield from TOPIC.problems("topic", topic)
    if topic is None or not TOPIC.matches(topic):
        return
    given: sns.ITopic = topic  # type: ignore[assignment]
    yield from _PLACE.problems("topic", given, environment_of(scope))
    if given.fifo:
        message = "must be a standard topic: neither alarms nor rules send the message group that a FIFO topic requires"
        yield Problem("topic", given, message, "Give a topic without fifo.")
    key = given.master_key
    if key is not None and getattr(key, "alias_name", None) == _AWS_MANAGED_KEY:
        message = f"must not be encrypted with {_AWS_MANAGED_KEY}, whose policy does not let alarms and rules publish"
        yield Problem("topic", given, message, "Give it a key of your own, or none.")


def no_topic_warning() -> PlanWarning:
    """The warning about alarms that notify nobody."""
    return PlanWarning(
        "tgi-endpoint:alarmsNotifyNobody",
        "The alarms change their state and notify nobody, and state changes of the endpoint are not reported at all."
        " Give monitor(topic=…) an SNS topic.",
    )


def allow_publishing(scope: Construct, topic: sns.ITopic) -> Iterator[PlanWarning]:
    """Let alarms and rules of the account publish to a topic, and use its key. Does nothing the second time.

    The statement for EventBridge has no condition, as EventBridge sends nothing to SNS that one could compare: with one
    it would be refused (EventBridge guide, "Using resource-based policies for Amazon EventBridge"). The same holds for
    the key (SNS guide, "Managing Amazon SNS encryption keys and costs").

    Args:
        scope: A construct of the stack that has the alarms.
        topic: The topic.

    Returns:
        What cannot be allowed here, as the topic or its key has been imported.
    """
    account = environment_of(scope).account
    own_account = {"StringEquals": {"aws:SourceAccount": account}}
    statements = [
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(service)],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions=conditions,
        )
        for service, conditions in ((_ALARMS, own_account), (_EVENTS, {}))
    ]
    added = [topic.add_to_resource_policy(statement).statement_added for statement in statements]
    if not all(added):
        yield PlanWarning(
            "tgi-endpoint:topicPolicyUnknown",
            f"The topic is imported, so its policy stays as it is. It must allow sns:Publish to {_ALARMS} and, without"
            f" a condition, to {_EVENTS}; its key, if it has one, kms:Decrypt and kms:GenerateDataKey* to both.",
        )
    elif topic.master_key is not None and not _allow_key(topic.master_key, own_account):
        yield PlanWarning(
            "tgi-endpoint:topicKeyPolicyUnknown",
            f"The topic's key is imported, so its policy stays as it is. It must allow kms:Decrypt and"
            f" kms:GenerateDataKey* to {_ALARMS} and, without a condition, to {_EVENTS}.",
        )


def _allow_key(key: kms.IKey, own_account: dict[str, dict[str, str]]) -> bool:
    statements = [
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(service)],
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=["*"],
            conditions=conditions,
        )
        for service, conditions in ((_ALARMS, own_account), (_EVENTS, {}))
    ]
    added = [key.add_to_resource_policy(statement).statement_added for statement in statements]
    return all(added)
