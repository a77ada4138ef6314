"""Keys of a consumer that have names: their values are in Secrets Manager, and two are valid at once."""

import json
from typing import Any

import pytest
from aws_cdk import App, Stack, Token
from aws_cdk import aws_iam as iam

from constructs_lib import ConfigurationError, FrontDoor
from tests.constructs_lib.front_door.doubles import (
    callers,
    flat,
    make_front_door,
    of_type,
    only,
    properties,
    template,
)

TWO = ("2026-11", "2027-01")


def rejection(front_door: FrontDoor, keys: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        front_door.add_consumer("team-a", keys=keys)
    return str(error.value)


def without_version(rendered: dict[str, Any]) -> str:
    return json.dumps(rendered["Resources"], sort_keys=True)


def test_two_keys_are_in_the_one_usage_plan_of_their_consumer() -> None:
    front_door = make_front_door()
    consumer = front_door.add_consumer("team-a", rate=2, burst=5, keys=TWO)
    rendered = template(front_door)
    keys = of_type(rendered, "ApiGateway::ApiKey")
    ((plan, limits),) = of_type(rendered, "ApiGateway::UsagePlan").items()
    assert limits["Properties"]["Throttle"] == {"RateLimit": 2, "BurstLimit": 5}
    assert [
        (flat(each["KeyId"]), each["UsagePlanId"]) for each in properties(rendered, "ApiGateway::UsagePlanKey")
    ] == [(f"<{key}>", {"Ref": plan}) for key in keys]
    stack = Stack.of(front_door)
    assert {name: flat(stack.resolve(key_id)) for name, key_id in consumer.key_ids.items()} == dict(
        zip(TWO, [f"<{key}>" for key in keys], strict=True)
    )
    assert consumer.key_id == consumer.key_ids["2026-11"]


def test_the_value_of_a_key_is_generated_in_a_secret_that_the_template_only_refers_to() -> None:
    front_door = make_front_door()
    front_door.add_consumer("team-a", keys=("2026-11",))
    rendered = template(front_door)
    ((name, secret),) = of_type(rendered, "SecretsManager::Secret").items()
    assert secret["Properties"] == {
        "Description": "The API key with which team-a calls Stack/FrontDoor, key 2026-11",
        "GenerateSecretString": {"ExcludePunctuation": True, "PasswordLength": 48},
    }
    key = only(rendered, "ApiGateway::ApiKey")
    assert flat(key["Value"]) == f"{{{{resolve:secretsmanager:<{name}>:SecretString:::}}}}"
    assert key["Description"] == "team-a calls Stack/FrontDoor, key 2026-11"


def test_the_original_key_is_the_one_of_a_consumer_without_names() -> None:
    without, named = make_front_door(), make_front_door()
    without.add_consumer("team-a")
    named.add_consumer("team-a", keys=("original",))
    assert without_version(template(without)) == without_version(template(named))


def test_each_step_of_a_rotation_keeps_the_resources_of_the_key_that_stays() -> None:
    def resources(*keys: str) -> dict[str, Any]:
        front_door = make_front_door()
        front_door.add_consumer("team-a", keys=keys)
        rendered = template(front_door)
        kinds = ("ApiGateway::ApiKey", "ApiGateway::UsagePlanKey", "ApiGateway::UsagePlan", "SecretsManager::Secret")
        return {name: each for kind in kinds for name, each in of_type(rendered, kind).items()}

    first, both, second = resources("original"), resources("original", "2026-11"), resources("2026-11")
    assert both == first | second
    assert set(first) & set(second) == {name for name in both if "Plan" in name and "PlanKey" not in name}


def test_a_function_that_knows_its_callers_knows_all_keys_of_each() -> None:
    front_door = make_front_door()
    front_door.add_consumer("team-a", models=["llama"], keys=TWO)
    ids = [f"<{name}>" for name in of_type(template(front_door), "ApiGateway::ApiKey")]
    told = callers(Stack.of(front_door))
    assert told is not None
    assert told["consumers"] == {"team-a": {"keys": ids, "models": ["llama"]}}


def test_a_service_may_be_allowed_to_read_the_values() -> None:
    front_door = make_front_door()
    consumer = front_door.add_consumer("team-a", keys=("original", "2026-11"))
    role = iam.Role(Stack.of(front_door), "Service", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    consumer.grant_read_keys(role)
    assert list(consumer.secrets) == ["2026-11"]
    rendered = template(front_door)
    (secret,) = of_type(rendered, "SecretsManager::Secret")
    (policy,) = (
        each for name, each in of_type(rendered, "IAM::Policy").items() if name.startswith("ServiceDefaultPolicy")
    )
    assert policy["Properties"]["PolicyDocument"]["Statement"] == [
        {
            "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            "Effect": "Allow",
            "Resource": {"Ref": secret},
        }
    ]


def test_nobody_can_be_allowed_to_read_the_original_key() -> None:
    front_door = make_front_door()
    consumer = front_door.add_consumer("team-a")
    role = iam.Role(Stack.of(front_door), "Service", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    with pytest.raises(ConfigurationError) as error:
        consumer.grant_read_keys(role)
    expected = (
        "grantee=(Role Stack/Service): cannot be allowed to read a key: API Gateway alone has the value of the key"
        " 'original'. Give the consumer keys with names: add_consumer(…, keys=(\"2026-11\",))."
    )
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("2026-11", "keys='2026-11': must be a list of names, not str. Write ('2026-11',)."),
        (None, 'keys=None: must be a list of names, not None. Write ("2026-11",).'),
        ((), "keys=(): must have 1 or 2 names: the key in use, and the one that clients move to. Name one."),
        (("a", "b", "c"), "keys=('a', 'b', 'c'): must have 1 or 2 names: the key in use, and the one that clients"),
        (
            ("a/b",),
            "keys='a/b': must be 1 to 64 letters, digits, dots, underscores or hyphens, a letter or digit first",
        ),
        ((7,), "keys=7: must be a string, not int. Give a str, or leave it out."),
        (("a", "a"), "keys=('a', 'a'): has 'a' twice. Remove one of them."),
        ((Token.as_string({"Ref": "Key"}),), "keys=(known at deployment): must be known at synth, as resources are"),
    ],
)
def test_names_of_keys_are_checked(keys: Any, message: str) -> None:
    assert message in rejection(make_front_door(), keys)


def test_more_secrets_than_cloudformation_reads_for_a_stack_are_refused() -> None:
    front_door = make_front_door(Stack(App(), "Stack"))
    for number in range(30):
        front_door.add_consumer(f"team-{number}", keys=TWO)
    front_door.add_consumer("without", keys=("original",))
    expected = (
        "keys=(61 keys in Secrets Manager): are more than the 60 dynamic references that CloudFormation resolves in"
        " one template. Distribute the consumers over front doors in several stacks."
    )
    assert expected in rejection(front_door, ("original", "2026-11"))
