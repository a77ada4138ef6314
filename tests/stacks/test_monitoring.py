"""Stacks with monitoring: what it adds, that it is off by default, and that cdk-nag has no open finding."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import Environment, Validations
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from scripts.lint_templates import lint_template
from stacks.monitoring import Monitoring
from tests.constructs_lib.rendered import Json, only, properties, resources
from tests.constructs_lib.watched import alarms
from tests.stacks.test_app import ENDPOINTS, SOMEWHERE, Recorder, assert_acknowledgments_are_needed, built, findings

WATCHED: dict[str, Any] = {"nag": "off", "monitoring": "on"}
SUBSCRIPTION = "AWS::SNS::Subscription"


def rendered(stack: str = "LlamaTgiStack", env: Environment = SOMEWHERE, **context: object) -> Json:
    app = built(env, stacks=stack, **{**WATCHED, **context})
    template: Json = app.synth().get_stack_by_name(stack).template
    return template


def test_a_stack_has_no_alarm_by_default() -> None:
    template = rendered(monitoring="off")
    assert resources(template, "AWS::SNS::Topic") == resources(template, "AWS::Events::Rule") == {}
    assert alarms(template, "Endpoint") == alarms(template, "FrontDoor") == {}


def test_a_model_stack_has_the_alarms_of_its_endpoint_and_its_front_door_with_one_topic() -> None:
    template = rendered()
    endpoint, front_door = alarms(template, "Endpoint"), alarms(template, "FrontDoor")
    assert set(endpoint) == {"ModelErrors", "Overload", "Idle", "Disk", "HostMemory"}
    assert {"ServerErrors", "TimeToFirstTokenllama", "AvailabilityFast", "FirstTokenSlow"} < set(front_door)
    (topic,) = resources(template, "AWS::SNS::Topic")
    parts = ("Long", "Short")
    for name, alarm in {**endpoint, **front_door}.items():
        assert alarm.get("AlarmActions") == (None if name.endswith(parts) else [{"Ref": topic}]), name
    (output,) = (one for name, one in template["Outputs"].items() if name == "AlarmTopicArn")
    assert output["Value"] == {"Ref": topic}
    assert resources(template, SUBSCRIPTION) == {}


def test_the_topic_is_encrypted_with_a_key_of_the_stack_and_takes_messages_by_tls_only() -> None:
    template = rendered()
    ((key_id, key),) = resources(template, "AWS::KMS::Key").items()
    assert properties(template, "AWS::SNS::Topic")["KmsMasterKeyId"] == {"Fn::GetAtt": [key_id, "Arn"]}
    assert (key["DeletionPolicy"], key["Properties"]["EnableKeyRotation"]) == ("Delete", True)
    denied, *allowed = properties(template, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert [one["Principal"]["Service"] for one in allowed] == ["cloudwatch.amazonaws.com", "events.amazonaws.com"]


def test_an_address_is_subscribed_to_the_topic() -> None:
    template = rendered(alarm_email="llm-team@example.co.uk")
    (topic,) = resources(template, "AWS::SNS::Topic")
    assert properties(template, SUBSCRIPTION) == {
        "Endpoint": "llm-team@example.co.uk",
        "Protocol": "email",
        "TopicArn": {"Ref": topic},
    }


def test_a_front_door_stack_watches_the_front_door_and_the_existing_endpoints() -> None:
    template = rendered("FrontDoorStack", front_door=ENDPOINTS)
    for endpoint, name in (("Endpointllama", "llama-prod"), ("Endpointfalcon", "falcon-7b")):
        found = alarms(template, endpoint)
        assert set(found) == {"ModelErrors", "Idle", "Disk", "HostMemory"}
        assert found["Disk"]["Dimensions"][0] == {"Name": "EndpointName", "Value": name}
    assert {"ServerErrors", "ServerErrorsllama", "ServerErrorsfalcon"} < set(alarms(template, "FrontDoor"))
    assert len(resources(template, "AWS::Events::Rule")) == 2
    assert only(template, "AWS::SNS::Topic")


@pytest.mark.parametrize("env", [Environment(), SOMEWHERE], ids=["any Region", "one Region"])
def test_cdk_nag_has_no_open_finding_with_monitoring(env: Environment) -> None:
    app = built(
        env, **WATCHED, stacks="LlamaTgiStack FrontDoorStack", front_door=ENDPOINTS, alarm_email="a@example.com"
    )
    assert findings(app) == set()


def test_every_acknowledgment_of_monitoring_has_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    Recorder.given = {}
    monkeypatch.setattr(Validations, "of", Recorder)
    app = built(**WATCHED, stacks="LlamaTgiStack FrontDoorStack", front_door=ENDPOINTS, alarm_email="a@example.com")
    assert_acknowledgments_are_needed(app)


def test_the_templates_are_valid() -> None:
    for stack, context in (("LlamaTgiStack", {}), ("FrontDoorStack", {"front_door": ENDPOINTS})):
        template = rendered(stack, alarm_email="a@example.com", **context)
        assert lint_template(json.dumps(template), ["eu-west-1"]) == []


def plain(value: Any) -> Any:
    """A property with its references as text that is long enough for an ARN."""
    if isinstance(value, dict):
        if value.keys() & {"Ref", "Fn::GetAtt", "Fn::Join"}:
            return "arn:aws:sns:eu-west-1:111122223333:topic"
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("resource_type", "request_shape"),
    [
        ("AWS::CloudWatch::Alarm", "PutMetricAlarmInput"),
        ("AWS::CloudWatch::CompositeAlarm", "PutCompositeAlarmInput"),
    ],
)
def test_cloudwatch_takes_every_alarm(resource_type: str, request_shape: str) -> None:
    shape = ServiceModel(Loader().load_service_model("cloudwatch", "service-2")).shape_for(request_shape)
    found = resources(rendered(), resource_type)
    assert found
    for logical_id, resource in found.items():
        report = ParamValidator().validate({"AlarmName": logical_id, **plain(resource["Properties"])}, shape)
        assert report.generate_report() == "", logical_id


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (
            {"alarm_email": "team", "monitoring": "on"},
            "alarm_email=team: is no e-mail address. Write one as in team@example.com.",
        ),
        (
            {"alarm_email": "a@example.com,b@example.com", "monitoring": "on"},
            "alarm_email=a@example.com,b@example.com: is no e-mail address. Write one as in team@example.com.",
        ),
        (
            {"alarm_email": "", "monitoring": "on"},
            "alarm_email=: is no e-mail address. Write one as in team@example.com.",
        ),
        ({"alarm_email": "a@example.com"}, "alarm_email=a@example.com: requires monitoring. Add -c monitoring=on."),
        ({"monitoring": "yes"}, "monitoring=yes: must be on or off."),
    ],
)
def test_a_wrong_context_is_one_clear_error(context: dict[str, str], message: str) -> None:
    with pytest.raises(SystemExit) as raised:
        built(nag="off", **context)
    assert str(raised.value) == message


def test_an_address_in_code_is_checked_as_well() -> None:
    with pytest.raises(ValueError, match=r"alarm_email=team@: is no e-mail address"):
        Monitoring(alarm_email="team@")
