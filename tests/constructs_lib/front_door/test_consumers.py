"""Consumers of a front door: a key and a usage plan each."""

from typing import Any

import pytest
from aws_cdk import App, Stack, Token

from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.access import Access
from constructs_lib.front_door.front_door import FrontDoor
from tests.constructs_lib.front_door.doubles import door, flat, of_type, only, properties, template


def refusal(made: FrontDoor, id: str = "team-a", **limits: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        made.add_consumer(id, **limits)
    return str(error.value)


def test_a_consumer_has_a_key_in_a_plan_of_its_own_for_the_one_stage() -> None:
    made = door()
    made.add_consumer("team-a", rate=2, burst=5, monthly_requests=10_000)
    rendered = template(made)
    plan = only(rendered, "ApiGateway::UsagePlan")
    assert plan["Throttle"] == {"RateLimit": 2, "BurstLimit": 5}
    assert plan["Quota"] == {"Limit": 10_000, "Period": "MONTH"}
    key, stage, api = (next(iter(of_type(rendered, f"ApiGateway::{kind}"))) for kind in ("ApiKey", "Stage", "RestApi"))
    assert plan["ApiStages"] == [{"ApiId": {"Ref": api}, "Stage": {"Ref": stage}}]
    assert flat(only(rendered, "ApiGateway::UsagePlanKey")["KeyId"]) == f"<{key}>"
    assert only(rendered, "ApiGateway::ApiKey")["Description"] == "team-a calls Stack/Door"


def test_no_template_has_a_keys_value() -> None:
    made = door()
    made.add_consumer("team-a")
    assert "Value" not in only(template(made), "ApiGateway::ApiKey")


def test_a_consumer_without_limits_may_send_what_the_whole_door_takes() -> None:
    made = door(rate_limit=30, burst_limit=60)
    made.add_consumer("team-a")
    plan = only(template(made), "ApiGateway::UsagePlan")
    assert plan["Throttle"] == {"RateLimit": 30, "BurstLimit": 60}
    assert "Quota" not in plan


def test_each_consumer_has_its_own_plan_and_keeps_its_names_when_others_come() -> None:
    alone, together = door(), door()
    alone.add_consumer("team-a")
    for name in ("team-b", "team-a", "team-c"):
        together.add_consumer(name)
    kinds = ("ApiKey", "UsagePlan", "UsagePlanKey")
    before, after = template(alone), template(together)
    for kind in kinds:
        assert set(of_type(before, f"ApiGateway::{kind}")) < set(of_type(after, f"ApiGateway::{kind}"))
        assert len(properties(after, f"ApiGateway::{kind}")) == 3


@pytest.mark.parametrize("id", ["Api", "Function", "Access", "Queries"])
def test_a_consumer_may_have_any_name(id: str) -> None:
    assert door().add_consumer(id).api_key.key_id


@pytest.mark.parametrize(
    ("access", "words"),
    [
        (Access.iam(), "Access.iam()"),
        (Access.public(), "Access.public()"),
        (Access.jwt(issuer="https://login.example.com", audience="web"), "Access.jwt(…)"),
    ],
)
def test_a_door_that_asks_for_no_keys_has_no_consumers(access: Access, words: str) -> None:
    text = refusal(door(access=access))
    assert text.startswith("Stack/Door/Consumers/team-a: 1 problem")
    assert f"id='team-a': cannot have a key: with {words} the front door asks for none." in text
    assert "give the front door Access.api_keys()" in text


def test_a_name_that_is_taken_is_refused() -> None:
    made = door()
    made.add_consumer("team-a")
    assert "id='team-a': is the name of a consumer of this front door already. Choose another one." in refusal(made)


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("", "id='': must not be empty"),
        ("  ", "id='  ': must not be empty"),
        ("team/a", "id='team/a': must be a name without slashes"),
        ("x" * 129, "must have at most 128 characters, has 129"),
        (None, "id=None: must be text, not None"),
        (7, "id=7: must be text, not int"),
    ],
)
def test_what_is_no_name_is_refused(id: Any, words: str) -> None:
    assert words in refusal(door(), id)


def test_all_that_is_wrong_with_the_limits_is_told_together() -> None:
    text = refusal(door(), rate=0, burst=1.5, monthly_requests=0)
    assert text.startswith("Stack/Door/Consumers/team-a: 3 problems")
    assert "rate=0: must be more than 0 requests per second" in text
    assert "burst=1.5: must be a whole number from 1 on" in text
    assert "monthly_requests=0: must be a whole number from 1 on. Raise it, or leave it out for no quota at all" in text


def test_limits_that_could_never_be_reached_are_refused() -> None:
    text = refusal(door(rate_limit=10, burst_limit=20), rate=11, burst=21)
    assert "rate=11: is more than the whole front door takes, 10. Lower it, or raise rate_limit" in text
    assert "burst=21: is more than the whole front door takes, 20. Lower it, or raise burst_limit" in text


def test_a_consumer_that_is_refused_leaves_nothing_behind() -> None:
    made = door()
    refusal(made, rate=0)
    made.add_consumer("team-a")
    assert len(properties(template(made), "ApiGateway::ApiKey")) == 1


def test_limits_known_only_at_deployment_are_taken() -> None:
    number = Token.as_number({"Fn::ImportValue": "Limit"})
    made = door(Stack(App(), "Stack"), rate_limit=number)
    made.add_consumer("team-a", rate=number, burst=number, monthly_requests=number)
    assert only(template(made), "ApiGateway::UsagePlan")["Throttle"]["RateLimit"] == {"Fn::ImportValue": "Limit"}
