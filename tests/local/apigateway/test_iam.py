"""The gateway as a whole: requests that have to be signed."""

import json
from typing import Any

import pytest
import yarl
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.apigateway.api import GatewayResponse
from tests.local.apigateway.doubles import SECRETS, MadeUp, Running, build_api, check, running

((KEY, SECRET),) = SECRETS.items()
PATH = "/prod/v1/models%2Fa/?b=2&a=%C3%BC%201&a=&b=1"


def signed(
    url: str, body: bytes = b"", *, secret: str = SECRET, key: str = KEY, service: str = "execute-api", **more: Any
) -> dict[str, str]:
    request = AWSRequest("POST", url, {"X-Own": "a  b"}, body)
    SigV4Auth(Credentials(key, secret, more.get("token")), service, more.get("region", "us-east-1")).add_auth(request)
    return dict(request.headers.items())


async def ask(gateway: Running, headers: dict[str, str], body: bytes = b"") -> tuple[int, str, dict[str, str]]:
    url = yarl.URL(gateway.url + PATH, encoded=True)
    async with gateway.session.post(url, headers=headers, data=body) as answer:
        return answer.status, answer.headers.get("x-amzn-ErrorType", ""), json.loads(await answer.read() or b"{}")


def test_a_signed_request_tells_the_function_who_has_signed_it() -> None:
    async def test() -> None:
        main = MadeUp({"statusCode": 200})
        async with running(build_api(iam=True), main=main) as gateway:
            headers = signed(gateway.url + PATH, b"{}", token="session")
            assert (await ask(gateway, headers, b"{}"))[0] == 200
        identity = main.events[0]["requestContext"]["identity"]
        assert identity["userArn"] == f"arn:aws:iam::123456789012:user/{KEY}"
        assert (identity["accessKey"], identity["accountId"]) == (KEY, "123456789012")
        assert identity["user"] == identity["caller"] == f"AIDA{KEY}"
        assert main.events[0]["headers"]["Authorization"].startswith("AWS4-HMAC-SHA256")

    check(test)


def test_a_request_without_a_signature_is_refused() -> None:
    async def test() -> None:
        main = MadeUp({"statusCode": 200})
        async with running(build_api(iam=True), main=main) as gateway:
            told = await ask(gateway, {"X-Api-Key": "k" * 24})
        assert told == (403, "MissingAuthenticationTokenException", {"message": "Missing Authentication Token"})
        assert main.events == []

    check(test)


@pytest.mark.parametrize(
    ("change", "error_type", "words"),
    [
        ({"secret": "other"}, "InvalidSignatureException", "The request signature we calculated does not match"),
        ({"key": "AKIDOTHER"}, "UnrecognizedClientException", "The security token included in the request is invalid."),
        (
            {"service": "sagemaker"},
            "InvalidSignatureException",
            "Credential should be scoped to correct service",
        ),
        (
            {"region": "eu-west-1"},
            "InvalidSignatureException",
            "Credential should be scoped to a valid region",
        ),
    ],
)
def test_a_wrong_signature_is_refused_in_awss_words(change: dict[str, str], error_type: str, words: str) -> None:
    async def test() -> None:
        main = MadeUp({"statusCode": 200})
        async with running(build_api(iam=True), main=main) as gateway:
            status, kind, told = await ask(gateway, signed(gateway.url + PATH, **change))
        assert (status, kind, main.events) == (403, error_type, [])
        assert told["message"].startswith(words)

    check(test)


def test_the_signature_covers_method_path_query_headers_and_body() -> None:
    async def test() -> None:
        async with running(build_api(iam=True), main=MadeUp({"statusCode": 200})) as gateway:
            headers = signed(gateway.url + PATH, b"{}")
            for url, changed, body in (
                (PATH, {}, b"[]"),
                (PATH.replace("b=1", "b=3"), {}, b"{}"),
                (PATH.replace("%2F", "/"), {}, b"{}"),
                (PATH, {"X-Own": "c"}, b"{}"),
                (PATH, {"Authorization": headers["Authorization"].replace("Signature=", "Signature=x")}, b"{}"),
                (PATH, {"Authorization": "Bearer token"}, b"{}"),
                (PATH, {"X-Amz-Date": "20200101T000000Z"}, b"{}"),
            ):
                whole = yarl.URL(gateway.url + url, encoded=True)
                async with gateway.session.post(whole, headers={**headers, **changed}, data=body) as answer:
                    assert answer.status == 403, (url, changed, body)
            whole = yarl.URL(gateway.url + PATH, encoded=True)
            async with gateway.session.put(whole, headers=headers, data=b"{}") as answer:
                assert answer.status == 403
            assert (await ask(gateway, headers, b"{}"))[0] == 200

    check(test)


def test_a_wrong_signature_has_a_gateway_response_of_its_own() -> None:
    async def test() -> None:
        words = GatewayResponse(status=401, headers={}, templates={"application/json": '{"own":1}'})
        api = build_api(iam=True, gateway_responses={"INVALID_SIGNATURE": words})
        async with running(api, main=MadeUp({"statusCode": 200})) as gateway:
            status, _, told = await ask(gateway, signed(gateway.url + PATH, secret="other"))
            assert (status, told) == (401, {"own": 1})
            assert (await ask(gateway, {}))[0] == 403

    check(test)
