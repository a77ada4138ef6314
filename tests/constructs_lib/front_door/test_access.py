"""Access methods: what each renders, and which arguments are rejected."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack, Token
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from jwt_authorizer.jwks import FETCH_SECONDS

from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.access import Access
from constructs_lib.front_door.access.base import AccessMethod
from constructs_lib.front_door.front_door import FrontDoor
from tests.constructs_lib.front_door.doubles import (
    body,
    default,
    endpoint,
    flat,
    function,
    make_front_door,
    of_type,
    only,
    operations,
    properties,
    required_schemes,
    responses,
    statements,
    template,
    variables,
    warnings,
)
from tests.lambda_.jwt_authorizer.identity_provider import ec_jwk, rsa_jwk

JWT = Access.jwt(issuer="https://login.example.com/", audience="https://llm.example.com")


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack")


def custom_authorizer(stack: Stack) -> lambda_.IFunction:
    return lambda_.Function.from_function_attributes(
        stack, "Own", function_arn="arn:aws:lambda:eu-west-1:111122223333:function:own", same_environment=True
    )


def scheme(rendered: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = body(rendered)["components"]["securitySchemes"][name]
    return found


def authorizer(rendered: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = scheme(rendered, name)["x-amazon-apigateway-authorizer"]
    return found


def error_message(rendered: dict[str, Any], kind: str) -> str:
    message: str = json.loads(responses(rendered)[kind]["responseTemplates"]["application/json"])["error"]["message"]
    return message


def rejection(stack: Stack, access: object, **arguments: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        FrontDoor(stack, "FrontDoor", models={"llama": endpoint(Stack(App(), "Models"))}, access=access, **arguments)  # type: ignore[arg-type]
    assert stack.node.try_find_child("FrontDoor") is None
    return str(error.value)


MESSAGES = re.compile(r"(/models/\{model\})?/v1/messages(/count_tokens)?")


def schemes_of_routes(rendered: dict[str, Any]) -> tuple[set[tuple[str, ...]], set[tuple[str, ...]]]:
    """The schemes of Anthropic's routes, and those of the others."""
    found: tuple[set[tuple[str, ...]], set[tuple[str, ...]]] = (set(), set())
    for (_, path), operation in operations(rendered).items():
        found[0 if MESSAGES.fullmatch(path) else 1].add(tuple(required_schemes(operation)))
    return found


def test_every_operation_needs_an_api_key_that_the_authorizer_extracts_from_the_headers() -> None:
    assert schemes_of_routes(default()) == ({("EitherKey", "ApiKey")}, {("BearerKey", "ApiKey")})
    assert scheme(default(), "ApiKey") == {"type": "apiKey", "name": "x-api-key", "in": "header"}
    assert only(default(), "ApiGateway::RestApi")["ApiKeySourceType"] == "AUTHORIZER"
    assert body(default())["x-amazon-apigateway-api-key-source"] == "AUTHORIZER"


def test_whatever_is_sent_as_a_key_reaches_the_authorizer() -> None:
    bearer_key = scheme(default(), "BearerKey")
    assert (bearer_key["type"], bearer_key["name"], bearer_key["in"], bearer_key["x-amazon-apigateway-authtype"]) == (
        "apiKey",
        "Authorization",
        "header",
        "custom",
    )
    assert authorizer(default(), "BearerKey")["type"] == "token"
    assert authorizer(default(), "BearerKey")["authorizerResultTtlInSeconds"] == 3600
    assert re.fullmatch(
        r"arn:<AWS::Partition>:apigateway:<AWS::Region>:lambda:path/2015-03-31/functions/<FrontDoorApiAuthorizer\w+\.Arn>"
        r"/invocations",
        flat(authorizer(default(), "BearerKey")["authorizerUri"]),
    )
    accepted = re.compile(authorizer(default(), "BearerKey")["identityValidationExpression"])
    for key in ("aB3" * 13 + "x", "short", "a" * 40 + " b", "a" * 129, "schlüssel"):
        assert accepted.search(f"Bearer {key}"), key
    for without_key in ("", "Bearer", "Bearer  ", "Basic " + "a" * 40, "Basic Bearer " + "a" * 40):
        assert not accepted.search(without_key), without_key


def test_on_anthropics_routes_the_same_function_gets_every_request_with_its_headers() -> None:
    either = scheme(default(), "EitherKey")
    assert {name: either[name] for name in ("type", "name", "in", "x-amazon-apigateway-authtype")} == {
        "type": "apiKey",
        "name": "Unused",
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
    }
    # A decision that is cached without headers that identify the caller would be everybody's.
    assert authorizer(default(), "EitherKey") == {
        "type": "request",
        "authorizerUri": authorizer(default(), "BearerKey")["authorizerUri"],
        "authorizerResultTtlInSeconds": 0,
    }


@pytest.mark.parametrize("access", [Access.iam(), JWT, Access.public()])
def test_other_access_methods_are_the_same_on_every_route(access: AccessMethod) -> None:
    anthropics, others = schemes_of_routes(template(make_front_door(access=access)))
    assert anthropics == others
    assert len(others) == 1


def test_the_authorizer_has_no_secret_and_may_only_write_its_log_and_traces() -> None:
    assert "Environment" not in function(default(), "api_key_authorizer")
    assert not [logical_id for logical_id in of_type(default(), "IAM::Policy") if "Authorizer" in logical_id]
    (role,) = (role for logical_id, role in of_type(default(), "IAM::Role").items() if "Authorizer" in logical_id)
    (policy,) = role["Properties"]["Policies"]
    actions = [action for statement in policy["PolicyDocument"]["Statement"] for action in statement["Action"]]
    assert sorted(actions) == [
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ]


def test_api_keys_are_the_default() -> None:
    assert template(make_front_door(access=Access.api_keys())) == default()


def test_a_front_door_with_api_keys_warns_until_it_has_a_consumer() -> None:
    (warning,) = warnings(make_front_door())
    assert "Nobody can call this front door: it requires API keys, and it has no consumer." in warning
    assert 'front_door.add_consumer("team-a")' in warning
    assert "[ack: tgi-endpoint:noConsumer]" in warning
    front_door = make_front_door()
    front_door.add_consumer("team-a")
    assert warnings(front_door) == []


def test_iam_access_requires_signed_requests() -> None:
    rendered = template(make_front_door(access=Access.iam()))
    assert {tuple(required_schemes(operation)) for operation in operations(rendered).values()} == {("SigV4",)}
    assert scheme(rendered, "SigV4") == {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "awsSigv4",
    }
    assert "x-amazon-apigateway-api-key-source" not in body(rendered)
    assert "ApiKeySourceType" not in only(rendered, "ApiGateway::RestApi")
    assert len(of_type(rendered, "Lambda::Function")) == 1
    assert responses(rendered)["MISSING_AUTHENTICATION_TOKEN"]["statusCode"] == "401"
    assert "Sign it with AWS Signature Version 4 for the service execute-api" in error_message(
        rendered, "MISSING_AUTHENTICATION_TOKEN"
    )
    assert "INVALID_API_KEY" not in responses(rendered)


def test_grant_invoke_allows_every_route_of_the_stage_and_nothing_else(stack: Stack) -> None:
    front_door = make_front_door(stack, access=Access.iam())
    job = iam.Role(stack, "Job", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    front_door.grant_invoke(job).assert_success()
    rendered = template(front_door)
    (api,) = of_type(rendered, "ApiGateway::RestApi")
    (statement,) = (each for each in statements(rendered) if each["Action"] == "execute-api:Invoke")
    assert flat(statement["Resource"]) == (
        f"arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<{api}>/prod/*"
    )


@pytest.mark.parametrize(
    ("access", "display_name"),
    [(Access.api_keys(), "Access.api_keys()"), (JWT, "Access.jwt(…)"), (Access.public(), "Access.public()")],
)
def test_grant_invoke_without_iam_access_is_rejected(stack: Stack, access: AccessMethod, display_name: str) -> None:
    front_door = make_front_door(stack, access=access)
    with pytest.raises(ConfigurationError) as error:
        front_door.grant_invoke(iam.Role(stack, "Job", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com")))
    assert f"requires Access.iam(): the front door uses {display_name}. Give the front door Access.iam()." in str(
        error.value
    )


def test_jwt_access_verifies_tokens_with_a_function_that_has_issuer_and_audience() -> None:
    rendered = template(make_front_door(access=JWT))
    assert {tuple(required_schemes(operation)) for operation in operations(rendered).values()} == {("BearerToken",)}
    assert variables(rendered, "jwt_authorizer") == {
        "ISSUER": "https://login.example.com/",
        "AUDIENCE": '["https://llm.example.com"]',
    }
    assert "FrontDoorApiAuthorizer" in flat(authorizer(rendered, "BearerToken")["authorizerUri"])
    assert responses(rendered)["UNAUTHORIZED"]["statusCode"] == "401"
    assert "or has expired" in error_message(rendered, "UNAUTHORIZED")
    assert "ApiKeySourceType" not in only(rendered, "ApiGateway::RestApi")


def test_no_two_access_methods_have_a_function_of_the_same_id() -> None:
    """CloudFormation would change its code before the API, which would then be open to whoever sends a token."""
    keys, tokens = (
        {name for name in of_type(template(make_front_door(access=access)), "Lambda::Function") if "Authorizer" in name}
        for access in (Access.api_keys(), JWT)
    )
    assert len(keys) == len(tokens) == 1
    assert not keys & tokens


def test_the_keys_are_given_up_well_before_the_function_is_stopped() -> None:
    assert function(template(make_front_door(access=JWT)), "jwt_authorizer")["Timeout"] >= 2 * FETCH_SECONDS


def test_a_decision_about_a_token_is_cached_for_one_minute_as_the_token_may_expire() -> None:
    assert authorizer(template(make_front_door(access=JWT)), "BearerToken")["authorizerResultTtlInSeconds"] == 60


def key_file(folder: Path, content: object) -> Path:
    file = folder / "keys.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_keys_in_a_file_are_in_a_layer_of_the_function(stack: Stack, tmp_path: Path) -> None:
    keys = {"keys": [rsa_jwk(), ec_jwk()], "comment": "not a member of a key set"}
    access = Access.jwt(issuer="https://id.example.com", audience="web", jwks=str(key_file(tmp_path, keys)))
    app = stack.node.root
    assert isinstance(app, App)
    make_front_door(stack, access=access)
    assembly = app.synth()
    rendered = assembly.get_stack_by_name("Stack").template
    assert variables(rendered, "jwt_authorizer")["JWKS_FILE"] == "/opt/jwt_authorizer/jwks.json"
    (layer,) = function(rendered, "jwt_authorizer")["Layers"]
    content = rendered["Resources"][layer["Ref"]]["Properties"]["Content"]["S3Key"].removesuffix(".zip")
    file = Path(assembly.directory, f"asset.{content}", "jwt_authorizer", "jwks.json")
    assert json.loads(file.read_text()) == {"keys": keys["keys"]}


def test_without_a_file_the_function_has_no_layer() -> None:
    rendered = template(make_front_door(access=JWT))
    assert "JWKS_FILE" not in variables(rendered, "jwt_authorizer")
    assert "Layers" not in function(rendered, "jwt_authorizer")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", 'must be a JSON Web Key Set: {"keys": […]} (RFC 7517)'),
        ("{", "must be a JSON Web Key Set"),
        ({"keys": {}}, "has no key that verifies tokens: an RSA key of at least 2048 bits, or an EC key on P-256"),
        ({"keys": []}, "has no key that verifies tokens"),
        ({"keys": [rsa_jwk(use="enc")]}, "has no key that verifies tokens"),
        ({"keys": [rsa_jwk(n="AQAB")]}, "has no key that verifies tokens"),
        ({"keys": [ec_jwk(crv="P-384")]}, "has no key that verifies tokens"),
        (
            {"keys": [rsa_jwk(), ec_jwk(d="c2VjcmV0")]},
            "access.jwks=(not shown): has a secret key, which would be in a layer that many may read",
        ),
    ],
)
def test_a_file_without_public_keys_is_rejected(stack: Stack, tmp_path: Path, content: object, message: str) -> None:
    file = key_file(tmp_path, content)
    found = rejection(stack, Access.jwt(issuer="https://id.example.com", audience="web", jwks=file))
    assert message in found
    assert "c2VjcmV0" not in found


def test_a_missing_key_file_is_rejected_with_its_path(stack: Stack) -> None:
    access = Access.jwt(issuer="https://id.example.com", audience="web", jwks="missing.json")
    assert "access.jwks='missing.json': cannot be read: No such file or directory" in rejection(stack, access)
    wrong: Any = {"keys": []}
    access = Access.jwt(issuer="https://id.example.com", audience="web", jwks=wrong)
    assert "access.jwks={'keys': []}: must be the path of a file, not dict" in rejection(stack, access)


def test_only_bearer_jwts_reach_the_function() -> None:
    accepted = re.compile(
        authorizer(template(make_front_door(access=JWT)), "BearerToken")["identityValidationExpression"]
    )
    assert accepted.search("Bearer eyJh-_.eyJp.c2ln")
    for rejected in ("", "Bearer", "Bearer a.b", "Bearer a.b.", "Bearer a.b.c.d", "Basic a.b.c", "Bearer a.b.c d"):
        assert not accepted.search(rejected), rejected


def test_several_audiences_can_be_accepted(stack: Stack) -> None:
    access = Access.jwt(issuer="https://login.example.com", audience=["web", "cli"])
    assert variables(template(make_front_door(stack, access=access)), "jwt_authorizer")["AUDIENCE"] == '["web", "cli"]'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"issuer": "http://login.example.com"}, "access.issuer='http://login.example.com': must be an https URL"),
        ({"issuer": "login.example.com"}, "access.issuer='login.example.com': must be an https URL without a query"),
        (
            {"issuer": "https://login.example.com/?a=b"},
            "must be an https URL without a query, as in the tokens",
        ),
        ({"issuer": None}, "access.issuer=None: must be an https URL"),
        ({"audience": []}, "access.audience=[]: must be at least one audience: without one, tokens for any other"),
        ({"audience": ""}, "access.audience=['']: must be at least one audience"),
        ({"audience": None}, "access.audience=None: must be at least one audience"),
        ({"audience": ["web", 7]}, "access.audience=['web', 7]: must be at least one audience"),
    ],
)
def test_an_issuer_or_audience_that_would_accept_nobody_or_everybody_is_rejected(
    stack: Stack, arguments: dict[str, Any], message: str
) -> None:
    valid: dict[str, Any] = {"issuer": "https://login.example.com", "audience": "web"}
    assert message in rejection(stack, Access.jwt(**valid | arguments))


def test_an_issuer_known_only_at_deployment_is_accepted(stack: Stack) -> None:
    issuer = Token.as_string({"Fn::ImportValue": "Issuer"})
    assert make_front_door(stack, access=Access.jwt(issuer=issuer, audience="web")).url


def test_cognito_access_uses_the_issuer_of_the_pool_and_the_ids_of_its_clients(stack: Stack) -> None:
    users = cognito.UserPool(stack, "Users")
    client = users.add_client("Web")
    environment = variables(template(make_front_door(stack, access=Access.cognito(users, [client]))), "jwt_authorizer")
    assert re.fullmatch(r"https://<Users\w+\.ProviderName>", environment["ISSUER"])
    assert re.fullmatch(r'\["<UsersWeb\w+>"\]', environment["AUDIENCE"])


def test_an_imported_user_pool_is_accepted(stack: Stack) -> None:
    users = cognito.UserPool.from_user_pool_arn(
        stack, "Users", "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Abc"
    )
    client = cognito.UserPoolClient.from_user_pool_client_id(stack, "Client", "abc123")
    environment = variables(template(make_front_door(stack, access=Access.cognito(users, [client]))), "jwt_authorizer")
    assert environment["ISSUER"].endswith("/eu-west-1_Abc")
    assert environment["AUDIENCE"] == '["abc123"]'


def test_an_invalid_user_pool_and_clients_are_reported_together(stack: Stack) -> None:
    message = rejection(stack, Access.cognito("eu-west-1_Abc", ["abc123"]))  # type: ignore[arg-type,list-item]
    assert "access.user_pool='eu-west-1_Abc': must be a user pool of aws_cognito, not str." in message
    assert "access.clients[0]='abc123': must be an app client of aws_cognito, not str." in message
    users = cognito.UserPool(stack, "Users")
    assert "access.clients=[]: must have at least one app client." in rejection(stack, Access.cognito(users, []))


def test_a_custom_authorizer_gets_the_header_and_can_be_invoked(stack: Stack) -> None:
    rendered = template(make_front_door(stack, access=Access.authorizer(custom_authorizer(stack))))
    assert {tuple(required_schemes(operation)) for operation in operations(rendered).values()} == {("Own",)}
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


def test_the_ttl_of_a_custom_authorizers_decision_can_be_set(stack: Stack) -> None:
    access = Access.authorizer(custom_authorizer(stack), ttl=Duration.seconds(0))
    assert authorizer(template(make_front_door(stack, access=access)), "Own")["authorizerResultTtlInSeconds"] == 0


def test_a_custom_authorizer_can_return_the_api_key_whose_usage_plan_applies(stack: Stack) -> None:
    front_door = make_front_door(stack, access=Access.authorizer(custom_authorizer(stack), usage_plans=True))
    front_door.add_consumer("team-a", monthly_requests=100)
    rendered = template(front_door)
    assert {tuple(required_schemes(operation)) for operation in operations(rendered).values()} == {("Own", "ApiKey")}
    assert only(rendered, "ApiGateway::RestApi")["ApiKeySourceType"] == "AUTHORIZER"
    assert responses(rendered)["QUOTA_EXCEEDED"]["statusCode"] == "429"


def test_all_problems_of_a_custom_authorizer_are_reported_together(stack: Stack) -> None:
    message = rejection(stack, Access.authorizer("own", ttl=300, usage_plans="yes"))  # type: ignore[arg-type]
    assert "access.function='own': must be a function of aws_lambda, not str." in message
    assert "access.usage_plans='yes': must be True or False" in message
    assert "access.ttl=300: must be a Duration of aws_cdk, which has a unit. Write Duration.seconds(300)." in message
    longer = Access.authorizer(custom_authorizer(stack), ttl=Duration.hours(2))
    assert "access.ttl='7200 s': must be a whole number of seconds from 0 to 3600" in rejection(stack, longer)


def test_a_public_front_door_requires_nothing_and_warns() -> None:
    front_door = make_front_door(access=Access.public())
    (warning,) = warnings(front_door)
    assert "Anybody who knows the URL of this front door may send requests" in warning
    assert "[ack: tgi-endpoint:publicAccess]" in warning
    rendered = template(front_door)
    assert not any(required_schemes(operation) for operation in operations(rendered).values())
    assert body(rendered)["components"]["securitySchemes"] == {}
    assert "UNAUTHORIZED" not in responses(rendered)


@pytest.mark.parametrize("access", [Access.iam(), JWT, Access.public()], ids=["iam", "jwt", "public"])
def test_without_api_keys_the_limits_of_the_stage_still_apply(access: AccessMethod) -> None:
    rendered = template(make_front_door(access=access, rate_limit=5, burst_limit=9))
    (settings,) = only(rendered, "ApiGateway::Stage")["MethodSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (5, 9)


@pytest.mark.parametrize("access", [Access.api_keys(), JWT, Access.public()], ids=["keys", "jwt", "public"])
def test_the_page_of_the_playground_is_the_only_open_operation(access: AccessMethod) -> None:
    rendered = template(make_front_door(access=access, playground=True))
    page = {("GET", "/"), ("HEAD", "/")}
    assert [required_schemes(operations(rendered)[key]) for key in page] == [[], []]
    others = {key: required_schemes(operation) for key, operation in operations(rendered).items() if key not in page}
    assert all(bool(schemes) == bool(body(rendered)["components"]["securitySchemes"]) for schemes in others.values())


def test_without_the_playground_its_route_requires_access_like_any_other() -> None:
    assert required_schemes(operations(default())["ANY", "/"]) == ["BearerKey", "ApiKey"]


def test_with_api_keys_the_function_rejects_requests_without_a_known_one(stack: Stack) -> None:
    assert variables(default())["API_KEYS"] == "on"
    with_plans = Access.authorizer(custom_authorizer(stack), usage_plans=True)
    assert variables(template(make_front_door(stack, access=with_plans)))["API_KEYS"] == "on"


@pytest.mark.parametrize("access", [Access.iam(), JWT, Access.public()], ids=["iam", "jwt", "public"])
def test_without_api_keys_the_function_requires_none(access: AccessMethod) -> None:
    assert "API_KEYS" not in variables(template(make_front_door(access=access)))
