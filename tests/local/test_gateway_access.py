"""The gateway as a whole: authorizers, keys and throttles."""

import json
from typing import Any

import pytest
from made_up_gateway import AUTHORIZER, KEY, MadeUp, allow, build_api, check, running

from local.gateway.api import GatewayResponse, Method, Throttle, UsagePlan
from local.lambda_service import FunctionError, FunctionTimeout


@pytest.mark.parametrize("header", [None, "", "Bearer short", f"Basic {KEY}", f"Bearer {KEY} more"])
def test_a_token_of_the_wrong_form_is_a_401_without_asking_the_authorizer(header: str | None) -> None:
    async def test() -> None:
        auth = MadeUp(allow)
        async with running(build_api(authorizer=AUTHORIZER), main=MadeUp({}), auth=auth) as gateway:
            head, body = await gateway.ask(headers={} if header is None else {"Authorization": header})
        assert (head.status, json.loads(body), auth.events) == (401, {"message": "Unauthorized"}, [])

    check(test)


def deny(event: dict[str, Any]) -> dict[str, Any]:
    statement = {"Action": ["execute-api:*"], "Effect": "Deny", "Resource": [event["methodArn"]]}
    return allow(event, policyDocument={"Statement": [{**statement, "Effect": "Allow"}, statement]})


def other(event: dict[str, Any]) -> dict[str, Any]:
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": "arn:aws:execute-api:*:*:abc/prod/GET/*",
    }
    return allow(event, policyDocument={"Statement": statement})


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        (deny, 403, "User is not authorized to access this resource with an explicit deny"),
        (other, 403, "User is not authorized to access this resource"),
        (FunctionError(b'{"errorMessage": "Unauthorized"}'), 401, "Unauthorized"),
        (FunctionError(b'{"errorMessage": "boom"}'), 500, "Internal server error"),
        (FunctionTimeout(), 500, "Internal server error"),
        ({"principalId": "x"}, 500, "Internal server error"),
        (lambda event: allow(event, context={"a": []}), 500, "Internal server error"),
        (lambda event: allow(event, usageIdentifierKey="x" * 24), 403, "Forbidden"),
        (lambda event: allow(event, usageIdentifierKey=None), 403, "Forbidden"),
    ],
)
def test_the_authorizer_decides(answer: Any, status: int, message: str) -> None:
    async def test() -> None:
        main = MadeUp({"statusCode": 200})
        async with running(build_api(authorizer=AUTHORIZER), main=main, auth=MadeUp(answer)) as gateway:
            head, body = await gateway.ask(headers={"Authorization": f"Bearer {KEY}"})
        assert (head.status, json.loads(body), main.events) == (status, {"message": message}, [])

    check(test)


def test_a_decision_is_kept_for_its_token_and_its_policy_is_read_again() -> None:
    async def test() -> None:
        auth = MadeUp(other)
        async with running(build_api(authorizer=AUTHORIZER), main=MadeUp({"statusCode": 200}), auth=auth) as gateway:
            headers = {"Authorization": f"Bearer {KEY}"}
            assert (await gateway.ask("GET", headers=headers))[0].status == 200
            assert (await gateway.ask("POST", headers=headers))[0].status == 403
            assert len(auth.events) == 1
            await gateway.ask("GET", headers={"Authorization": f"Bearer {KEY}x"})
            assert len(auth.events) == 2

    check(test)


def test_a_key_in_the_header_counts_if_the_api_says_so() -> None:
    async def test() -> None:
        api = build_api(key_source="HEADER")
        for resource in (api.root, *api.root.children.values()):
            resource.methods["ANY"] = Method(
                verb="ANY", integration=resource.methods["ANY"].integration, api_key_required=True
            )
        async with running(api, main=MadeUp({"statusCode": 200})) as gateway:
            assert (await gateway.ask(headers={"X-Api-Key": KEY}))[0].status == 200
            head, body = await gateway.ask(headers={"X-Api-Key": "wrong"})
        assert (head.status, json.loads(body)) == (403, {"message": "Forbidden"})

    check(test)


def test_a_throttled_key_gets_the_words_of_the_api() -> None:
    async def test() -> None:
        plan = UsagePlan(id="p", throttle=Throttle(rate=0.001, burst=2), quota=None, key_ids=frozenset({"k"}))
        words = GatewayResponse(
            status=None, headers={"Retry-After": "'1'"}, templates={"application/json": '{"busy":true}'}
        )
        api = build_api(authorizer=AUTHORIZER, plans=[plan], gateway_responses={"THROTTLED": words})
        async with running(api, main=MadeUp({"statusCode": 200}), auth=MadeUp(allow)) as gateway:
            answers = [await gateway.ask(headers={"Authorization": f"Bearer {KEY}"}) for _ in range(3)]
        assert [head.status for head, _ in answers] == [200, 200, 429]
        assert answers[2][1] == b'{"busy":true}'
        assert answers[2][0].headers["Retry-After"] == "1"

    check(test)
