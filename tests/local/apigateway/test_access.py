"""The gateway end to end: authorizers, API keys and throttling."""

import json
from dataclasses import replace
from typing import Any

import pytest

from local.apigateway.api import ApiKey, Authorizer, GatewayResponse, Method, Quota, Throttle, UsagePlan
from local.lambda_service import FunctionError, FunctionThrottled, FunctionTimeout
from tests.local.apigateway.doubles import AUTHORIZER, KEY, FakeFunction, allow, build_api, check, running


@pytest.mark.parametrize("header", [None, "", "Bearer short", f"Basic {KEY}", f"Bearer {KEY} more"])
def test_a_token_in_the_wrong_format_is_a_401_without_calling_the_authorizer(header: str | None) -> None:
    async def test() -> None:
        auth = FakeFunction(allow)
        async with running(build_api(authorizer=AUTHORIZER), main=FakeFunction({}), auth=auth) as gateway:
            head, body = await gateway.send(headers={} if header is None else {"Authorization": header})
        assert (head.status, json.loads(body), auth.events) == (401, {"message": "Unauthorized"}, [])

    check(test)


def deny(event: dict[str, Any]) -> dict[str, Any]:
    statement = {"Action": ["execute-api:*"], "Effect": "Deny", "Resource": [event["methodArn"]]}
    return allow(event, policyDocument={"Statement": [{**statement, "Effect": "Allow"}, statement]})


def allow_get_only(event: dict[str, Any]) -> dict[str, Any]:
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": "arn:aws:execute-api:*:*:abc/prod/GET/*",
    }
    return allow(event, policyDocument={"Statement": statement})


@pytest.mark.parametrize(
    ("response", "status", "message"),
    [
        (FunctionError(b'{"errorMessage": "Unauthorized"}'), 401, "Unauthorized"),
        (FunctionError(b'{"errorMessage": "boom"}'), 500, "Internal server error"),
        (FunctionTimeout(), 500, "Internal server error"),
        (FunctionThrottled(), 500, "Internal server error"),
        ({"principalId": "x"}, 500, "Internal server error"),
        (lambda event: allow(event, context={"a": []}), 500, "Internal server error"),
        (lambda event: allow(event, usageIdentifierKey="x" * 24), 403, "Forbidden"),
        (lambda event: allow(event, usageIdentifierKey=None), 403, "Forbidden"),
    ],
)
def test_the_authorizer_decides(response: Any, status: int, message: str) -> None:
    async def test() -> None:
        main = FakeFunction({"statusCode": 200})
        async with running(build_api(authorizer=AUTHORIZER), main=main, auth=FakeFunction(response)) as gateway:
            head, body = await gateway.send(headers={"Authorization": f"Bearer {KEY}"})
        assert (head.status, json.loads(body), main.events) == (status, {"message": message}, [])

    check(test)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (deny, "User is not authorized to access this resource with an explicit deny"),
        (allow_get_only, "User is not authorized to access this resource"),
    ],
)
def test_a_policy_that_does_not_allow_the_method_is_a_403(response: Any, message: str) -> None:
    async def test() -> None:
        async with running(
            build_api(authorizer=AUTHORIZER), main=FakeFunction({}), auth=FakeFunction(response)
        ) as gateway:
            head, body = await gateway.send(headers={"Authorization": f"Bearer {KEY}"})
        assert (head.status, json.loads(body)) == (403, {"Message": message})

    check(test)


def test_the_context_of_the_authorizer_reaches_the_function() -> None:
    async def test() -> None:
        main, claims = FakeFunction({"statusCode": 200}), {"sub": "user-1", "scope": "a b", "admin": True, "n": 3}
        api = build_api(authorizer=AUTHORIZER, api_key=False)
        auth = FakeFunction(lambda event: allow(event, principalId="user-1", context=claims))
        async with running(api, main=main, auth=auth) as gateway:
            assert (await gateway.send(headers={"Authorization": f"Bearer {KEY}"}))[0].status == 200
        context = main.events[0]["requestContext"]
        assert context["authorizer"] == {**claims, "principalId": "user-1"}
        assert not {"apiKey", "apiKeyId"} & context["identity"].keys()

    check(test)


REQUEST = Authorizer(id="auth", function_name="auth", headers=(), ttl_seconds=0, is_request=True)


def by_header(event: dict[str, Any]) -> dict[str, Any]:
    return allow({**event, "authorizationToken": f"Bearer {event['headers']['x-api-key']}"})


def test_an_authorizer_of_the_type_request_gets_the_headers_and_no_body_for_each_request() -> None:
    async def test() -> None:
        main, auth = FakeFunction({"statusCode": 200}), FakeFunction(by_header)
        async with running(build_api(authorizer=REQUEST), main=main, auth=auth) as gateway:
            for _ in range(2):
                head, _ = await gateway.send(headers={"x-api-key": KEY}, data="a prompt")
                assert head.status == 200
        event, _ = auth.events
        assert (event["type"], event["methodArn"].split("/", 1)[1]) == ("REQUEST", "prod/POST/generate")
        assert event["multiValueHeaders"]["x-api-key"] == [KEY]
        assert (event["resource"], event["path"], event["httpMethod"]) == ("/{proxy+}", "/generate", "POST")
        assert "body" not in event
        assert main.events[0]["requestContext"]["identity"]["apiKeyId"] == "k"

    check(test)


def test_an_authorizer_of_the_type_request_is_asked_once_for_the_same_values_of_its_headers() -> None:
    async def test() -> None:
        authorizer = replace(REQUEST, headers=("x-api-key", "x-team"), ttl_seconds=300)
        auth = FakeFunction(lambda event: by_header({**event, "headers": {"x-api-key": KEY}}))
        async with running(
            build_api(authorizer=authorizer), main=FakeFunction({"statusCode": 200}), auth=auth
        ) as gateway:
            statuses = [
                (await gateway.send(headers=headers))[0].status
                for headers in (
                    {"x-api-key": KEY, "x-team": "a"},
                    {"x-api-key": KEY, "x-team": "a"},
                    {"x-api-key": KEY, "x-team": "b"},
                    {"x-api-key": KEY},
                )
            ]
        assert (statuses, len(auth.events)) == ([200, 200, 200, 401], 2)

    check(test)


def test_the_cache_of_decisions_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.apigateway.authorizer.MAX_DECISIONS", 2)

    async def test() -> None:
        auth = FakeFunction(allow)
        async with running(
            build_api(authorizer=AUTHORIZER), main=FakeFunction({"statusCode": 200}), auth=auth
        ) as gateway:
            for token in ("a" * 20, "b" * 20, "b" * 20, "c" * 20, "c" * 20, "a" * 20):
                await gateway.send(headers={"Authorization": f"Bearer {token}"})
        assert [event["authorizationToken"][7] for event in auth.events] == ["a", "b", "c", "a"]

    check(test)


def test_a_decision_is_cached_per_token_and_its_policy_is_evaluated_for_each_request() -> None:
    async def test() -> None:
        auth = FakeFunction(allow_get_only)
        async with running(
            build_api(authorizer=AUTHORIZER), main=FakeFunction({"statusCode": 200}), auth=auth
        ) as gateway:
            headers = {"Authorization": f"Bearer {KEY}"}
            assert (await gateway.send("GET", headers=headers))[0].status == 200
            assert (await gateway.send("POST", headers=headers))[0].status == 403
            assert len(auth.events) == 1
            await gateway.send("GET", headers={"Authorization": f"Bearer {KEY}x"})
            assert len(auth.events) == 2

    check(test)


def test_the_key_is_read_from_the_header_if_the_api_says_so() -> None:
    async def test() -> None:
        api = build_api(key_source="HEADER")
        for resource in (api.root, *api.root.children.values()):
            resource.methods["ANY"] = Method(
                verb="ANY", integration=resource.methods["ANY"].integration, api_key_required=True
            )
        async with running(api, main=FakeFunction({"statusCode": 200})) as gateway:
            assert (await gateway.send(headers={"X-Api-Key": KEY}))[0].status == 200
            head, body = await gateway.send(headers={"X-Api-Key": "wrong"})
        assert (head.status, json.loads(body)) == (403, {"message": "Forbidden"})

    check(test)


def test_each_consumer_has_its_own_usage_plan() -> None:
    async def test() -> None:
        keys = [ApiKey(id=name, name=name, value=name * 20) for name in ("a", "b")]
        plans = [
            UsagePlan(id="A", throttle=Throttle(rate=0.001, burst=1), quota=None, key_ids=frozenset({"a"})),
            UsagePlan(id="B", throttle=None, quota=Quota(limit=3, period="MONTH"), key_ids=frozenset({"b"})),
        ]
        main = FakeFunction({"statusCode": 200})
        api = build_api(authorizer=AUTHORIZER, keys=keys, plans=plans)
        async with running(api, main=main, auth=FakeFunction(allow)) as gateway:
            responses = {
                name: [await gateway.send(headers={"Authorization": f"Bearer {name * 20}"}) for _ in range(4)]
                for name in ("a", "b")
            }
        assert [head.status for head, _ in responses["a"]] == [200, 429, 429, 429]
        assert [head.status for head, _ in responses["b"]] == [200, 200, 200, 429]
        assert json.loads(responses["a"][3][1]) == {"message": "Too Many Requests"}
        assert json.loads(responses["b"][3][1]) == {"message": "Limit Exceeded"}
        assert [event["requestContext"]["identity"]["apiKeyId"] for event in main.events] == ["a", "b", "b", "b"]

    check(test)


def test_a_single_method_can_be_public() -> None:
    async def test() -> None:
        api, main = build_api(authorizer=AUTHORIZER), FakeFunction({"statusCode": 200})
        api.root.methods["GET"] = Method(verb="GET", integration=api.root.methods["ANY"].integration)
        async with running(api, main=main, auth=FakeFunction(allow)) as gateway:
            assert (await gateway.send("GET", "/prod"))[0].status == 200
            assert (await gateway.send("POST", "/prod"))[0].status == 401
        (event,) = main.events
        assert event["path"] == "/"
        assert "authorizer" not in event["requestContext"]

    check(test)


def test_a_throttled_key_gets_the_gateway_response_of_the_api() -> None:
    async def test() -> None:
        plan = UsagePlan(id="p", throttle=Throttle(rate=0.001, burst=2), quota=None, key_ids=frozenset({"k"}))
        custom = GatewayResponse(
            status=None, headers={"Retry-After": "'1'"}, templates={"application/json": '{"busy":true}'}
        )
        api = build_api(authorizer=AUTHORIZER, plans=[plan], gateway_responses={"THROTTLED": custom})
        async with running(api, main=FakeFunction({"statusCode": 200}), auth=FakeFunction(allow)) as gateway:
            responses = [await gateway.send(headers={"Authorization": f"Bearer {KEY}"}) for _ in range(3)]
        assert [head.status for head, _ in responses] == [200, 200, 429]
        assert responses[2][1] == b'{"busy":true}'
        assert responses[2][0].headers["Retry-After"] == "1"

    check(test)
