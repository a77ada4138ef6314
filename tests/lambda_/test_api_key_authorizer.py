"""The authorizer passes the Bearer token to API Gateway, which checks it as an API key."""

import json
import re

import api_key_authorizer
import pytest

ARN = "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/POST/v1/chat/completions"
KEY = "AbC-._~+/0123456789xyz=="


def test_the_token_is_returned_as_the_api_key_and_allows_the_entire_stage() -> None:
    policy = api_key_authorizer.handler(
        {"type": "TOKEN", "authorizationToken": f"Bearer {KEY}", "methodArn": ARN}, None
    )
    assert policy["usageIdentifierKey"] == KEY
    (statement,) = policy["policyDocument"]["Statement"]
    assert statement == {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/*",
    }


def test_principals_differ_between_keys_without_revealing_them() -> None:
    policies = [
        api_key_authorizer.handler({"authorizationToken": f"bearer {KEY[:-2]}{end}", "methodArn": ARN}, None)
        for end in ("a", "b", "a")
    ]
    principals = [policy["principalId"] for policy in policies]
    assert principals[0] == principals[2] != principals[1]
    assert KEY[:8] not in json.dumps(principals)


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        KEY,
        "Bearer",
        "Bearer ",
        "Basic " + KEY,
        f"Bearer {KEY}\n",
    ],
)
def test_a_header_without_a_token_is_unauthorized(token: str | None) -> None:
    with pytest.raises(PermissionError, match=r"^Unauthorized$"):
        api_key_authorizer.handler({"authorizationToken": token, "methodArn": ARN}, None)


@pytest.mark.parametrize("token", ["short", f"{KEY} x", "a" * 129, "schlüssel", "\udcff", "="])
def test_a_token_that_cannot_be_a_key_is_passed_on_as_a_key_that_nobody_has(token: str) -> None:
    policy = api_key_authorizer.handler({"authorizationToken": f"Bearer {token}", "methodArn": ARN}, None)
    assert re.fullmatch("[0-9a-f]{64}", policy["usageIdentifierKey"])
    assert policy["policyDocument"]["Statement"][0]["Effect"] == "Allow"


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"x-api-key": KEY}, KEY),
        ({"X-Api-Key": KEY}, KEY),
        ({"Authorization": f"Bearer {KEY}"}, KEY),
        ({"authorization": f"bearer {KEY}", "x-api-key": "of-another-service"}, KEY),
        ({"Authorization": "Basic dXNlcjpwYXNz", "x-api-key": KEY}, KEY),
        ({"Authorization": "", "x-api-key": KEY}, KEY),
    ],
)
def test_on_anthropics_routes_the_key_is_the_bearer_token_or_else_the_header_of_keys(
    headers: dict[str, str], key: str
) -> None:
    event = {"type": "REQUEST", "methodArn": ARN, "headers": headers}
    policy = api_key_authorizer.handler(event, None)
    assert policy["usageIdentifierKey"] == key
    assert policy == api_key_authorizer.handler({"authorizationToken": f"Bearer {key}", "methodArn": ARN}, None)


@pytest.mark.parametrize("headers", [None, {}, {"x-api-key": ""}, {"Authorization": "Bearer"}, {"cookie": KEY}])
def test_a_request_without_either_is_unauthorized(headers: dict[str, str] | None) -> None:
    with pytest.raises(PermissionError, match=r"^Unauthorized$"):
        api_key_authorizer.handler({"type": "REQUEST", "methodArn": ARN, "headers": headers}, None)


def test_the_stage_is_found_in_the_arn_of_the_root_path() -> None:
    arn = "arn:aws-cn:execute-api:cn-north-1:1:abc/prod/POST/"
    policy = api_key_authorizer.handler({"authorizationToken": f"Bearer {KEY}", "methodArn": arn}, None)
    assert policy["policyDocument"]["Statement"][0]["Resource"] == "arn:aws-cn:execute-api:cn-north-1:1:abc/prod/*"
