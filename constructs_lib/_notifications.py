"""The topic that alarms and rules notify: whether they can, and what its policies have to allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_iam as iam

from constructs_lib._arguments import TOPIC
from constructs_lib._references import Referred
from constructs_lib._stack_env import environment_of
from constructs_lib.planning.validation.problem import PlanWarning, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns
    from constructs import Construct

_PLACE = Referred(
    noun="topic",
    rule="alarms notify topics of their own Region",
    fix="Give a topic of that Region.",
    name="topic_name",
)
_AWS_MANAGED_KEY = "alias/aws/sns"
_ALARMS = "cloudwatch.amazonaws.com"
_EVENTS = "events.amazonaws.com"
_KEY_ACTIONS = ["kms:Decrypt", "kms:GenerateDataKey*"]


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


def no_topic_warning(*, of_endpoint: bool) -> PlanWarning:
    """The warning about alarms that notify nobody.

    Args:
        of_endpoint: Whether they are those of an endpoint, whose state changes nobody hears of either.
    """
    states = ", and state changes of the endpoint are not reported at all" if of_endpoint else ""
    return PlanWarning(
        "tgi-endpoint:alarmsNotifyNobody",
        f"The alarms change their state and notify nobody{states}. Give monitor(topic=…) an SNS topic.",
    )


def allow_publishing(scope: Construct, topic: sns.ITopic, *, events: bool) -> Iterator[PlanWarning]:
    """Let alarms of the account, and EventBridge, publish to a topic and use its key. Does nothing the second time.

    The statement for EventBridge has no condition, as EventBridge sends nothing to SNS that one could compare: with one
    it would be refused (EventBridge guide, "Using resource-based policies for Amazon EventBridge"). The same holds for
    the key (SNS guide, "Managing Amazon SNS encryption keys and costs"), and no guide says what CloudWatch sends to it.

    Args:
        scope: A construct of the stack that has the alarms.
        topic: The topic.
        events: Whether a rule publishes as well.

    Returns:
        What cannot be allowed here, as the topic or its key has been imported.
    """
    alarms = environment_of(scope).arn("cloudwatch", "alarm:*")
    conditions: dict[str, dict[str, Any] | None] = {_ALARMS: {"ArnLike": {"aws:SourceArn": alarms}}}
    if events:
        conditions[_EVENTS] = None
    to_whom = f"to {_ALARMS}" + (f" and, without a condition, to {_EVENTS}" if events else "")
    if not _allow(topic, conditions, ["sns:Publish"], topic.topic_arn):
        yield PlanWarning(
            "tgi-endpoint:topicPolicyUnknown",
            f"The topic is imported, so its policy stays as it is. It must allow sns:Publish {to_whom}; its key, if it"
            f" has one, kms:Decrypt and kms:GenerateDataKey* {'to both' if events else 'as well'}.",
        )
    elif topic.master_key is not None and not _allow(topic.master_key, dict.fromkeys(conditions), _KEY_ACTIONS, "*"):
        yield PlanWarning(
            "tgi-endpoint:topicKeyPolicyUnknown",
            "The topic's key is imported, so its policy stays as it is. It must allow kms:Decrypt and"
            f" kms:GenerateDataKey* to {' and '.join(conditions)}, without a condition.",
        )


def _allow(
    resource: sns.ITopic | kms.IKey, conditions: Mapping[str, dict[str, Any] | None], actions: list[str], arn: str
) -> bool:
    """Allow services what a topic or key is for; whether it could be allowed here."""
    statements = [
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(service)], actions=actions, resources=[arn], conditions=condition
        )
        for service, condition in conditions.items()
    ]
    added = [resource.add_to_resource_policy(statement).statement_added for statement in statements]
    return all(added)
