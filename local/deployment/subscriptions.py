"""Subscriptions of queues to topics, which moto has, but not as resources of CloudFormation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.deployment.recorded_resources import RecordedResource

SUBSCRIPTION = "AWS::SNS::Subscription"


def subscribe(subscription: RecordedResource) -> None:
    """Subscribes a queue, so that it gets what is published; subscribers of other kinds get nothing here."""
    from moto.sns.models import sns_backends

    properties = subscription.properties
    if properties["Protocol"] != "sqs":
        return
    backend: Any = sns_backends[subscription.account][subscription.region]
    found = backend.subscribe(properties["TopicArn"], properties["Endpoint"], "sqs")
    if str(properties.get("RawMessageDelivery", False)).lower() == "true":
        backend.set_subscription_attributes(found.arn, "RawMessageDelivery", "true")


CHECKS = {SUBSCRIPTION: subscribe}
