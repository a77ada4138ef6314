"""What consumers and scopes may call, and how much: the arguments, and what the function is told."""

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack, Token
from aws_cdk import aws_cognito as cognito

from constructs_lib import Access, ConfigurationError, FrontDoor, Mirror
from constructs_lib.planning.serving_limits import ServingFacts
from tests.constructs_lib.front_door.doubles import (
    callers,
    endpoint,
    flat,
    function_file,
    make_front_door,
    of_type,
    only,
    properties,
    served_models,
    statements,
    template,
    variables,
    warnings,
)

SCOPES = {"llm:llama": ["llama"], "llm:all": ["llama", "falcon"]}


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack")


def two_models(stack: Stack, **arguments: Any) -> FrontDoor:
    models = {"llama": endpoint(stack), "falcon": endpoint(stack, "falcon-7b", "tiiuae/falcon-7b")}
    return make_front_door(stack, models=models, **arguments)


def rejection(front_door: FrontDoor, **limits: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        front_door.add_consumer("team-a", **limits)
    return str(error.value)


def jwt(scopes: Any) -> Any:
    return Access.jwt(issuer="https://login.example.com", audience="llm", models_by_scope=scopes)


def scope_rejection(stack: Stack, scopes: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        two_models(stack, access=jwt(scopes))
    return str(error.value)


def key_ids(rendered: dict[str, Any]) -> list[str]:
    return [f"<{name}>" for name in of_type(rendered, "ApiGateway::ApiKey")]


def test_a_function_whose_consumers_may_call_everything_is_told_of_none(stack: Stack) -> None:
    front_door = make_front_door(stack)
    front_door.add_consumer("team-a", rate=1, monthly_requests=5)
    rendered = template(front_door)
    assert callers(stack) is None
    assert not {"CALLERS_FILE", "LIMITS_TABLE", "DYNAMODB_URL", "DEPLOYED_VALUES"} & variables(rendered).keys()
    assert not of_type(rendered, "DynamoDB::Table")


def test_the_function_is_told_of_every_consumer_once_one_is_limited_whatever_is_added_first(stack: Stack) -> None:
    front_door = two_models(stack)
    front_door.add_consumer("team-a")
    front_door.add_consumer(
        "team-b",
        models=["llama"],
        tokens_per_minute=20_000,
        concurrent_streams=4,
        tokens_per_day=500_000,
        tokens_per_month=9_000_000,
    )
    front_door.add_consumer("team-c")
    first, second, third = key_ids(template(front_door))
    assert callers(stack) == {
        "on_store_failure": "open",
        "consumers": {
            "team-a": {"keys": [first]},
            "team-b": {
                "keys": [second],
                "models": ["llama"],
                "tokens_per_minute": 20_000,
                "tokens_per_day": 500_000,
                "tokens_per_month": 9_000_000,
                "concurrent_streams": 4,
            },
            "team-c": {"keys": [third]},
        },
    }


def test_the_ids_of_keys_follow_the_names_of_endpoints_that_only_the_deployment_knows(stack: Stack) -> None:
    name = Token.as_string({"Fn::ImportValue": "Endpoint"})
    front_door = make_front_door(stack, models={"llama": endpoint(stack), "own": endpoint(stack, name)})
    front_door.add_consumer("team-a", models=["own"])
    rendered = template(front_door)
    (key,) = key_ids(rendered)
    assert variables(rendered)["DEPLOYED_VALUES"] == f"<Endpoint> {key}"
    assert served_models(stack)["own"]["endpoint_name"] == "<Endpoint>"
    assert callers(stack) == {
        "on_store_failure": "open",
        "consumers": {"team-a": {"keys": [key], "models": ["own"]}},
    }


def test_a_consumer_of_some_models_needs_no_table(stack: Stack) -> None:
    front_door = two_models(stack)
    front_door.add_consumer("team-a", models=["llama"])
    rendered = template(front_door)
    assert variables(rendered)["CALLERS_FILE"] == "/opt/front_door/callers.json"
    assert not of_type(rendered, "DynamoDB::Table")
    assert "LIMITS_TABLE" not in variables(rendered)


@pytest.mark.parametrize("limit", ["tokens_per_minute", "tokens_per_day", "tokens_per_month", "concurrent_streams"])
def test_a_limit_is_counted_in_a_table_on_demand_that_only_the_function_updates(limit: str) -> None:
    front_door = make_front_door()
    limits: Any = {limit: 500}
    front_door.add_consumer("team-a", **limits)
    front_door.add_consumer("team-b", **limits)
    rendered = template(front_door)
    ((name, table),) = of_type(rendered, "DynamoDB::Table").items()
    assert table["Properties"] == {
        "AttributeDefinitions": [
            {"AttributeName": "consumer", "AttributeType": "S"},
            {"AttributeName": "period", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "consumer", "KeyType": "HASH"},
            {"AttributeName": "period", "KeyType": "RANGE"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Delete", "Delete")
    assert variables(rendered)["LIMITS_TABLE"] == f"<{name}>"
    assert variables(rendered)["DYNAMODB_URL"] == "https://dynamodb.<AWS::Region>.<AWS::URLSuffix>"
    (granted,) = (each for each in statements(rendered) if "dynamodb" in str(each["Action"]))
    assert granted == {
        "Effect": "Allow",
        "Action": "dynamodb:UpdateItem",
        "Resource": {"Fn::GetAtt": [name, "Arn"]},
    }


def test_a_saved_query_shows_what_consumers_with_limits_use() -> None:
    front_door, other = make_front_door(), make_front_door()
    front_door.add_consumer("team-a", tokens_per_day=5000)
    other.add_consumer("team-a", models=["llama"])
    name = "Stack/FrontDoor/limits of each consumer"
    queries = properties(template(front_door), "Logs::QueryDefinition")
    (query,) = (each for each in queries if each["Name"] == name)
    assert "sum(used_tokens) as used_tokens, sum(StoreFailures) as not_counted by consumer, Limit, Model" in str(query)
    assert name not in str(template(other))


def test_the_function_is_told_what_to_do_without_the_table(stack: Stack) -> None:
    front_door = make_front_door(stack, on_store_failure="closed")
    front_door.add_consumer("team-a", concurrent_streams=2)
    told = callers(stack)
    assert told is not None
    assert told["on_store_failure"] == "closed"


def test_what_to_do_without_the_table_is_one_of_two_words(stack: Stack) -> None:
    with pytest.raises(ConfigurationError) as error:
        make_front_door(stack, on_store_failure="fail")
    expected = (
        "on_store_failure='fail': must be 'open' or 'closed'. Write \"open\" to answer without counting, or"
        ' "closed" to answer 503.'
    )
    assert expected in str(error.value)


def test_the_function_of_a_mirror_is_told_of_no_caller() -> None:
    stack = Stack(App(), "Stack", env=Environment(account="111122223333", region="eu-west-1"))
    model = Mirror(endpoint(stack), to=endpoint(stack, Token.as_string({"Fn::ImportValue": "Other"})), percent=5)
    front_door = make_front_door(stack, models={"llama": model})
    front_door.add_consumer("team-a", tokens_per_day=5000)
    rendered = template(front_door)
    (second,) = (
        each["Environment"]["Variables"]
        for each in properties(rendered, "Lambda::Function")
        if "MIRROR" in each.get("Environment", {}).get("Variables", {})
    )
    assert flat(second["DEPLOYED_VALUES"]) == "Stack/Endpoint-<Other> <Other>"
    assert not {"CALLERS_FILE", "LIMITS_TABLE"} & second.keys()
    assert function_file(stack, "CALLERS_FILE") is not None


def test_a_model_that_there_is_not_is_named_with_those_that_there_are(stack: Stack) -> None:
    message = rejection(two_models(stack), models=["lama", "gpt-4", "falcon:sql"])
    known = "is no model of this front door, which has 'llama', 'falcon'"
    assert message.startswith("Stack/FrontDoor/Consumers/team-a: 3 problems")
    assert f"models='lama': {known}. Did you mean 'llama'?" in message
    assert f"models='gpt-4': {known}. Name one of them." in message
    assert f"models='falcon:sql': {known}. Write 'falcon': adapters belong to their model." in message


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ("llama", "models='llama': must be a list of names of models, not str. Write ['llama']."),
        ({"llama"}, "models={'llama'}: must be a list of names of models, not set. Give a list of names."),
        ([], "models=[]: must have at least one model. Name one, or remove the caller."),
        (["llama", "llama"], "models=['llama', 'llama']: has 'llama' twice. Remove one of them."),
        ([["llama"]], "models=['llama']: is no model of this front door, which has 'llama', 'falcon'"),
        ([7], "models=7: is no model of this front door, which has 'llama', 'falcon'. Name one of them."),
        (
            [Token.as_string({"Ref": "Model"})],
            "models=(known at deployment): must be known at synth, as it is written to a file of the function.",
        ),
        (
            Token.as_list({"Ref": "Models"}),
            "models=(known at deployment): must be known at synth, as it is written to a file of the function.",
        ),
    ],
)
def test_models_are_a_list_of_names_that_synth_knows(stack: Stack, models: Any, message: str) -> None:
    assert message in rejection(two_models(stack), models=models)


def test_all_problems_of_a_consumer_are_reported_together(stack: Stack) -> None:
    message = rejection(
        two_models(stack),
        rate=0,
        models=["gpt"],
        tokens_per_minute=0,
        concurrent_streams=1.5,
        tokens_per_day="many",
        tokens_per_month=Token.as_number({"Ref": "Month"}),
        keys=("a b",),
    )
    assert message.startswith("Stack/FrontDoor/Consumers/team-a: 7 problems")
    assert "tokens_per_minute=0: must be from 1 to 1000000000000000 tokens. Raise it to 1 or more." in message
    assert "concurrent_streams=1.5: must be a whole number, not float. Give an int." in message
    assert "tokens_per_day='many': must be a whole number, not str. Give an int." in message
    expected = (
        "tokens_per_month=(known at deployment): must be known at synth, as it is written to a file of the function."
        " Write it as a number."
    )
    assert expected in message


def test_more_streams_than_one_item_of_the_table_should_have_are_refused(stack: Stack) -> None:
    message = rejection(two_models(stack), concurrent_streams=1001)
    assert "concurrent_streams=1001: must be from 1 to 1000 streams. Lower it to 1000 or less." in message


def test_a_budget_that_a_longer_one_would_use_up_first_is_refused(stack: Stack) -> None:
    message = rejection(two_models(stack), tokens_per_minute=3000, tokens_per_day=9000, tokens_per_month=2000)
    assert message.startswith("Stack/FrontDoor/Consumers/team-a: 2 problems")
    expected = "tokens_per_day=9000: must not exceed tokens_per_month=2000, which would be used up first. Lower it, or"
    assert f"{expected} raise tokens_per_month." in message
    assert "tokens_per_minute=3000: must not exceed tokens_per_month=2000" in message
    two_models(Stack(App(), "Other")).add_consumer("team-a", tokens_per_minute=2000, tokens_per_day=2000)


@pytest.mark.parametrize(("default", "warns"), [(None, 1024), (512, None), (700, 700)])
def test_a_budget_below_one_request_without_max_tokens_is_a_warning(
    stack: Stack, default: int | None, warns: int | None
) -> None:
    front_door = make_front_door(stack, default_max_tokens=default)
    front_door.add_consumer("team-a", tokens_per_minute=700, tokens_per_day=50_000)
    expected = (
        f"tokens_per_minute=700 is less than one request without max_tokens takes: {warns} tokens for its answer, and"
        " one for each 3 bytes of its prompt, are reserved before it runs, so each such request is refused. Raise"
        " tokens_per_minute, or lower default_max_tokens of the front door. [ack: tgi-endpoint:budgetBelowOneRequest]"
    )
    assert warnings(front_door) == ([expected] if warns else [])


def test_a_small_model_takes_less_than_the_default(stack: Stack) -> None:
    model = endpoint(stack, serving=ServingFacts(max_total_tokens=512))
    front_door = make_front_door(stack, models={"llama": model})
    front_door.add_consumer("team-a", tokens_per_minute=700)
    assert warnings(front_door) == []


def test_keys_whose_ids_do_not_fit_the_environment_are_refused(stack: Stack) -> None:
    front_door = make_front_door(stack)
    for number in range(400):
        front_door.add_consumer(f"team-{number}")
    with pytest.raises(ConfigurationError) as error:
        front_door.add_consumer("team-400", models=["llama"])
    message = str(error.value)
    assert message.startswith("Stack/FrontDoor/Consumers/team-400: 1 problem")
    assert (
        "consumers=(401 keys of consumers): have ids that the function must know, as a consumer has models" in message
    )
    fitting = int(message.partition("Lambda allows 4096; ")[2].partition(" fit")[0])
    assert 250 < fitting < 300
    other = make_front_door(Stack(App(), "Stack"))
    for number in range(fitting):
        other.add_consumer(f"team-{number}", models=["llama"])
    with pytest.raises(ConfigurationError):
        other.add_consumer("one-more")


def test_the_function_is_told_which_models_a_scope_allows(stack: Stack) -> None:
    front_door = two_models(stack, access=jwt(SCOPES))
    assert variables(template(front_door))["CALLERS_FILE"] == "/opt/front_door/callers.json"
    assert callers(stack) == {"on_store_failure": "open", "scopes": SCOPES}


def test_scopes_of_a_user_pool_are_those_of_its_access_tokens(stack: Stack) -> None:
    pool = cognito.UserPool.from_user_pool_id(stack, "Pool", "eu-west-1_abc")
    client = cognito.UserPoolClient.from_user_pool_client_id(stack, "Client", "client")
    two_models(stack, access=Access.cognito(pool, [client], models_by_scope={"llm/llama": ["llama"]}))
    assert callers(stack) == {"on_store_failure": "open", "scopes": {"llm/llama": ["llama"]}}


def test_a_token_without_scopes_may_call_everything_unless_there_are_some(stack: Stack) -> None:
    two_models(stack, access=Access.jwt(issuer="https://login.example.com", audience="llm"))
    assert callers(stack) is None


@pytest.mark.parametrize(
    ("scopes", "message"),
    [
        (
            ["llm:llama"],
            "access.models_by_scope=['llm:llama']: must be a mapping from scopes to lists of models, not list.",
        ),
        ({}, "access.models_by_scope={}: must have at least one scope: without one no token could use a model."),
        (
            {"llm llama": ["llama"]},
            "access.models_by_scope='llm llama': must be printable ASCII without spaces, quotation marks and",
        ),
        ({"a": ["lama"]}, "access.models_by_scope['a']='lama': is no model of this front door, which has 'llama'"),
        ({"a": "llama"}, "access.models_by_scope['a']='llama': must be a list of names of models, not str."),
    ],
)
def test_scopes_are_checked(stack: Stack, scopes: Any, message: str) -> None:
    assert message in scope_rejection(stack, scopes)


def test_consumers_of_an_own_authorizer_have_limits_too(stack: Stack) -> None:
    from aws_cdk import aws_lambda as lambda_

    own = lambda_.Function.from_function_name(stack, "Own", "own")
    front_door = two_models(stack, access=Access.authorizer(own, usage_plans=True))
    front_door.add_consumer("team-a", models=["falcon"])
    told = callers(stack)
    assert told is not None
    assert told["consumers"]["team-a"]["models"] == ["falcon"]
    assert only(template(front_door), "ApiGateway::ApiKey")["Enabled"] is True
