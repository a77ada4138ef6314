"""Consumers of a front door: an API key and a usage plan each."""

from typing import Any

import pytest
from aws_cdk import App, Stack, Token

from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.access import Access
from constructs_lib.front_door.access.base import AccessMethod
from constructs_lib.front_door.front_door import FrontDoor
from tests.constructs_lib.front_door.doubles import flat, make_front_door, of_type, only, properties, template


def rejection(front_door: FrontDoor, id: str = "team-a", **limits: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        front_door.add_consumer(id, **limits)
    return str(error.value)


def test_a_consumer_has_its_own_key_and_usage_plan_for_the_stage() -> None:
    front_door = make_front_door()
    front_door.add_consumer("team-a", rate=2, burst=5, monthly_requests=10_000)
    rendered = template(front_door)
    plan = only(rendered, "ApiGateway::UsagePlan")
    assert plan["Throttle"] == {"RateLimit": 2, "BurstLimit": 5}
    assert plan["Quota"] == {"Limit": 10_000, "Period": "MONTH"}
    key, stage, api = (next(iter(of_type(rendered, f"ApiGateway::{kind}"))) for kind in ("ApiKey", "Stage", "RestApi"))
    assert plan["ApiStages"] == [{"ApiId": {"Ref": api}, "Stage": {"Ref": stage}}]
    assert flat(only(rendered, "ApiGateway::UsagePlanKey")["KeyId"]) == f"<{key}>"
    assert only(rendered, "ApiGateway::ApiKey")["Description"] == "team-a calls Stack/FrontDoor"


def test_the_value_of_a_key_is_in_no_template() -> None:
    front_door = make_front_door()
    front_door.add_consumer("team-a")
    assert "Value" not in only(template(front_door), "ApiGateway::ApiKey")


def test_a_consumer_without_limits_has_those_of_the_front_door() -> None:
    front_door = make_front_door(rate_limit=30, burst_limit=60)
    front_door.add_consumer("team-a")
    plan = only(template(front_door), "ApiGateway::UsagePlan")
    assert plan["Throttle"] == {"RateLimit": 30, "BurstLimit": 60}
    assert "Quota" not in plan


def test_each_consumer_keeps_its_logical_ids_when_others_are_added() -> None:
    alone, together = make_front_door(), make_front_door()
    alone.add_consumer("team-a")
    for name in ("team-b", "team-a", "team-c"):
        together.add_consumer(name)
    kinds = ("ApiKey", "UsagePlan", "UsagePlanKey")
    before, after = template(alone), template(together)
    for kind in kinds:
        assert set(of_type(before, f"ApiGateway::{kind}")) < set(of_type(after, f"ApiGateway::{kind}"))
        assert len(properties(after, f"ApiGateway::{kind}")) == 3


@pytest.mark.parametrize("id", ["Api", "Function", "Access", "Queries"])
def test_a_consumer_may_have_the_id_of_another_child(id: str) -> None:
    assert make_front_door().add_consumer(id).api_key.key_id


@pytest.mark.parametrize(
    ("access", "display_name"),
    [
        (Access.iam(), "Access.iam()"),
        (Access.public(), "Access.public()"),
        (Access.jwt(issuer="https://login.example.com", audience="web"), "Access.jwt(…)"),
    ],
)
def test_a_front_door_without_api_keys_rejects_consumers(access: AccessMethod, display_name: str) -> None:
    message = rejection(make_front_door(access=access))
    assert message.startswith("Stack/FrontDoor/Consumers/team-a: 1 problem")
    assert f"id='team-a': cannot have an API key: {display_name} uses none." in message
    assert "give the front door Access.api_keys()" in message


def test_a_duplicate_name_is_rejected() -> None:
    front_door = make_front_door()
    front_door.add_consumer("team-a")
    assert "id='team-a': is already a consumer of this front door. Choose another name." in rejection(front_door)


@pytest.mark.parametrize(
    ("id", "message"),
    [
        ("", "id='': must not be empty"),
        ("  ", "id='  ': must not be empty"),
        ("team/a", "id='team/a': must be a name without slashes"),
        ("x" * 129, "must have at most 128 characters, has 129"),
        (None, "id=None: must be a string, not None"),
        (7, "id=7: must be a string, not int"),
    ],
)
def test_an_invalid_name_is_rejected(id: Any, message: str) -> None:
    assert message in rejection(make_front_door(), id)


def test_all_problems_of_the_limits_are_reported_together() -> None:
    message = rejection(make_front_door(), rate=0, burst=1.5, monthly_requests=0)
    assert message.startswith("Stack/FrontDoor/Consumers/team-a: 3 problems")
    assert "rate=0: must be more than 0 requests per second" in message
    assert "burst=1.5: must be a whole number, at least 1" in message
    assert "monthly_requests=0: must be a whole number, at least 1. Raise it, or omit the quota." in message


def test_limits_above_those_of_the_front_door_are_rejected() -> None:
    message = rejection(make_front_door(rate_limit=10, burst_limit=20), rate=11, burst=21)
    assert "rate=11: exceeds the 10 of the entire front door. Lower it, or raise rate_limit" in message
    assert "burst=21: exceeds the 20 of the entire front door. Lower it, or raise burst_limit" in message


def test_a_rejected_consumer_creates_no_resources() -> None:
    front_door = make_front_door()
    rejection(front_door, rate=0)
    front_door.add_consumer("team-a")
    assert len(properties(template(front_door), "ApiGateway::ApiKey")) == 1


def test_limits_known_only_at_deployment_are_accepted() -> None:
    number = Token.as_number({"Fn::ImportValue": "Limit"})
    front_door = make_front_door(Stack(App(), "Stack"), rate_limit=number)
    front_door.add_consumer("team-a", rate=number, burst=number, monthly_requests=number)
    assert only(template(front_door), "ApiGateway::UsagePlan")["Throttle"]["RateLimit"] == {"Fn::ImportValue": "Limit"}
