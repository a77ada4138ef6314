"""The authorizer hands the Bearer token to API Gateway, which checks it as an API key."""

import json

import api_key_authorizer
import pytest

ARN = "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/POST/v1/chat/completions"
KEY = "AbC-._~+/0123456789xyz=="


def test_the_token_becomes_the_key_for_the_whole_stage() -> None:
    answer = api_key_authorizer.handler(
        {"type": "TOKEN", "authorizationToken": f"Bearer {KEY}", "methodArn": ARN}, None
    )
    assert answer["usageIdentifierKey"] == KEY
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement == {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/*",
    }


def test_the_principal_tells_keys_apart_without_telling_them() -> None:
    answers = [
        api_key_authorizer.handler({"authorizationToken": f"bearer {KEY[:-2]}{end}", "methodArn": ARN}, None)
        for end in ("a", "b", "a")
    ]
    principals = [answer["principalId"] for answer in answers]
    assert principals[0] == principals[2] != principals[1]
    assert KEY[:8] not in json.dumps(principals)


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        KEY,
        "Bearer ",
        "Bearer short",
        "Basic " + KEY,
        f"Bearer {KEY}\n",
        f"Bearer {KEY} x",
        "Bearer " + "a" * 129,
    ],
)
def test_anything_else_is_unauthorized(token: str | None) -> None:
    with pytest.raises(PermissionError, match=r"^Unauthorized$"):
        api_key_authorizer.handler({"authorizationToken": token, "methodArn": ARN}, None)


def test_a_root_call_has_a_stage_too() -> None:
    arn = "arn:aws-cn:execute-api:cn-north-1:1:abc/prod/POST/"
    answer = api_key_authorizer.handler({"authorizationToken": f"Bearer {KEY}", "methodArn": arn}, None)
    assert answer["policyDocument"]["Statement"][0]["Resource"] == "arn:aws-cn:execute-api:cn-north-1:1:abc/prod/*"
