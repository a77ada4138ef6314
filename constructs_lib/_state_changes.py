"""Renders the rule that reports when an endpoint fails or is rolled back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_events as events

from constructs_lib._dead_letters import add_queue, take_from
from constructs_lib.acknowledgements import LOST_NOTIFICATIONS
from constructs_lib.planning.monitoring.state_changes import event_pattern, message_template

if TYPE_CHECKING:
    from aws_cdk import aws_sns as sns
    from constructs import Construct


def report_state_changes(scope: Construct, endpoint_name: str, *, topic: sns.ITopic, runbook: str) -> None:
    """Report to a topic when an endpoint fails or is rolled back, and keep what the topic does not take in a queue.

    The queue has the topic's key, which rules have to use anyway.

    Args:
        scope: The scope of the rule.
        endpoint_name: Name of the endpoint.
        topic: The topic, whose policy lets EventBridge publish, and whose key, if it has one, lets EventBridge use it.
        runbook: Where the runbook is.
    """
    paths, template = message_template(runbook)
    queue = add_queue(scope, "LostStateChanges", LOST_NOTIFICATIONS, encryption_key=topic.master_key)
    rule = events.CfnRule(
        scope,
        "StateChange",
        description="Reports when a SageMaker endpoint fails or is rolled back",
        event_pattern=event_pattern(endpoint_name),
        targets=[
            events.CfnRule.TargetProperty(
                id="Topic",
                arn=topic.topic_arn,
                dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=queue.attr_arn),
                input_transformer=events.CfnRule.InputTransformerProperty(
                    input_paths_map=paths, input_template=template
                ),
            )
        ],
    )
    take_from(rule, scope, "LostStateChangesPolicy", queue)
