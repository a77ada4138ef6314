"""Who may call a front door: what each access renders, what it needs, and what it is refused for."""

import json
import re
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack, Token
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.access import Access
from constructs_lib.front_door.front_door import FrontDoor
from tests.constructs_lib.front_door.doubles import (
    answers,
    asked,
    body,
    default,
    door,
    endpoint,
    flat,
    function,
    of_type,
    only,
    operations,
    properties,
    statements,
    template,
    variables,
    warnings,
)

JWT = Access.jwt(issuer="https://login.example.com/", audience="https://llm.example.com")


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack")


def own_function(stack: Stack) -> lambda_.IFunction:
    return lambda_.Function.from_function_attributes(
        stack, "Own", function_arn="arn:aws:lambda:eu-west-1:111122223333:function:own", same_environment=True
    )


def scheme(rendered: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = body(rendered)["components"]["securitySchemes"][name]
    return found


def authorizer(rendered: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = scheme(rendered, name)["x-amazon-apigateway-authorizer"]
    return found


def said(rendered: dict[str, Any], kind: str) -> str:
    message: str = json.loads(answers(rendered)[kind]["responseTemplates"]["application/json"])["error"]["message"]
    return message


def refusal(stack: Stack, access: object, **arguments: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        FrontDoor(stack, "Door", models={"llama": endpoint(Stack(App(), "Models"))}, access=access, **arguments)  # type: ignore[arg-type]
    assert stack.node.try_find_child("Door") is None
    return str(error.value)


def test_every_operation_needs_an_api_key_that_the_authorizer_reads_off_the_header() -> None:
    assert {tuple(asked(operation)) for operation in operations(default()).values()} == {("BearerKey", "ApiKey")}
    assert scheme(default(), "ApiKey") == {"type": "apiKey", "name": "x-api-key", "in": "header"}
    assert only(default(), "ApiGateway::RestApi")["ApiKeySourceType"] == "AUTHORIZER"
    assert body(default())["x-amazon-apigateway-api-key-source"] == "AUTHORIZER"


def test_the_authorizer_takes_bearer_keys_and_turns_everything_else_away_unasked() -> None:
    read = scheme(default(), "BearerKey")
    assert (read["type"], read["name"], read["in"], read["x-amazon-apigateway-authtype"]) == (
        "apiKey",
        "Authorization",
        "header",
        "custom",
    )
    assert authorizer(default(), "BearerKey")["type"] == "token"
    assert authorizer(default(), "BearerKey")["authorizerResultTtlInSeconds"] == 3600
    assert re.fullmatch(
        r"arn:<AWS::Partition>:apigateway:<AWS::Region>:lambda:path/2015-03-31/functions/<DoorApiAuthorizer\w+\.Arn>"
        r"/invocations",
        flat(authorizer(default(), "BearerKey")["authorizerUri"]),
    )
    accepted = re.compile(authorizer(default(), "BearerKey")["identityValidationExpression"])
    assert accepted.search("Bearer " + "aB3" * 13 + "x")
    for refused in (
        "",
        "Bearer",
        "Bearer short",
        "Basic " + "a" * 40,
        "Basic Bearer " + "a" * 40,
        "Bearer " + "a" * 40 + " b",
        "Bearer " + "a" * 129,
    ):
        assert not accepted.search(refused), refused


def test_the_authorizer_has_no_secret_and_no_right_but_its_log_and_traces() -> None:
    assert "Environment" not in function(default(), "api_key_authorizer")
    (policy,) = (
        policy for logical_id, policy in of_type(default(), "IAM::Policy").items() if "Authorizer" in logical_id
    )
    actions = [
        action for statement in policy["Properties"]["PolicyDocument"]["Statement"] for action in statement["Action"]
    ]
    assert sorted(actions) == [
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ]


def test_keys_are_the_default() -> None:
    assert template(door(access=Access.api_keys())) == default()


def test_a_door_for_which_nobody_has_a_key_warns_until_somebody_gets_one() -> None:
    (warning,) = warnings(door())
    assert "Nobody can call this front door: it asks for API keys, and no consumer has one." in warning
    assert 'door.add_consumer("team-a")' in warning
    assert "[ack: tgi-endpoint:noConsumer]" in warning
    made = door()
    made.add_consumer("team-a")
    assert warnings(made) == []


def test_signed_requests_are_iams_to_judge() -> None:
    rendered = template(door(access=Access.iam()))
    assert {tuple(asked(operation)) for operation in operations(rendered).values()} == {("SigV4",)}
    assert scheme(rendered, "SigV4") == {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "awsSigv4",
    }
    assert "x-amazon-apigateway-api-key-source" not in body(rendered)
    assert "ApiKeySourceType" not in only(rendered, "ApiGateway::RestApi")
    assert len(of_type(rendered, "Lambda::Function")) == 1
    assert answers(rendered)["MISSING_AUTHENTICATION_TOKEN"]["statusCode"] == "401"
    assert "Sign it with AWS Signature Version 4 for the service execute-api" in said(
        rendered, "MISSING_AUTHENTICATION_TOKEN"
    )
    assert "INVALID_API_KEY" not in answers(rendered)


def test_who_is_granted_to_invoke_may_call_every_route_of_this_apis_stage_and_nothing_else(stack: Stack) -> None:
    made = door(stack, access=Access.iam())
    job = iam.Role(stack, "Job", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    made.grant_invoke(job).assert_success()
    rendered = template(made)
    (api,) = of_type(rendered, "ApiGateway::RestApi")
    (statement,) = (each for each in statements(rendered) if each["Action"] == "execute-api:Invoke")
    assert flat(statement["Resource"]) == (
        f"arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<{api}>/prod/*"
    )


@pytest.mark.parametrize(
    ("access", "words"),
    [(Access.api_keys(), "Access.api_keys()"), (JWT, "Access.jwt(…)"), (Access.public(), "Access.public()")],
)
def test_a_grant_without_iam_would_mean_nothing_and_is_refused(stack: Stack, access: Access, words: str) -> None:
    made = door(stack, access=access)
    with pytest.raises(ConfigurationError) as error:
        made.grant_invoke(iam.Role(stack, "Job", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com")))
    assert f"IAM does not decide who may call: the access is {words}. Give the front door Access.iam()." in str(
        error.value
    )


def test_tokens_are_checked_by_a_function_that_knows_issuer_and_audience() -> None:
    rendered = template(door(access=JWT))
    assert {tuple(asked(operation)) for operation in operations(rendered).values()} == {("BearerToken",)}
    assert variables(rendered, "jwt_authorizer") == {
        "ISSUER": "https://login.example.com/",
        "AUDIENCE": '["https://llm.example.com"]',
    }
    assert "DoorApiAuthorizer" in flat(authorizer(rendered, "BearerToken")["authorizerUri"])
    assert answers(rendered)["UNAUTHORIZED"]["statusCode"] == "401"
    assert "or has expired" in said(rendered, "UNAUTHORIZED")
    assert "ApiKeySourceType" not in only(rendered, "ApiGateway::RestApi")


def test_a_decision_about_a_token_is_kept_for_a_minute_as_the_token_may_expire() -> None:
    assert authorizer(template(door(access=JWT)), "BearerToken")["authorizerResultTtlInSeconds"] == 60


def test_what_is_no_token_never_reaches_the_function() -> None:
    accepted = re.compile(authorizer(template(door(access=JWT)), "BearerToken")["identityValidationExpression"])
    assert accepted.search("Bearer eyJh-_.eyJp.c2ln")
    for refused in ("", "Bearer", "Bearer a.b", "Bearer a.b.", "Bearer a.b.c.d", "Basic a.b.c", "Bearer a.b.c d"):
        assert not accepted.search(refused), refused


def test_an_audience_may_be_several(stack: Stack) -> None:
    access = Access.jwt(issuer="https://login.example.com", audience=["web", "cli"])
    assert variables(template(door(stack, access=access)), "jwt_authorizer")["AUDIENCE"] == '["web", "cli"]'


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"issuer": "http://login.example.com"}, "access.issuer='http://login.example.com': must be an https URL"),
        ({"issuer": "login.example.com"}, "access.issuer='login.example.com': must be an https URL without query"),
        (
            {"issuer": "https://login.example.com/?a=b"},
            "must be an https URL without query, as it stands in the tokens",
        ),
        ({"issuer": None}, "access.issuer=None: must be an https URL"),
        ({"audience": []}, "access.audience=[]: must be at least one audience: without one, tokens for any other"),
        ({"audience": ""}, "access.audience=['']: must be at least one audience"),
        ({"audience": None}, "access.audience=None: must be at least one audience"),
        ({"audience": ["web", 7]}, "access.audience=['web', 7]: must be at least one audience"),
    ],
)
def test_an_issuer_or_audience_that_would_let_in_nobody_or_everybody_is_refused(
    stack: Stack, arguments: dict[str, Any], words: str
) -> None:
    right: dict[str, Any] = {"issuer": "https://login.example.com", "audience": "web"}
    assert words in refusal(stack, Access.jwt(**right | arguments))


def test_an_issuer_known_only_at_deployment_is_taken(stack: Stack) -> None:
    issuer = Token.as_string({"Fn::ImportValue": "Issuer"})
    assert door(stack, access=Access.jwt(issuer=issuer, audience="web")).url


def test_a_user_pools_tokens_are_those_of_its_issuer_for_its_clients(stack: Stack) -> None:
    users = cognito.UserPool(stack, "Users")
    client = users.add_client("Web")
    told = variables(template(door(stack, access=Access.cognito(users, [client]))), "jwt_authorizer")
    assert re.fullmatch(r"https://<Users\w+\.ProviderName>", told["ISSUER"])
    assert re.fullmatch(r'\["<UsersWeb\w+>"\]', told["AUDIENCE"])


def test_an_imported_user_pool_is_taken_too(stack: Stack) -> None:
    users = cognito.UserPool.from_user_pool_arn(
        stack, "Users", "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Abc"
    )
    client = cognito.UserPoolClient.from_user_pool_client_id(stack, "Client", "abc123")
    told = variables(template(door(stack, access=Access.cognito(users, [client]))), "jwt_authorizer")
    assert told["ISSUER"].endswith("/eu-west-1_Abc")
    assert told["AUDIENCE"] == '["abc123"]'


def test_a_user_pool_or_clients_that_are_none_are_refused_together(stack: Stack) -> None:
    text = refusal(stack, Access.cognito("eu-west-1_Abc", ["abc123"]))  # type: ignore[arg-type,list-item]
    assert "access.user_pool='eu-west-1_Abc': must be a user pool of aws_cognito, not str." in text
    assert "access.clients[0]='abc123': must be an app client of aws_cognito, not str." in text
    users = cognito.UserPool(stack, "Users")
    assert "access.clients=[]: must have at least one app client." in refusal(stack, Access.cognito(users, []))


def test_an_own_authorizer_gets_the_header_and_the_permission_to_be_called(stack: Stack) -> None:
    rendered = template(door(stack, access=Access.authorizer(own_function(stack))))
    assert {tuple(asked(operation)) for operation in operations(rendered).values()} == {("Own",)}
    assert authorizer(rendered, "Own") == {
        "type": "token",
        "authorizerUri": authorizer(rendered, "Own")["authorizerUri"],
        "authorizerResultTtlInSeconds": 300,
    }
    assert ":function:own/invocations" in flat(authorizer(rendered, "Own")["authorizerUri"])
    (permission,) = (
        each for each in properties(rendered, "Lambda::Permission") if flat(each["FunctionName"]).endswith(":own")
    )
    (api,) = of_type(rendered, "ApiGateway::RestApi")
    assert flat(permission["SourceArn"]).endswith(f":<{api}>/authorizers/*")
    assert len(of_type(rendered, "Lambda::Function")) == 1


def test_how_long_an_own_authorizers_decision_is_kept_is_the_callers_choice(stack: Stack) -> None:
    access = Access.authorizer(own_function(stack), ttl=Duration.seconds(0))
    assert authorizer(template(door(stack, access=access)), "Own")["authorizerResultTtlInSeconds"] == 0


def test_an_own_authorizer_may_name_the_key_whose_plan_counts(stack: Stack) -> None:
    made = door(stack, access=Access.authorizer(own_function(stack), usage_plans=True))
    made.add_consumer("team-a", monthly_requests=100)
    rendered = template(made)
    assert {tuple(asked(operation)) for operation in operations(rendered).values()} == {("Own", "ApiKey")}
    assert only(rendered, "ApiGateway::RestApi")["ApiKeySourceType"] == "AUTHORIZER"
    assert answers(rendered)["QUOTA_EXCEEDED"]["statusCode"] == "429"


def test_what_is_wrong_with_an_own_authorizer_is_told_together(stack: Stack) -> None:
    text = refusal(stack, Access.authorizer("own", ttl=300, usage_plans="yes"))  # type: ignore[arg-type]
    assert "access.function='own': must be a function of aws_lambda, not str." in text
    assert "access.usage_plans='yes': must be True or False" in text
    assert "access.ttl=300: must be a Duration of aws_cdk, which says its unit. Write Duration.seconds(300)." in text
    longer = Access.authorizer(own_function(stack), ttl=Duration.hours(2))
    assert "access.ttl='7200 s': must be a whole number of seconds from 0 to 3600" in refusal(stack, longer)


def test_a_public_door_asks_for_nothing_and_warns() -> None:
    made = door(access=Access.public())
    (warning,) = warnings(made)
    assert "Anybody who knows the URL of this front door may send requests" in warning
    assert "[ack: tgi-endpoint:publicAccess]" in warning
    rendered = template(made)
    assert not any(asked(operation) for operation in operations(rendered).values())
    assert body(rendered)["components"]["securitySchemes"] == {}
    assert "UNAUTHORIZED" not in answers(rendered)


@pytest.mark.parametrize("access", [Access.iam(), JWT, Access.public()], ids=["iam", "jwt", "public"])
def test_without_keys_the_stages_limits_still_hold(access: Access) -> None:
    rendered = template(door(access=access, rate_limit=5, burst_limit=9))
    (settings,) = only(rendered, "ApiGateway::Stage")["MethodSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (5, 9)


@pytest.mark.parametrize("access", [Access.api_keys(), JWT, Access.public()], ids=["keys", "jwt", "public"])
def test_the_playgrounds_page_is_open_to_anybody_and_nothing_else_is(access: Access) -> None:
    rendered = template(door(access=access, playground=True))
    assert asked(operations(rendered)["GET", "/"]) == []
    assert variables(rendered)["PLAYGROUND"] == "on"
    others = {key: asked(operation) for key, operation in operations(rendered).items() if key != ("GET", "/")}
    assert all(bool(schemes) == bool(body(rendered)["components"]["securitySchemes"]) for schemes in others.values())


def test_without_the_playground_its_page_is_a_route_like_any_other() -> None:
    assert asked(operations(default())["GET", "/"]) == ["BearerKey", "ApiKey"]
    assert "PLAYGROUND" not in variables(default())


def test_the_function_is_told_to_let_nobody_in_whose_key_the_gateway_does_not_know(stack: Stack) -> None:
    assert variables(default())["API_KEYS"] == "on"
    planned = Access.authorizer(own_function(stack), usage_plans=True)
    assert variables(template(door(stack, access=planned)))["API_KEYS"] == "on"


@pytest.mark.parametrize("access", [Access.iam(), JWT, Access.public()], ids=["iam", "jwt", "public"])
def test_without_keys_the_function_asks_for_none(access: Access) -> None:
    assert "API_KEYS" not in variables(template(door(access=access)))
