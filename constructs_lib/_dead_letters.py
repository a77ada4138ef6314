"""Queues of what a service could not deliver: encrypted, kept for two weeks, and open to one rule each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_sqs as sqs

from constructs_lib._nag import acknowledge

if TYPE_CHECKING:
    from aws_cdk import aws_events as events
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from constructs_lib._nag import Acknowledged

RETENTION_SECONDS = 14 * 24 * 3600
"""As long as SQS keeps a message (SQS API, MessageRetentionPeriod)."""


def add_queue(
    scope: Construct, id: str, acknowledged: Acknowledged, *, encryption_key: kms.IKey | None = None
) -> sqs.CfnQueue:
    """Add the queue.

    Args:
        scope: Its scope.
        id: Its id.
        acknowledged: What is acknowledged of rule packs.
        encryption_key: Its key, whose policy lets whoever sends use it. Default: a key of SQS.
    """
    encryption = (
        {"sqs_managed_sse_enabled": True} if encryption_key is None else {"kms_master_key_id": encryption_key.key_arn}
    )
    queue = sqs.CfnQueue(scope, id, message_retention_period=RETENTION_SECONDS, **encryption)
    acknowledge(queue, acknowledged)
    return queue


def take_from(rule: events.CfnRule, scope: Construct, id: str, queue: sqs.CfnQueue) -> sqs.CfnQueuePolicy:
    """Let a rule send what it could not deliver, and nobody anything without TLS.

    The condition is the one of EventBridge's guide, "Using dead-letter queues to process undelivered events".

    Args:
        rule: The rule.
        scope: The scope of the policy.
        id: Its id.
        queue: The queue.
    """
    lost = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue.attr_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
    }
    plain = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": queue.attr_arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = {"Version": "2012-10-17", "Statement": [lost, plain]}
    return sqs.CfnQueuePolicy(scope, id, queues=[queue.ref], policy_document=document)
