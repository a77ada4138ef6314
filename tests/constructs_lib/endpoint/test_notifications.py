"""What endpoints notify: the topic with its policy and key, and the rule on changes of their state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Annotations, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations as Found
from aws_cdk.assertions import Match

from constructs_lib import ConfigurationError, InstanceType, Model, TgiEndpoint, TgiOptions
from tests.constructs_lib.rendered import properties, resources, template_of, text
from tests.constructs_lib.watched import alarms

if TYPE_CHECKING:
    from collections.abc import Callable


RULE = "AWS::Events::Rule"
QUEUE = "AWS::SQS::Queue"
TOPIC_POLICY = "AWS::SNS::TopicPolicy"
QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")


def endpoint(stack: Stack, **arguments: Any) -> TgiEndpoint:
    defaults: dict[str, Any] = {
        "model": QWEN,
        "instance_type": InstanceType.G6_XLARGE,
        "options": TgiOptions(max_input_tokens=1536, max_total_tokens=2048),
        "detailed_observability": False,
    }
    return TgiEndpoint(stack, "Llm", **{**defaults, **arguments})


def topic(stack: Stack) -> sns.Topic:
    return sns.Topic(stack, "Alarms")


def rejection(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as raised:
        call()
    return str(raised.value)


def warning_of(construct: Any, id: str) -> str:
    found = Found.from_stack(Stack.of(construct)).find_warning(f"/{construct.node.path}", Match.any_value())
    (warning,) = (str(one.entry.data) for one in found if id in str(one.entry.data))
    return warning


def test_alarms_notify_a_topic_when_they_begin_and_when_they_end(stack: Stack) -> None:
    endpoint(stack).monitor(topic=topic(stack))
    template = template_of(stack)
    (arn,) = resources(template, "AWS::SNS::Topic")
    for alarm in alarms(template, "Llm").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": arn}]
        assert "AlarmName" not in alarm


def test_without_a_topic_there_is_no_action_and_no_rule_and_a_warning_that_can_be_acknowledged(stack: Stack) -> None:
    llm = endpoint(stack)
    llm.monitor()
    warning = "tgi-endpoint:alarmsNotifyNobody"
    assert warning_of(llm, warning) == (
        "The alarms change their state and notify nobody, and state changes of the endpoint are not reported at all."
        f" Give monitor(topic=…) an SNS topic. [ack: {warning}]"
    )
    Annotations.of(llm).acknowledge_warning(warning, "read in the console")
    template = template_of(stack)
    assert resources(template, RULE) == {}
    assert all("AlarmActions" not in alarm for alarm in alarms(template, "Llm").values())


def test_a_rule_reports_that_the_endpoint_failed_or_is_rolled_back(stack: Stack) -> None:
    endpoint(stack).monitor(topic=topic(stack), runbook="https://wiki.example.com/llm")
    template = template_of(stack)
    rule = properties(template, RULE)
    assert rule["EventPattern"] == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Endpoint State Change", "SageMaker Endpoint Deployment State Change"],
        "detail": {
            "EndpointName": [{"Fn::GetAtt": ["Llm20BDA581", "EndpointName"]}],
            "EndpointStatus": [
                *("Failed", "OutOfService", "RollingBack", "UpdateRollbackFailed"),
                *("FAILED", "OUT_OF_SERVICE", "ROLLING_BACK", "UPDATE_ROLLBACK_FAILED"),
            ],
        },
    }
    (target,) = rule["Targets"]
    assert (target["Id"], text(target["Arn"])) == ("Topic", f"<{next(iter(resources(template, 'AWS::SNS::Topic')))}>")
    assert "RoleArn" not in target
    transformer = target["InputTransformer"]
    assert transformer["InputPathsMap"] == {
        "endpoint": "$.detail.EndpointName",
        "state": "$.detail.EndpointStatus",
        "time": "$.time",
    }
    assert json.loads(transformer["InputTemplate"]) == (
        "<time>: the SageMaker endpoint <endpoint> is in the state <state>."
        " https://wiki.example.com/llm#the-endpoint-failed-or-was-rolled-back"
    )


def test_what_the_topic_does_not_take_is_kept_in_a_queue_that_only_the_rule_sends_to(stack: Stack) -> None:
    endpoint(stack).monitor(topic=topic(stack))
    template = template_of(stack)
    ((queue, entry),) = resources(template, QUEUE).items()
    assert entry["Properties"] == {"MessageRetentionPeriod": 1_209_600, "SqsManagedSseEnabled": True}
    (rule,) = resources(template, RULE)
    (target,) = properties(template, RULE)["Targets"]
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [queue, "Arn"]}}
    policy = properties(template, "AWS::SQS::QueuePolicy")
    assert policy["Queues"] == [{"Ref": queue}]
    allowed, denied = policy["PolicyDocument"]["Statement"]
    assert allowed == {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": [queue, "Arn"]},
        "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule, "Arn"]}}},
    }
    assert (denied["Effect"], denied["Principal"], denied["Action"]) == ("Deny", "*", "sqs:*")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_queue_has_the_key_of_the_topic(stack: Stack) -> None:
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:123456789012:key/1")
    endpoint(stack).monitor(topic=sns.Topic(stack, "Alarms", master_key=key))
    assert properties(template_of(stack), QUEUE) == {
        "MessageRetentionPeriod": 1_209_600,
        "KmsMasterKeyId": "arn:aws:kms:eu-west-1:123456789012:key/1",
    }


def test_the_rule_of_an_imported_endpoint_is_for_its_name_in_its_own_case(stack: Stack) -> None:
    TgiEndpoint.from_endpoint_name(stack, "Llm", "Chat-Prod").monitor(topic=topic(stack))
    assert properties(template_of(stack), RULE)["EventPattern"]["detail"]["EndpointName"] == ["Chat-Prod"]


def _read(key: str, value: Any) -> Any:
    """A member of a statement, with the references of its condition as text."""
    return {"ArnLike": {"aws:SourceArn": text(value["ArnLike"]["aws:SourceArn"])}} if key == "Condition" else value


def test_a_topic_lets_alarms_of_the_account_and_rules_publish(stack: Stack) -> None:
    """EventBridge sends SNS nothing that a condition could compare, so its statement has none."""
    notified = topic(stack)
    endpoint(stack).monitor(topic=notified)
    TgiEndpoint.from_endpoint_name(stack, "Other", "other").monitor(topic=notified)
    document = properties(template_of(stack), TOPIC_POLICY)["PolicyDocument"]
    found = [
        {key: _read(key, value) for key, value in one.items() if key not in ("Sid", "Resource")}
        for one in document["Statement"]
    ]
    assert found == [
        {
            "Effect": "Allow",
            "Action": "sns:Publish",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Condition": {
                "ArnLike": {"aws:SourceArn": "arn:<AWS::Partition>:cloudwatch:eu-west-1:123456789012:alarm:*"}
            },
        },
        {"Effect": "Allow", "Action": "sns:Publish", "Principal": {"Service": "events.amazonaws.com"}},
    ]


def test_the_key_of_an_encrypted_topic_lets_both_use_it(stack: Stack) -> None:
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    endpoint(stack).monitor(topic=sns.Topic(stack, "Alarms", master_key=key))
    _administration, *found = properties(template_of(stack), "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    allowed = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*"}
    assert found == [
        {**allowed, "Principal": {"Service": "cloudwatch.amazonaws.com"}},
        {**allowed, "Principal": {"Service": "events.amazonaws.com"}},
    ]


def test_an_imported_topic_is_notified_and_a_warning_says_what_its_policy_must_allow(stack: Stack) -> None:
    llm = endpoint(stack)
    llm.monitor(topic=sns.Topic.from_topic_arn(stack, "Alarms", "arn:aws:sns:eu-west-1:123456789012:pager"))
    warning = "tgi-endpoint:topicPolicyUnknown"
    assert warning_of(llm, warning) == (
        "The topic is imported, so its policy stays as it is. It must allow sns:Publish to cloudwatch.amazonaws.com"
        " and, without a condition, to events.amazonaws.com; its key, if it has one, kms:Decrypt and"
        f" kms:GenerateDataKey* to both. [ack: {warning}]"
    )
    template = template_of(stack)
    assert resources(template, TOPIC_POLICY) == {}
    assert alarms(template, "Llm")["Disk"]["AlarmActions"] == ["arn:aws:sns:eu-west-1:123456789012:pager"]


def test_the_imported_key_of_a_topic_stays_as_it_is_and_a_warning_says_what_it_must_allow(stack: Stack) -> None:
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:123456789012:key/1")
    llm = endpoint(stack)
    llm.monitor(topic=sns.Topic(stack, "Alarms", master_key=key))
    assert warning_of(llm, "tgi-endpoint:topicKeyPolicyUnknown") == (
        "The topic's key is imported, so its policy stays as it is. It must allow kms:Decrypt and kms:GenerateDataKey*"
        " to cloudwatch.amazonaws.com and events.amazonaws.com, without a condition."
        " [ack: tgi-endpoint:topicKeyPolicyUnknown]"
    )


def test_a_fifo_topic_is_rejected(stack: Stack) -> None:
    notified = sns.Topic(stack, "Alarms", fifo=True)
    assert rejection(lambda: endpoint(stack).monitor(topic=notified)).endswith(
        "topic=(Topic Team/Alarms): must be a standard topic: neither alarms nor rules send the message group that a"
        " FIFO topic requires. Give a topic without fifo."
    )


def test_a_topic_with_the_key_of_aws_is_rejected(stack: Stack) -> None:
    notified = sns.Topic(stack, "Alarms", master_key=kms.Alias.from_alias_name(stack, "Aws", "alias/aws/sns"))
    assert rejection(lambda: endpoint(stack).monitor(topic=notified)).endswith(
        "must not be encrypted with alias/aws/sns, whose policy does not let alarms and rules publish."
        " Give it a key of your own, or none."
    )


def test_a_topic_of_another_region_is_rejected(stack: Stack) -> None:
    notified = sns.Topic.from_topic_arn(stack, "Alarms", "arn:aws:sns:us-east-1:123456789012:pager")
    assert rejection(lambda: endpoint(stack).monitor(topic=notified)).endswith(
        "topic='us-east-1': is the Region of the topic, but alarms notify topics of their own Region: eu-west-1."
        " Give a topic of that Region."
    )
